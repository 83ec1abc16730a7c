// Package task is the protocol by which a compute node gets work from its
// workspace: it asks for a task, says that it lives, streams the log, and reports
// the end. The node calls; the workspace never calls a node.
//
// All calls are below {workspace host}/compute/v1.0{cluster id}/, with a bearer
// token of the cluster's managed identity:
//
//	POST claim                          Claim     -> 200 Task, or 204 when there is nothing
//	POST leases/{lease}/heartbeat       Heartbeat -> Answer
//	POST leases/{lease}/log?offset=N    text      -> Offset: bytes that are kept now
//	POST leases/{lease}/complete        Result    -> 204
//
// A lease that has lapsed, or that another node has taken over, is answered 409
// with the code LeaseLost: the node ends the task and throws its results away.
//
// The package holds the messages only and decides nothing.
package task
