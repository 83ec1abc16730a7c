// Package store keeps what the control plane has accepted: documents with their
// versions and states, service principals and the activity log.
//
// [Store] is the interface; [OpenSQLite] is the embedded default. A Commit that
// has returned survives the loss of the process and of power. The package never
// interprets a document, and never decides who may write one.
package store
