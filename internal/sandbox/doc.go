// Package sandbox runs one machine's or one job's process tree: in its own root,
// process, mount, IPC and host name namespaces, inside a network namespace that
// somebody else made, with limits, without privileges.
//
// The work is runc's, by way of an OCI bundle; this package writes the bundle
// and the overlay that is its root. Every step of setting up is fatal when it
// fails: a sandbox that could not be given its resolver or its certificates does
// not start.
//
// It makes no network and pulls no image, and it does not decide what runs.
package sandbox
