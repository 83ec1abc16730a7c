// Package agent is a self-hosted Azure Pipelines agent: it registers with an
// organisation, waits for jobs and runs their steps.
//
// It only ever connects outward, over HTTPS to the organisation it was configured
// for (steps connect where they like), and listens on nothing. It knows nothing of
// runs and stages: what a job needs is in the job's message. A secret is masked
// before a line leaves the process, and no token is ever on a command line.
//
// The wire is Azure DevOps' own in its shapes; it was not verified against
// Microsoft's agent or service. One difference is deliberate: scripts run with
// bash -e, so that a command that fails fails its step.
package agent
