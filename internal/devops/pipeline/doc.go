// Package pipeline reads Azure Pipelines YAML: stages, jobs, steps, variables,
// parameters, triggers and template expressions (${{ }}), with the line and the
// column of every fault.
//
// It is compile time only: it never runs anything, never reads a file, and leaves
// $( ) and $[ ] as they are, checked but not evaluated. A key of Azure Pipelines
// that Cloister does not carry out is an error here, never silently ignored.
package pipeline
