// Package bastion is what Azure Bastion's native client needs around an SSH
// connection: short-lived certificates for a caller, and a client that runs a
// shell or a command over a connection that somebody else made.
//
// It opens no socket and decides nothing: who may log in is the daemon's question
// to access, and whether packets arrive the networks'.
package bastion
