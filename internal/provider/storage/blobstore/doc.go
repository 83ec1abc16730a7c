// Package blobstore keeps one storage account's containers and blobs on disk.
//
// What the store says about blobs (names, properties, which bytes they are made
// of) is in a SQLite database; the bytes are in chunks, each written once: small
// ones in the database, others in files of their own, which have random names.
// A blob is a list of chunks, so that committing a block list and copying a blob
// within the account move no bytes. Whatever a method has returned success for
// is on the disk; a chunk that nothing refers to any more is swept away later,
// when no reader holds it.
//
// The store knows neither HTTP nor who asks: who may do what, and what a
// condition header means, is decided before it is called or in a [Check].
package blobstore
