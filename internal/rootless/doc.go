// Package rootless runs this program as an ordinary user in namespaces of its own,
// in which it is root: a user namespace, and mount, process, network, IPC and
// host name namespaces that belong to it. Networks that are made there are
// configured without any right on the host, and lead nowhere: sockets on the host are
// opened outside and handed in.
//
// The first process of the namespaces only prepares them, starts the program and
// reaps what others leave behind; when the program ends, however it ends, the first
// process does, and the kernel ends and removes everything that was in there.
//
// Without root's help a user has one id to give (user_namespaces(7)), which is root
// inside. The package uses no set-id helper and changes no setting of the host; it
// never gives a right that the user does not have.
package rootless
