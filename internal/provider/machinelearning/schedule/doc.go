// Package schedule decides which job runs when, and keeps that in SQLite: a
// pipeline's steps in the order of their needs, each with the image and the node
// that it waits for, and the number of nodes that a cluster should have.
//
// A step that a node has taken is leased: a node that falls silent loses it, and
// the step is queued again. All of it is decided from what is stored and the
// time that the caller gives, so a process that is killed at any instant goes on
// where it was.
//
// It starts no node, builds no image and runs nothing: it says what is to be
// done, and is told what was.
package schedule
