// Package sshd is the SSH server of a virtual machine (RFC 4251 to RFC 4254):
// shells, commands, terminals and forwarded connections for those who hold a key
// that the machine's document names, or a certificate that the cloud has signed
// for this machine and account.
//
// It knows no passwords, hands out no host agent and no file transfer subsystem,
// and never decides who may log in: the document and the cloud's authority do. It
// runs inside the machine, so what it starts has the machine's network, root and
// limits, and whoever reaches it has passed the network's rules.
package sshd
