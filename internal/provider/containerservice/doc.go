// Package containerservice is the resource provider Microsoft.ContainerService:
// managed Kubernetes clusters and their node pools.
//
// It checks a cluster as Azure does, gives it its names, and makes the certificate
// authority that its administrators' certificates are of. It runs no Kubernetes: a
// cluster's document is kept, its power state says Stopped, and nothing listens at
// the address of its API server.
package containerservice
