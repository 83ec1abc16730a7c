package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

// a client network peered with one that holds the private endpoint of a storage
// account; the endpoint's subnet denies everything inbound.
func endpointEstate(policies string, more ...any) []any {
	return append([]any{
		nt.VNet("client", "10.1.0.0/16"), nt.Subnet("client", "s", "10.1.0.0/24", nt.UseTable("rt")), nt.VM("one", "client", "s", "10.1.0.4"),
		nt.VNet("data", "10.2.0.0/16"), nt.Peer("client", "data"),
		nt.Subnet("data", "pe", "10.2.0.0/24", nt.UseNSG("closed"), nt.Set{Path: "privateEndpointNetworkPolicies", Value: policies}),
		nt.VM("neighbour", "data", "pe", "10.2.0.9"),
		nt.NSG("closed", nt.Rule("deny", "100 Inbound Deny * *:* -> *:*")), nt.Storage("st"),
	}, more...)
}

func TestPrivateEndpoints(t *testing.T) {
	approved := nt.Endpoint("pe-st", "data", "pe", nt.StorageID("st"), "blob")
	pending := nt.With(approved, nt.Set{Path: "privateLinkServiceConnections", Value: []arm.Object{nt.Connection(nt.StorageID("st"), "blob", "Pending")}})
	manual := nt.With(approved, nt.Set{Path: "privateLinkServiceConnections", Value: nil},
		nt.Set{Path: "manualPrivateLinkServiceConnections", Value: []arm.Object{{"name": "m", "properties": arm.Object{"privateLinkServiceId": string(nt.StorageID("st")), "groupIds": []any{"blob"}}}}})
	noRoutes := nt.RouteTable("rt")
	tests := []struct {
		name     string
		policies string
		endpoint arm.Resource
		table    arm.Resource
		question
	}{
		{"groups do not filter endpoints", "Disabled", approved, noRoutes, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", "its connection to st (blob) is approved"}},
		{"but other machines in the subnet", "Disabled", approved, noRoutes, question{"10.1.0.4 -> 10.2.0.9 tcp 443", "no", "rule deny"}},
		{"unless the policies say so", "NetworkSecurityGroupEnabled", approved, noRoutes, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "NSG closed (subnet pe, inbound)"}},
		{"route tables only", "RouteTableEnabled", approved, noRoutes, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", "approved"}},
		{"a pending connection", "Disabled", pending, noRoutes, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "its connection to st is not approved"}},
		{"a manual connection waits", "Disabled", manual, noRoutes, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "its connection to st is not approved"}},
		{"an endpoint starts nothing", "Disabled", approved, noRoutes, question{"10.2.0.4 -> 10.1.0.4 tcp 443", "no", "accepts connections and starts none"}},
		{"a route loses to the /32", "Disabled", approved, nt.RouteTable("rt", nt.Route("drop", "10.2.0.0/24", "None")), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}},
		{"an equal /32 wins", "Disabled", approved, nt.RouteTable("rt", nt.Route("drop", "10.2.0.4/32", "None")), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "drops the packets"}},
		{"with route policies the network's prefix wins", "Enabled", approved, nt.RouteTable("rt", nt.Route("drop", "10.2.0.0/16", "None")), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "drops the packets"}},
		{"but never 0.0.0.0/0", "RouteTableEnabled", approved, nt.RouteTable("rt", nt.Route("drop", "0.0.0.0/0", "None")), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			ask(t, topology(t, endpointEstate(c.policies, c.endpoint, c.table)...), c.question)
		})
	}
}

func TestEndpointMembers(t *testing.T) {
	registry := nt.Document(nt.ID(service.TypeRegistry, "acr"))
	static := nt.Set{Path: "ipConfigurations", Value: []arm.Object{{"name": "n", "properties": arm.Object{"memberName": "notebook", "privateIPAddress": "10.1.0.50"}}}}
	recorded := nt.Endpoint("pe-vault", "a", "pe", nt.ID(service.TypeKeyVault, "kv"), "vault", nt.Set{Path: "networkInterfaces", Value: []arm.Object{{"id": string(nt.NICID("pe-nic"))}}})
	nic := nt.Document(nt.NICID("pe-nic"), nt.Set{Path: "ipConfigurations", Value: []arm.Object{
		nt.Config("a", "pe", "10.1.0.60", nt.Set{Path: "privateLinkConnectionProperties.requiredMemberName", Value: "default"})}})
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "pe", "10.1.0.0/24"), nt.Workspace("ws"), registry, nic, recorded,
		nt.Endpoint("pe-acr", "a", "pe", registry.ID, "registry"), nt.Endpoint("pe-ws", "a", "pe", nt.WorkspaceID("ws"), "amlworkspace", static),
		nt.Endpoint("pe-out", "a", "pe", nt.StorageID("outside"), "dfs"))
	noProblems(t, top)
	for _, want := range []struct {
		endpoint, member, addr string
	}{
		{"pe-acr", "registry", "10.1.0.4"}, {"pe-acr", "registry_data_westeurope", "10.1.0.5"},
		{"pe-out", "dfs", "10.1.0.6"},
		{"pe-ws", "default", "10.1.0.7"}, {"pe-ws", "notebook", "10.1.0.50"}, {"pe-ws", "inference", "10.1.0.8"},
		{"pe-vault", "default", "10.1.0.60"},
	} {
		if got := top.MemberAddr(nt.EndpointID(want.endpoint), want.member); got.String() != want.addr {
			t.Errorf("%s %s is at %s, want %s", want.endpoint, want.member, got, want.addr)
		}
	}
	if _, ok := top.NIC(nt.NICID("pe-nic")); ok {
		t.Error("an endpoint's own network interface is modelled beside it")
	}
	if top.MemberAddr(nt.EndpointID("pe-ws"), "nothing").IsValid() {
		t.Error("a member that is not there has an address")
	}
}

// What the control plane has recorded beside an endpoint's host names is kept
// when an endpoint with a lower id joins the subnet.
func TestRecordedAddressesStay(t *testing.T) {
	guid := service.WorkspaceGUID(nt.WorkspaceID("ws"))
	var configs []arm.Object
	for fqdn, a := range map[string]string{
		guid + ".workspace.westeurope.api.azureml.ms":                                "10.1.0.4",
		"ml-ws-westeurope-" + guid + ".westeurope.notebooks.azure.net":               "10.1.0.5",
		"*." + guid + ".inference.westeurope.api.azureml.ms":                         "10.1.0.6",
		"*.00000000-0000-0000-0000-000000000000.inference.westeurope.api.azureml.ms": "10.1.0.7",
	} {
		configs = append(configs, arm.Object{"fqdn": fqdn, "ipAddresses": []any{a}})
	}
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "pe", "10.1.0.0/24"), nt.Workspace("ws"), nt.Storage("st"),
		nt.Endpoint("pe-ws", "a", "pe", nt.WorkspaceID("ws"), "amlworkspace", nt.Set{Path: "customDnsConfigs", Value: configs}),
		nt.Endpoint("pe-a", "a", "pe", nt.StorageID("st"), "blob"))
	noProblems(t, top)
	for _, want := range []struct{ endpoint, member, addr string }{
		{"pe-ws", "default", "10.1.0.4"}, {"pe-ws", "notebook", "10.1.0.5"}, {"pe-ws", "inference", "10.1.0.6"}, {"pe-a", "blob", "10.1.0.7"},
	} {
		if got := top.MemberAddr(nt.EndpointID(want.endpoint), want.member); got.String() != want.addr {
			t.Errorf("%s %s is at %s, want %s", want.endpoint, want.member, got, want.addr)
		}
	}
}

// Of a network interface that is no private endpoint's the member is "".
func TestFirstAddressOfAMachine(t *testing.T) {
	hidden := nt.VM("hidden", "a", "s", "")
	hidden[0] = nt.With(hidden[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{
		nt.Config("a", "s", "", nt.Set{Path: "privateIPAddress", Value: arm.Unknown{Expression: "var.ip"}}), nt.Config("a", "s", "10.1.0.9")}})
	two := nt.VM("two", "a", "s", "")
	two[0] = nt.With(two[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "10.1.0.8"), nt.Config("a", "s", "10.1.0.7")}})
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), hidden, two, nt.VM("one", "a", "s", ""), nt.Storage("st"),
		nt.Endpoint("pe", "a", "s", nt.StorageID("st"), "blob"), nt.Workspace("ws"), nt.Cluster("ws", "cpu", "a", "s", 1, false))
	for _, c := range []struct {
		id           arm.ID
		member, want string
	}{
		{nt.NICID("nic-one"), "", "10.1.0.4"},
		{nt.NICID("nic-two"), "", "10.1.0.8"},
		{nt.WorkspaceID("ws").Child("computes", "cpu") + "/nodes/0", "", "10.1.0.6"},
		{nt.NICID("nic-one"), "blob", "invalid IP"},
		{nt.NICID("nic-hidden"), "", "invalid IP"},
		{nt.NICID("nobody"), "", "invalid IP"},
		{nt.EndpointID("pe"), "", "invalid IP"},
		{nt.EndpointID("pe"), "blob", "10.1.0.5"},
	} {
		if got := top.MemberAddr(c.id, c.member); got.String() != c.want {
			t.Errorf("%s %q is at %s, want %s", c.id.Name(), c.member, got, c.want)
		}
	}
}

// A public address belongs to one of a machine's addresses, not to its first.
func TestPublicAddressOfASecondConfiguration(t *testing.T) {
	vm := nt.VM("vm", "a", "s", "")
	vm[0] = nt.With(vm[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{
		nt.Config("a", "s", "10.1.0.4"), nt.Config("a", "s", "10.1.0.5", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip")})}})
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseNSG("nsg")), vm, nt.PublicIP("pip", "Standard"),
		nt.NSG("nsg", nt.Rule("web", "100 Inbound Allow Tcp Internet:* -> 10.1.0.5:443"), nt.Rule("ssh", "110 Inbound Allow Tcp Internet:* -> 10.1.0.4:22")))
	n, _ := top.NIC(nt.NICID("nic-vm"))
	if n.PublicTo.String() != "10.1.0.5" {
		t.Errorf("%s leads to %s", n.PublicAddr, n.PublicTo)
	}
	to := "192.0.2.10 -> " + n.PublicAddr.String()
	ask(t, top, question{to + " tcp 443", "yes", "rule web"}, question{to + " tcp 22", "no", "DenyAllInBound"})
}

func TestAllocation(t *testing.T) {
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/28"),
		nt.VM("b", "a", "s", ""), nt.VM("a", "a", "s", ""), nt.VM("fixed", "a", "s", "10.1.0.4"), nt.VM("out", "a", "s", "10.9.0.4"),
		nt.VM("kept", "a", "s", "10.1.0.3"), nt.VM("again", "a", "s", "10.1.0.4"),
		nt.Workspace("ws"), nt.Cluster("ws", "cpu", "a", "s", 20, false))
	for name, want := range map[string]string{"nic-fixed": "[]", "nic-again": "[10.1.0.4]", "nic-a": "[10.1.0.5]", "nic-b": "[10.1.0.6]", "nic-out": "[]", "nic-kept": "[]"} {
		n, ok := top.NIC(nt.NICID(name))
		if got := fmt.Sprint(n.Addrs); !ok || got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
	first, _ := top.NIC(nt.WorkspaceID("ws").Child("computes", "cpu") + "/nodes/0")
	if fmt.Sprint(first.Addrs) != "[10.1.0.7]" || first.Name != "cpu-0" || first.Kind != network.KindCompute {
		t.Errorf("the first node is %+v", first)
	}
	if _, ok := top.NIC(nt.WorkspaceID("ws").Child("computes", "cpu") + "/nodes/8"); ok {
		t.Error("a node has an address beyond the subnet")
	}
	hasProblem(t, top.Problems, "10.9.0.4 of out is outside subnet s (10.1.0.0/28)")
	hasProblem(t, top.Problems, "10.1.0.3 of kept is one of the five that Azure keeps")
	hasProblem(t, top.Problems, "10.1.0.4 of fixed is taken by again")
	hasProblem(t, top.Problems, "no free address for cpu-8; use a larger subnet")
}

func TestWaysOut(t *testing.T) {
	pip := nt.VM("own", "a", "plain", "")
	pip[0] = nt.With(pip[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "plain", "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip")})}})
	private := nt.Set{Path: "defaultOutboundAccess", Value: false}
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"),
		nt.Subnet("a", "plain", "10.1.0.0/24"), nt.Subnet("a", "nat", "10.1.1.0/24", nt.UseNAT("nat"), private), nt.Subnet("a", "closed", "10.1.2.0/24", private),
		nt.Subnet("b", "plain", "10.2.0.0/24"),
		nt.PublicIP("pip", "Standard"), nt.PublicIP("pip-nat", "Standard"),
		nt.Document(nt.NATID("nat"), nt.Set{Path: "publicIpAddresses", Value: []arm.Object{{"id": string(nt.PublicIPID("pip-nat"))}}}),
		pip, nt.VM("default", "a", "plain", ""), nt.VM("default-b", "b", "plain", ""), nt.VM("nat", "a", "nat", ""), nt.VM("closed", "a", "closed", ""),
		nt.Workspace("ws"), nt.Cluster("ws", "open", "a", "plain", 1, true), nt.Cluster("ws", "shut", "a", "plain", 1, false), nt.Cluster("ws", "sealed", "a", "closed", 1, false), nt.Cluster("ws", "natted", "a", "nat", 1, false))
	noProblems(t, top)
	node := func(c string) arm.ID { return nt.WorkspaceID("ws").Child("computes", c) + "/nodes/0" }
	seen := map[netip.Addr]string{}
	for _, c := range []struct {
		nic           arm.ID
		want, because string
		shared        bool
	}{
		{nt.NICID("nic-own"), "yes", "its own public IP address", false},
		{nt.NICID("nic-default"), "yes", "by default outbound access of subnet plain", false},
		{nt.NICID("nic-default-b"), "yes", "by default outbound access of subnet plain", false},
		{nt.NICID("nic-nat"), "yes", "through NAT gateway nat", false},
		{nt.NICID("nic-closed"), "no", "defaultOutboundAccess is false", false},
		{node("open"), "yes", "the public address of the nodes of open", false},
		{node("shut"), "unknown", "nodes of shut have no public IP address", false},
		{node("sealed"), "no", "nodes of sealed have no public IP address", false},
		{node("natted"), "yes", "through NAT gateway nat", true},
	} {
		a, v := top.EgressAddr(c.nic)
		if v.Value.String() != c.want || !containsText(v.Decisive().Reason, c.because) || a.IsValid() != (c.want == "yes") {
			t.Errorf("%s: %v %s (%s), want %s because %s", c.nic.Name(), v.Value, v.Decisive().Reason, a, c.want, c.because)
		}
		if other, ok := seen[a]; ok && a.IsValid() && !c.shared {
			t.Errorf("%s and %s share %s", other, c.nic, a)
		}
		if a.IsValid() && !service.Customer.Contains(a) {
			t.Errorf("%s is outside %s", a, service.Customer)
		}
		seen[a] = string(c.nic)
	}
}

func TestNATGoesBeforeOwnPublicAddress(t *testing.T) {
	vm := nt.VM("both", "a", "s", "")
	vm[0] = nt.With(vm[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("own")})}})
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseNAT("nat")), vm, nt.PublicIP("own", "Basic"), nt.PublicIP("pip-nat", "Standard"),
		nt.Document(nt.NATID("nat"), nt.Set{Path: "publicIpAddresses", Value: []arm.Object{{"id": string(nt.PublicIPID("pip-nat"))}}}))
	if a, _ := top.EgressAddr(nt.NICID("nic-both")); a != top.PublicIP(nt.PublicIPID("pip-nat")) {
		t.Errorf("leaves as %s", a)
	}
	ask(t, top, question{"192.0.2.10 -> " + top.PublicIP(nt.PublicIPID("own")).String() + " tcp 443", "yes", ""})
}

func TestServiceEndpoints(t *testing.T) {
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.VM("one", "a", "s", "10.1.0.4"),
		nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt"), nt.Set{Path: "serviceEndpoints", Value: []arm.Object{{"service": "Microsoft.Storage"}}}),
		nt.RouteTable("rt", nt.Route("drop", "0.0.0.0/0", "None")))
	ask(t, top,
		question{"10.1.0.4 -> 198.51.100.100 tcp 443", "yes", ""},
		question{"10.1.0.4 -> 198.51.100.9 tcp 443", "no", "drops the packets"})
}

func TestPublicAddressesAreStable(t *testing.T) {
	recorded := nt.With(nt.PublicIP("b", "Standard"), nt.Set{Path: "ipAddress", Value: "203.0.113.1"})
	before := topology(t, recorded, nt.PublicIP("c", "Standard"))
	after := topology(t, nt.PublicIP("a", "Standard"), recorded)
	if x, y := before.PublicIP(recorded.ID), after.PublicIP(recorded.ID); x != y || x.String() != "203.0.113.1" {
		t.Errorf("a recorded address moved from %s to %s", x, y)
	}
	if after.PublicIP(nt.PublicIPID("a")) == after.PublicIP(recorded.ID) {
		t.Error("two public addresses are one")
	}
}

func TestFromTheInternet(t *testing.T) {
	public := func(name, subnet, pip string) []arm.Resource {
		docs := nt.VM(name, "a", subnet, "")
		docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", subnet, "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID(pip)})}})
		return docs
	}
	top := topology(t, nt.VNet("a", "10.1.0.0/16"),
		nt.Subnet("a", "jump", "10.1.0.0/24", nt.UseNSG("ssh")), nt.Subnet("a", "bare", "10.1.1.0/24"), nt.Subnet("a", "fw", "10.1.2.0/24", nt.UseTable("rt"), nt.UseNSG("ssh")),
		nt.NSG("ssh", nt.Rule("ssh", "100 Inbound Allow Tcp Internet:* -> *:22")), nt.RouteTable("rt", nt.Route("fw", "0.0.0.0/0", "10.1.0.99")),
		public("jump", "jump", "p1"), nt.PublicIP("p1", "Standard"), public("bare", "bare", "p2"), nt.PublicIP("p2", "Standard"),
		public("basic", "bare", "p3"), nt.PublicIP("p3", "Basic"), public("routed", "fw", "p4"), nt.PublicIP("p4", "Standard"), nt.PublicIP("p5", "Standard"),
		nt.Workspace("ws"), nt.Cluster("ws", "cpu", "a", "bare", 1, true))
	to := func(name string) string { return "192.0.2.10 -> " + top.PublicIP(nt.PublicIPID(name)).String() }
	cluster := top.PublicIP(nt.WorkspaceID("ws").Child("computes", "cpu")).String()
	ask(t, top,
		question{to("p1") + " tcp 22", "yes", "rule ssh (priority 100) allows TCP 22 from 192.0.2.10 (Internet) to 10.1.0.4"},
		question{to("p1") + " tcp 443", "no", "DenyAllInBound"},
		question{to("p2") + " tcp 22", "no", "Standard public IP address p2"},
		question{to("p3") + " tcp 22", "yes", "everything passes"},
		question{to("p4") + " tcp 22", "no", "instead of the public address, and are lost"},
		question{to("p5") + " tcp 22", "no", "no network interface has it"},
		question{"192.0.2.10 -> 10.1.0.4 tcp 22", "no", "the internet has no route to it"},
		question{"192.0.2.10 -> 203.0.113.250 tcp 22", "no", "no resource of the estate has"},
		question{"192.0.2.10 -> 198.51.100.100 tcp 443", "yes", "a public address of an Azure service"},
		question{"192.0.2.10 -> " + cluster + " tcp 22", "no", "Azure Machine Learning lets in TCP 44224"},
		question{"198.51.100.66 -> " + cluster + " tcp 44224", "yes", ""},
		question{"10.1.1.4 -> " + top.PublicIP(nt.PublicIPID("p1")).String() + " tcp 22", "yes", "rule ssh"},
	)
}
