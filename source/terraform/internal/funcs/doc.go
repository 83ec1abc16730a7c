// Package funcs holds the functions of the Terraform language: those of go-cty's
// standard library under their Terraform names, and the ones that differ there
// or are missing.
//
// Nothing here reaches the network or runs a program. Functions that read files
// read regular files of bounded size only, and functions whose result changes
// from run to run (timestamp, uuid, bcrypt) answer an unknown value, as
// Terraform's plan does.
package funcs
