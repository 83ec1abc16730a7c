// Package kept has the types of Azure that this cloud does not run, whose clients
// do not work with a document that only comes back as it was written: they want a
// status of their own, properties that Azure computes, or keys. Each is an entry of
// a table.
//
// It never runs anything, and never opens a door: the keys that it answers are of
// services that are not there.
package kept
