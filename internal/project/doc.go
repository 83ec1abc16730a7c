// Package project reads cloister.hcl, the file beside a solution's Terraform that
// says what Terraform does not: the DevOps project with its pipelines, what runs
// first, and what the summary compares.
//
// It reads and checks; it runs nothing.
package project
