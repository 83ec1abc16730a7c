// Package e2e runs the whole example as a user does, by the built program, and
// breaks it on purpose: each claim of the summary must fall when what it stands on
// is taken away, and hold again when it is put back.
//
// Its tests need root and are built with the tag e2e; `make test` runs them. They
// look at the cloud from outside only, and touch nothing but what they have made.
package e2e
