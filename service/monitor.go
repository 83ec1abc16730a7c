package service

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Azure Monitor is reached at names that its customers share, and at names of each
// Log Analytics workspace. A private endpoint covers them by way of a private link
// scope: a document that lists components and workspaces.
//
// Sources: Microsoft Learn, "Configure your private link" (Azure Monitor, "Review
// your endpoint's DNS settings", endpoint compression), "Design your Azure Monitor
// private link setup".
const (
	// GroupMonitor is the sub-resource of a private link scope.
	GroupMonitor = "azuremonitor"

	zoneMonitor  = "privatelink.monitor.azure.com"
	zoneODS      = "privatelink.ods.opinsights.azure.com"
	zoneOMS      = "privatelink.oms.opinsights.azure.com"
	zoneAgentSvc = "privatelink.agentsvc.azure-automation.net"
	zoneBlob     = "privatelink.blob.core.windows.net"

	tagMonitor = "AzureMonitor"
)

// globalMonitor is a host that every component of the cloud shares.
func globalMonitor(host, service, record string) Endpoint {
	return Endpoint{Host: host, Service: service, Member: record, Private: record + "." + zoneMonitor, Zone: zoneMonitor, Record: record, Tag: tagMonitor, Always: true}
}

// sharedMonitor are the hosts that all components share, beside [HostMonitor].
func sharedMonitor() []Endpoint {
	return []Endpoint{
		globalMonitor("global.in.ai.monitor.azure.com", "insights", "global.in.ai"),
		globalMonitor("api.applicationinsights.io", "insightsquery", "api"),
		globalMonitor("api.loganalytics.io", "logsquery", "api"),
		globalMonitor("live.monitor.azure.com", "livemetrics", "live"),
		globalMonitor("profiler.monitor.azure.com", "profiler", "profiler"),
		globalMonitor("snapshot.monitor.azure.com", "snapshot", "snapshot"),
		globalMonitor("diagservices-query.monitor.azure.com", "diagservices", "diagservices-query"),
		{
			// Where agents fetch their solution packs.
			Host: "scadvisorcontent.blob.core.windows.net", Service: "solutionpacks", Member: "scadvisorcontent",
			Private: "scadvisorcontent." + zoneBlob, Zone: zoneBlob, Record: "scadvisorcontent", Tag: "Storage", Always: true,
		},
	}
}

// appInsights is where a component's telemetry goes. The host is shared by all
// components of a region: the instrumentation key in the body says which one is
// meant.
func appInsights(r arm.Resource) []Endpoint {
	region := Region(r.Location)
	record := region + ".in.ai"
	return []Endpoint{{
		Host: region + ".in.applicationinsights.azure.com", Service: "insights", Resource: r.ID, Owner: r.ID, Member: record,
		Private: record + "." + zoneMonitor, Zone: zoneMonitor, Record: record, Tag: tagMonitor, Always: true,
	}}
}

// LogAnalyticsGUID is the workspace id in a Log Analytics workspace's host names.
// Azure chooses it at deployment; here it follows from the id.
func LogAnalyticsGUID(r arm.Resource) string {
	if id := arm.String(r.Properties, "customerId"); id != "" {
		return strings.ToLower(id)
	}
	return arm.StableGUID(r.ID, "customerId")
}

// LogAnalytics are the hosts of a Log Analytics workspace: ingestion (ods),
// configuration (oms) and the agents' service. Workspaces of one region share an
// address for each in a private endpoint.
func LogAnalytics(r arm.Resource) []Endpoint {
	guid, region := LogAnalyticsGUID(r), Region(r.Location)
	var out []Endpoint
	for _, s := range []struct{ service, zone string }{{"ods", zoneODS}, {"oms", zoneOMS}, {"agentsvc", zoneAgentSvc}} {
		out = append(out, Endpoint{
			Host: guid + strings.TrimPrefix(s.zone, "privatelink"), Service: s.service, Resource: r.ID, Owner: r.ID, Member: s.service + "-" + region,
			Private: guid + "." + s.zone, Zone: s.zone, Record: guid, Tag: tagMonitor, Always: true,
		})
	}
	return renamed(out, r.Location)
}

// inScope are the hosts that a private endpoint to a private link scope covers.
// What the scope holds outside the estate is not known and not among them.
func inScope(e *arm.Estate, scope arm.Resource) []Endpoint {
	out := append([]Endpoint{globalMonitor(HostMonitor, "insights", "global.in.ai")}, sharedMonitor()...)
	for _, child := range e.Children(scope.ID, TypeMonitorScoped) {
		r, ok := e.Get(arm.Ref(child.Properties, "linkedResourceId"))
		if !ok {
			continue
		}
		hosts := Endpoints(r)
		if r.IsType(TypeLogAnalytics) {
			hosts = LogAnalytics(r)
		}
		for _, ep := range hosts {
			if !slices.ContainsFunc(out, func(have Endpoint) bool { return have.Host == ep.Host }) {
				out = append(out, ep)
			}
		}
	}
	for i := range out {
		out[i].Owner, out[i].Group = scope.ID, GroupMonitor
	}
	return out
}
