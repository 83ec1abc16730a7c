// Package client is Cloister's own client of Azure Resource Manager's REST API,
// for the command line: a token, documents in and out, waiting for what takes
// time, and errors with their code.
//
// It knows nothing of how the cloud is made: it would work against Azure.
package client
