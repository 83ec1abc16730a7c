// Package devops is an Azure DevOps organisation: agent pools, git repositories,
// Azure Pipelines and their runs, behind dev.azure.com's own REST API.
//
// What it has acknowledged is in its SQLite store: after a kill at any instant
// runs go on where they were, and a job whose agent is lost is queued again if it
// had not begun, and fails with the reason if it had.
//
// It never runs a step: that is the agent's (internal/agent), which only ever
// calls here. It never connects to anything itself.
package devops
