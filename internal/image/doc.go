// Package image makes and keeps the roots that sandboxes run from: a base root of
// the distribution's packages, layers of Python packages on it, OCI images made
// of such layers, and a store of layers pulled from a registry.
//
// Bases and layers are folders in a cache; each is made beside its place and
// renamed into it, so that one that is there is whole. Downloads go through the
// distribution's and Python's own package clients.
//
// It runs nothing from a root, and knows nothing of Azure's registries: a caller
// brings the credentials.
package image
