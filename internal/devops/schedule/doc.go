// Package schedule decides what happens next in a run: which stages and jobs
// start, which are skipped, and what they result in.
//
// It is a pure function of the pipeline and of what happened so far. It never
// stores, waits or talks to an agent: the server persists its changes and calls
// it again when a job is done.
package schedule
