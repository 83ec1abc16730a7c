// Package nft holds a packet filter table as plain values, writes it as text in
// nft's own language, and loads it into a network namespace in one transaction.
//
// The values are what the fabric compiles and what tests compare; the text is
// what a person reads and what the table's fingerprint is taken of.
//
// It knows nothing of Azure: which packets pass is decided by whoever makes the
// table. It never changes a table in part: a table is replaced whole, or not.
package nft
