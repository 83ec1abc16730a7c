package network_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func outboundRule(name string, sets ...nt.Set) arm.Resource {
	return nt.Document(nt.WorkspaceID("ws").Child("outboundRules", name), sets...)
}

func TestManagedNetworkLetsOut(t *testing.T) {
	set := func(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }
	tag := func(name, tag, protocol, ports string, more ...nt.Set) arm.Resource {
		return outboundRule(name, append([]nt.Set{set("type", "ServiceTag"), set("destination.serviceTag", tag), set("destination.protocol", protocol), set("destination.portRanges", ports)}, more...)...)
	}
	fqdn := func(host string) arm.Resource {
		return outboundRule("to-"+strings.Trim(host, "*."), set("type", "FQDN"), set("destination", host))
	}
	for _, c := range []struct {
		name, mode string
		rules      []any
		flow, host string
		want       string
		because    string
	}{
		{"no managed network", "", nil, "10.0.0.4 -> 192.0.2.10 tcp 22", "", "yes", "without a subnet"},
		{"the internet", "AllowInternetOutbound", nil, "10.0.0.4 -> 192.0.2.10 udp 5000", "", "yes", "AllowInternetOutbound lets out everything"},
		{"a private address", "AllowInternetOutbound", nil, "10.0.0.4 -> 10.1.0.4 tcp 443", "", "no", "joined to no other"},
		{"nothing else is approved", "AllowOnlyApprovedOutbound", nil, "10.0.0.4 -> 192.0.2.10 tcp 443", "", "no", "none is for TCP 443"},
		{"a required tag", "AllowOnlyApprovedOutbound", nil, "10.0.0.4 -> 198.51.100.70 tcp 443", "", "yes", "required"},
		{"a tag of the user's", "AllowOnlyApprovedOutbound", []any{tag("storage", "Storage", "TCP", "443, 8080-8089")}, "10.0.0.4 -> 198.18.25.70 tcp 8085", "", "yes", "rule storage"},
		{"another port", "AllowOnlyApprovedOutbound", []any{tag("storage", "Storage", "TCP", "443, 8080-8089")}, "10.0.0.4 -> 198.18.25.70 tcp 80", "", "no", ""},
		{"another protocol", "AllowOnlyApprovedOutbound", []any{tag("storage", "Storage", "TCP", "443")}, "10.0.0.4 -> 198.18.25.70 udp 443", "", "no", ""},
		{"a tag that is not in the plan", "AllowOnlyApprovedOutbound", []any{tag("odd", "AzureUnlisted", "*", "*")}, "10.0.0.4 -> 192.0.2.10 tcp 443", "", "unknown", "AzureUnlisted"},
		{"prefixes instead of the tag", "AllowOnlyApprovedOutbound", []any{tag("own", "Storage", "*", "*", set("destination.addressPrefixes", []string{"192.0.2.0/24"}))}, "10.0.0.4 -> 192.0.2.10 tcp 443", "", "yes", "rule own"},
		{"one that denies what another allows", "AllowOnlyApprovedOutbound",
			[]any{tag("yes", "Storage", "TCP", "443"), tag("no", "Storage", "TCP", "443", set("destination.action", "Deny"))}, "10.0.0.4 -> 198.18.25.70 tcp 443", "", "unknown", "which of them goes first"},
		{"a port range that is not one", "AllowOnlyApprovedOutbound", []any{tag("bad", "Storage", "TCP", "https")}, "10.0.0.4 -> 198.18.25.70 tcp 443", "", "unknown", "portRanges"},
		{"a name", "AllowOnlyApprovedOutbound", []any{fqdn("pypi.org")}, "10.0.0.4 -> 192.0.2.10 tcp 443", "pypi.org", "yes", "rule for pypi.org"},
		{"names below one", "AllowOnlyApprovedOutbound", []any{fqdn("*.pypi.org")}, "10.0.0.4 -> 192.0.2.10 tcp 80", "files.pypi.org", "yes", "rule for *.pypi.org"},
		{"another name", "AllowOnlyApprovedOutbound", []any{fqdn("pypi.org")}, "10.0.0.4 -> 192.0.2.10 tcp 443", "evil.example", "no", "evil.example"},
		{"a name on another port", "AllowOnlyApprovedOutbound", []any{fqdn("pypi.org")}, "10.0.0.4 -> 192.0.2.10 tcp 22", "pypi.org", "no", ""},
		{"no name is asked for", "AllowOnlyApprovedOutbound", []any{fqdn("pypi.org")}, "10.0.0.4 -> 192.0.2.10 tcp 443", "", "unknown", "the flow names none"},
		{"a storage account by name", "AllowOnlyApprovedOutbound", []any{fqdn("*.blob.core.windows.net")}, "10.0.0.4 -> 198.18.25.70 tcp 443", "st.blob.core.windows.net", "no", "by a private endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws := nt.Workspace("ws")
			if c.mode != "" {
				ws = nt.With(ws, set("managedNetwork.isolationMode", c.mode))
			}
			m, ok := topology(t, append([]any{ws}, c.rules...)...).ManagedNetwork(ws.ID)
			if !ok {
				t.Fatal("there is no managed network")
			}
			f := flow(t, c.flow)
			f.Host = c.host
			got := m.Reach(f)
			if got.Value.String() != c.want || !strings.Contains(got.Decisive().Reason, c.because) {
				t.Errorf("got %v, want %s because %s\n%s", got.Value, c.want, c.because, story(got))
			}
		})
	}
}

// A managed network makes endpoints to the services of its workspace by itself:
// to those that are closed, or to all where only what is approved is let out.
func TestManagedNetworkEndpoints(t *testing.T) {
	set := func(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }
	closed, unknown := set("publicNetworkAccess", "Disabled"), set("publicNetworkAccess", arm.Unknown{Expression: "var.access"})
	rule := outboundRule("data", set("type", "PrivateEndpoint"), set("destination.serviceResourceId", string(nt.StorageID("data"))), set("destination.subresourceTarget", "dfs"))
	for _, c := range []struct {
		name, mode string
		storage    []nt.Set
		target     string
		group      string
		want       string // "no", "yes" or why it is not certain
	}{
		{"no managed network", "Disabled", []nt.Set{closed}, "st", "blob", "no"},
		{"what is open needs none", "AllowInternetOutbound", nil, "st", "blob", "no"},
		{"what is closed does", "AllowInternetOutbound", []nt.Set{closed}, "st", "file", "yes"},
		{"closed perhaps", "AllowInternetOutbound", []nt.Set{unknown}, "st", "blob", "var.access"},
		{"only what is approved", "AllowOnlyApprovedOutbound", nil, "st", "blob", "yes"},
		{"queues are not among the required", "AllowOnlyApprovedOutbound", nil, "st", "queue", "no"},
		{"a rule of the user's", "AllowInternetOutbound", nil, "data", "dfs", "yes"},
		{"another sub-resource", "AllowInternetOutbound", nil, "data", "blob", "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws := nt.Workspace("ws", set("managedNetwork.isolationMode", c.mode), set("storageAccount", string(nt.StorageID("st"))))
			m, _ := topology(t, ws, rule, nt.Storage("st", c.storage...), nt.Storage("data")).ManagedNetwork(ws.ID)
			e, ok := m.Endpoint(nt.StorageID(c.target), c.group)
			got := "no"
			if ok {
				got = "yes"
			}
			if e.Doubt != "" {
				got = e.Doubt
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Rules may stand in the workspace's own document; a project has its hub's network;
// a mode that is not known leaves all of it open.
func TestManagedNetworkIsFound(t *testing.T) {
	set := func(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }
	hub := nt.Workspace("hub", set("managedNetwork.isolationMode", "AllowOnlyApprovedOutbound"),
		set("managedNetwork.outboundRules", arm.Object{"pypi": arm.Object{"type": "FQDN", "destination": "pypi.org", "category": "UserDefined"}}))
	project := nt.Workspace("project", set("hubResourceId", string(hub.ID)))
	open := nt.Workspace("open", set("managedNetwork.isolationMode", arm.Unknown{Expression: "var.mode"}))
	top := topology(t, hub, project, open)
	m, _ := top.ManagedNetwork(project.ID)
	if m.Mode != network.IsolationApproved || !m.Workspace.Equal(hub.ID) || len(m.Hosts) != 1 {
		t.Errorf("the project's network is %+v", m)
	}
	m, _ = top.ManagedNetwork(open.ID)
	if got := m.Reach(flow(t, "10.0.0.4 -> 192.0.2.10 tcp 443")); got.Value.String() != "unknown" {
		t.Errorf("a mode that is not known: %s", story(got))
	}
	if _, ok := top.ManagedNetwork(nt.WorkspaceID("none")); ok {
		t.Error("a workspace that is not there has a network")
	}
}
