// Package wire holds the JSON shapes of the Azure DevOps REST API that an agent
// and the organisation exchange, in Azure DevOps' own names.
//
// It is shapes only: it never talks to anybody. Shapes follow the public sources
// of the agent and the public REST reference; they were not verified against
// Microsoft's own agent.
package wire
