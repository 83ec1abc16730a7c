// Package diagnostic is what the readers say of what they read: errors and
// warnings with a place and the source text around it, printed alike whichever
// reader found them.
//
// It never decides what is wrong, and never holds the text of a value: a detail
// that would show a secret is the reader's to leave out.
package diagnostic
