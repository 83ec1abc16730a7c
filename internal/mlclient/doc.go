// Package mlclient is the client of a workspace behind `cloister ml`: it uploads
// code and data, creates jobs, assets, endpoints and deployments through Azure
// Resource Manager, and follows jobs while they run.
//
// It speaks Azure's public protocols only, so it works as well against another
// implementation of them. It decides nothing about jobs: what a file says is
// package spec's matter, what is run the workspace's.
package mlclient
