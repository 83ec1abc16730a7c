// Package insights is the resource provider Microsoft.Insights: Application
// Insights components, and the ingestion service that all of a region's
// components share, at {region}.in.applicationinsights.azure.com and
// dc.services.visualstudio.com. Beside it stands Microsoft.OperationalInsights
// with its Log Analytics workspaces, which components name.
//
// Telemetry is kept in SQLite for as long as its component says, by component
// and table, and read back with the action query on the component:
//
//	POST {component}/query
//	{"table": "traces", "since": "1h", "contains": "loss", "limit": 100}
//
// which answers in the shape of Azure's query API. Since components share a
// host, the firewall and the authentication of each item are those of the
// component whose instrumentation key it carries.
//
// Not offered: the Kusto query language, live metrics, profiles, snapshots,
// alerts, daily caps (kept and not carried out), and ingestion into Log
// Analytics workspaces.
package insights
