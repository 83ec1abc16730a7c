// Package signing makes the strings that Azure Storage's clients sign: of a
// request with an account key, and of shared access signatures (account,
// service and user delegation SAS, by their version).
//
// It says what must have been signed; it never decides what a signature allows.
//
// Sources: Microsoft Learn, "Authorize with Shared Key", "Create an account
// SAS", "Create a service SAS", "Create a user delegation SAS".
package signing
