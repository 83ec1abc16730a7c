package networktest

import (
	"fmt"
	"net/netip"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// ManagedID is the workspace of [RandomManaged] whose computes have no subnet.
var ManagedID = WorkspaceID("ws")

// RandomManaged is a random workspace with a managed network, or with one of its hub,
// or with none.
func RandomManaged(t *rapid.T) *arm.Estate {
	g := &generator{t: t}
	mode := pick(g, "isolation mode", "", "Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound", "AllowOnlyApprovedOutbound", "AllowOnlyApprovedOutbound")
	owner := ManagedID
	if g.chance(30, "of a hub") {
		owner = WorkspaceID("hub")
		g.add(Document(ManagedID, Set{"hubResourceId", owner}))
	}
	ws := Document(owner, Set{"storageAccount", StorageID("st")})
	if mode != "" {
		ws = With(ws, Set{"managedNetwork.isolationMode", mode})
	}
	g.add(Storage("st", Set{"publicNetworkAccess", pick(g, "storage", "Enabled", "Disabled")}))
	inline := arm.Object{}
	for i := range rapid.IntRange(0, 5).Draw(t, "outbound rules") {
		name, rule := fmt.Sprint("rule", i), g.outboundRule()
		if g.chance(30, "within the workspace") {
			inline[name] = rule
			continue
		}
		doc := Document(owner.Child("outboundRules", name))
		doc.Properties = rule
		g.add(doc)
	}
	if len(inline) > 0 {
		ws = With(ws, Set{"managedNetwork.outboundRules", inline})
	}
	g.add(ws)
	e, err := arm.NewEstate(g.docs...)
	if err != nil {
		t.Fatalf("networktest made a workspace that does not hold together: %v", err)
	}
	return e
}

func (g *generator) outboundRule() arm.Object {
	switch pick(g, "outbound rule", "FQDN", "ServiceTag", "ServiceTag", "ServiceTag", "PrivateEndpoint") {
	case "FQDN":
		return arm.Object{"type": "FQDN", "destination": pick(g, "host", "pypi.org", "*.pypi.org", "*.core.windows.net")}
	case "PrivateEndpoint":
		return arm.Object{"type": "PrivateEndpoint", "destination": arm.Object{"serviceResourceId": string(StorageID("st")), "subresourceTarget": pick(g, "group", "blob", "dfs")}}
	}
	to := arm.Object{"serviceTag": pick(g, "tag", "Storage", "AzureActiveDirectory", "AzureUnlisted"), "protocol": pick(g, "protocol", "TCP", "UDP", "ICMP", "*"),
		"portRanges": pick(g, "ports", "*", "443", "80,443", "1000-9000, 22")}
	if g.chance(25, "prefixes") {
		to["addressPrefixes"] = []any{pick(g, "prefix", "192.0.2.0/24", "198.51.100.0/25")}
	}
	if action := pick(g, "action", "", "Allow", "Deny"); action != "" {
		to["action"] = action
	}
	return arm.Object{"type": "ServiceTag", "destination": to}
}

// ManagedFlow is a random flow of a compute in a managed network.
func ManagedFlow(t *rapid.T) network.Flow {
	f := network.Flow{
		Destination: rapid.SampledFrom([]netip.Addr{service.Outsider, netip.MustParseAddr("198.51.100.100"), netip.MustParseAddr("198.51.100.1"),
			netip.MustParseAddr("198.51.100.70"), netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("10.1.0.4"), service.Outsider6}).Draw(t, "destination"),
		Protocol: rapid.SampledFrom([]network.Protocol{network.TCP, network.TCP, network.UDP, network.ICMP}).Draw(t, "protocol"),
		Host:     rapid.SampledFrom([]string{"", "pypi.org", "files.pypi.org", "st.blob.core.windows.net"}).Draw(t, "host"),
	}
	if f.Protocol != network.ICMP {
		f.Port = rapid.SampledFrom([]uint16{22, 80, 443, 5831, 8787}).Draw(t, "port")
	}
	return f
}
