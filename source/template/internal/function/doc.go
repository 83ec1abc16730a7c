// Package function holds the functions of the template language that depend on
// nothing but their arguments.
//
// An argument that is not known before deployment makes a result that is not
// known, where the rest does not decide it. No function reads the clock, the
// machine or a cloud.
//
// Source: Microsoft Learn, "ARM template functions", and its pages on array,
// CIDR, comparison, date, lambda, logical, numeric, object and string functions.
package function
