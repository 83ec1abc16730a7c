// Package sandbox runs one machine's or one job's process tree: in its own root,
// process, mount, IPC and host name namespaces, inside a network namespace that
// somebody else made, with limits, without privileges.
//
// The work is runc's, by way of an OCI bundle; this package writes the bundle
// and the overlay that is its root. Every step of setting up is fatal when it
// fails: a sandbox that could not be given its resolver or its certificates does
// not start.
//
// Where the kernel can show a folder with other owners, each sandbox is a user
// namespace with 65,536 user ids of its own: its root is nobody on the host, has no
// right over the network that it was put into, and finds the base root, of which
// there is one copy, belonging to itself. What it writes belongs on the host to
// those ids. A machine can write to its disk but for the system (/usr, without
// /usr/local, and /boot); a job only to its mounts, /tmp and /run. What the host
// cannot give is not passed over: [Runtime.Unenforced] names it.
//
// It makes no network and pulls no image, and it does not decide what runs.
package sandbox
