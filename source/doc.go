// Package source reads what users have into an estate, whichever of its forms
// that is: a directory of Terraform, a plan or a state as JSON, an ARM template or
// a compiled Bicep file, an estate that was written before.
//
// It looks at a file's content, never at its name, and hands it to the reader that
// knows the form; it gives nothing a meaning itself.
package source
