// Package asset keeps the versions of a workspace's environments, code,
// components and data, and its own datastores, in SQLite.
//
// A version never changes once it is there, but for its description, its tags
// and whether it is archived. The package gives the properties no meaning.
package asset
