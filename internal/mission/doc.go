// Package mission does the main job: it brings a project's estate up, runs its
// first pipeline, and verifies what the summary claims.
//
// It works from outside, as a user would: through the control plane, the DevOps
// organisation and commands in machines. It decides no rule of network or access;
// where something is refused, the reason that it shows is the proof's.
package mission
