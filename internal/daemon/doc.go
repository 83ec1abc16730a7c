// Package daemon puts one running cloud together: control plane, fabric,
// sandboxes, services and DevOps organisation in one process, with a private
// socket for the command line.
//
// It is where the floors meet: it gives the providers the machines, nodes and
// images that they ask for through interfaces of their own. It holds no rule of
// any service.
package daemon
