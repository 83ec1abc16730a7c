package service

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Covered are the endpoints that a private endpoint to the target covers, of every
// sub-resource, in a stable order: the target's own, a registry's in the regions
// that it is replicated to, and those of an Azure Monitor private link scope.
func Covered(e *arm.Estate, target arm.Resource) []Endpoint {
	if target.IsType(TypeMonitorScope) {
		return inScope(e, target)
	}
	out := listed(target)
	for _, ep := range Endpoints(target) {
		if ep.Group != "" {
			out = append(out, ep)
		}
	}
	if target.IsType(TypeStorageAccount) {
		out = append(out, website(target)...)
	}
	if target.IsType(TypeRegistry) {
		for _, r := range e.Children(target.ID, TypeReplication) {
			if Region(r.Location) != Region(target.Location) {
				out = append(out, Endpoints(r)...)
			}
		}
	}
	return out
}

// website is a storage account's static site. Its public name has the number of
// the region's zone in it, which only Azure knows.
func website(r arm.Resource) []Endpoint {
	ep := storageHost(r, "web", "web", "")
	ep.Host = ""
	return renamed([]Endpoint{ep}, r.Location)
}

// Names are all endpoints that public DNS knows of an estate: those of [All], the
// hosts of Azure Monitor, and those of services whose names follow from [Zones].
func Names(e *arm.Estate) []Endpoint {
	out := append(All(e), sharedMonitor()...)
	for _, r := range e.All() {
		if r.IsType(TypeLogAnalytics) {
			out = append(out, LogAnalytics(r)...)
		}
		out = append(out, listed(r)...)
	}
	return out
}

// Connection is what a private endpoint is connected to, or asks to be.
type Connection struct {
	Endpoint arm.ID
	Target   arm.ID   // "" where it is not known
	Groups   []string // sub-resources
	Status   string   // Approved, Pending, Rejected, Disconnected; as Azure takes it where the document does not say
	Approved bool     // only an approved connection carries traffic

	TargetUnknown, GroupsUnknown, StatusUnknown *arm.Unknown
}

// ConnectionLists are where a private endpoint holds its connections, and the state
// of one that does not say its own: Azure approves the first kind by itself where
// the caller may, and the second waits for the owner.
var ConnectionLists = []struct{ Path, Status string }{
	{"privateLinkServiceConnections", "Approved"},
	{"manualPrivateLinkServiceConnections", "Pending"},
}

// Connections are those of one private endpoint document, in order. One that is
// wholly unknown has every unknown set.
func Connections(pe arm.Resource) []Connection {
	var out []Connection
	for _, list := range ConnectionLists {
		v, _ := arm.Lookup(pe.Properties, list.Path)
		entries, _ := v.([]any)
		if u, ok := v.(arm.Unknown); ok {
			entries = []any{u}
		}
		for _, entry := range entries {
			out = append(out, connectionOf(pe.ID, entry, list.Status))
		}
	}
	return out
}

func connectionOf(endpoint arm.ID, v any, status string) Connection {
	c := Connection{Endpoint: endpoint}
	if u, ok := v.(arm.Unknown); ok {
		c.TargetUnknown, c.GroupsUnknown, c.StatusUnknown = &u, &u, &u
		return c
	}
	o, _ := v.(map[string]any)
	const state, target, groups = "properties.privateLinkServiceConnectionState.status", "properties.privateLinkServiceId", "properties.groupIds"
	c.Target, c.Groups, c.Status = arm.Ref(o, target), arm.Strings(o, groups), arm.String(o, state)
	c.TargetUnknown, c.StatusUnknown, c.GroupsUnknown = unknownAt(o, target), unknownAt(o, state), unknownAt(o, groups)
	for _, g := range arm.List(o, groups) {
		if u, ok := g.(arm.Unknown); ok {
			c.GroupsUnknown = &u
		}
	}
	if c.Status == "" && c.StatusUnknown == nil {
		c.Status = status
	}
	c.Approved = c.StatusUnknown == nil && strings.EqualFold(c.Status, "Approved")
	return c
}

func unknownAt(o arm.Object, path string) *arm.Unknown {
	if u, ok := arm.UnknownAt(o, path); ok {
		return &u
	}
	return nil
}
