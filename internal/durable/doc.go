// Package durable keeps what must survive kill -9 at any instant: SQLite
// databases that acknowledge only what is on the disk, and small files that are
// written whole or not at all. Everything it makes is private to its user
// (0600, folders 0700).
//
// It knows nothing of what it keeps, and it never retries or repairs by itself.
package durable
