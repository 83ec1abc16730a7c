// Package node is what runs on a node of a compute cluster: it asks the workspace
// for tasks and runs them, one at a time.
//
// All its traffic goes out of the node's own address, as a user's job's does: the
// names are resolved by Azure DNS, the token is the cluster's managed identity's
// from the metadata service, and workspace, registry and storage are reached at
// whatever address the node's network resolves their names to.
//
// It makes no network and gives nothing more than the node's identity to a task;
// what it may is what that identity may.
package node
