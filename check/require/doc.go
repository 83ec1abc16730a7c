// Package require reads the requirements that users write themselves: files
// *.require.hcl beside the Terraform, with blocks require, disable and severity.
//
// It turns them into values of package check, with the file and line of each, and
// says what is wrong with them. It decides nothing about an estate.
package require
