package floorplan

import (
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

func planOf(t testing.TB, parts ...any) *Plan {
	t.Helper()
	e, err := nt.Estate(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return Read(e, "test")
}

func TestPeeringStates(t *testing.T) {
	two := []arm.Resource{nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16")}
	closed := nt.Set{Path: "allowVirtualNetworkAccess", Value: false}
	for _, tt := range []struct {
		name  string
		parts []any
		want  PeeringState
		from  string
	}{
		{"both halves", []any{two, nt.Peer("a", "b")}, PeeringConnected, "a"},
		{"one half", []any{two, nt.Peering("b", "a")}, PeeringOneSided, "b"},
		{"one half lets nothing in", []any{two, nt.Peering("a", "b"), nt.Peering("b", "a", closed)}, PeeringNoAccess, "a"},
		{"the other network is elsewhere", []any{two, nt.Peering("a", "elsewhere")}, PeeringUnknown, "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := planOf(t, tt.parts...)
			if len(p.Peerings) != 1 {
				t.Fatalf("%d peerings, want 1", len(p.Peerings))
			}
			if got := p.Peerings[0]; got.State != tt.want || got.A.Name() != tt.from {
				t.Errorf("peering from %s is %s, want %s from %s", got.A.Name(), got.State, tt.want, tt.from)
			}
		})
	}
	t.Run("the room that is elsewhere is drawn", func(t *testing.T) {
		p := planOf(t, two, nt.Peering("a", "elsewhere"))
		if last := p.Rooms[len(p.Rooms)-1]; last.Name != "elsewhere" || !last.Outside {
			t.Errorf("last room is %+v", last)
		}
	})
}

func TestServiceAccess(t *testing.T) {
	set := func(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }
	for _, tt := range []struct {
		name string
		doc  arm.Resource
		want Access
	}{
		{"nothing said", nt.Storage("s"), AccessOpen},
		{"public access off", nt.Storage("s", set("publicNetworkAccess", "Disabled")), AccessClosed},
		{"denied by default", nt.Storage("s", set("networkAcls.defaultAction", "Deny")), AccessSelected},
		{"not known", nt.Storage("s", set("publicNetworkAccess", arm.Unknown{Expression: "var.public"})), AccessUnknown},
		{"a type that is not modelled, open", nt.Document(nt.ID("Microsoft.Purview/accounts", "s"), set("publicNetworkAccess", "Enabled")), AccessOpen},
		{"a type that is not modelled, silent", nt.Document(nt.ID("Microsoft.Purview/accounts", "s")), AccessUnknown},
		{"a Monitor private link scope", nt.Document(nt.ID(typeScope, "s")), AccessNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := planOf(t, tt.doc)
			if len(p.Services) != 1 || p.Services[0].Access != tt.want {
				t.Errorf("services %+v, want one that is %s", p.Services, tt.want)
			}
		})
	}
}

func TestTenants(t *testing.T) {
	subnet := nt.SubnetID("v", "s")
	p := planOf(t,
		nt.VNet("v", "10.0.0.0/16"), nt.Subnet("v", "s", "10.0.1.0/24", nt.UseNSG("g")), nt.NSG("g"),
		nt.VM("vm-10", "v", "s", ""), nt.VM("vm-2", "v", "s", ""), nt.Storage("st", nt.Set{Path: "networkAcls.virtualNetworkRules",
			Value: []arm.Object{{"id": string(subnet)}}}),
		nt.Endpoint("pe", "v", "s", nt.StorageID("st"), "blob"),
		nt.Cluster("ws", "cpu", "v", "s", 4, false), nt.Workspace("ws"),
		nt.Document(nt.WorkspaceID("ws").Child("computes", "managed"), nt.Set{Path: "computeType", Value: "AmlCompute"}),
		nt.Document(nt.ID("Microsoft.ContainerService/managedClusters", "aks"),
			nt.Set{Path: "agentPoolProfiles", Value: []arm.Object{{"vnetSubnetID": string(subnet)}, {"vnetSubnetID": string(subnet)}}}),
		nt.Document(nt.WorkspaceID("ws").Child("computes", "attached"), nt.Set{Path: "computeType", Value: "Kubernetes"},
			nt.Set{Path: "resourceId", Value: nt.ID("Microsoft.ContainerService/managedClusters", "aks")}),
		nt.Document(nt.ID("Microsoft.Network/bastionHosts", "bas"), nt.Set{Path: "ipConfigurations", Value: []arm.Object{
			nt.Config("v", "s", "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip")})}}),
	)
	var got []string
	for _, x := range p.Rooms[0].Subnets[0].Tenants {
		got = append(got, x.Kind+" "+x.Name)
	}
	want := []string{"AKS cluster aks", "Bastion bas", "compute cluster cpu", "virtual machine vm-2", "virtual machine vm-10", "private endpoint pe"}
	if !slices.Equal(got, want) {
		t.Errorf("tenants\n%q, want\n%q", got, want)
	}
	if a := p.Rooms[0].Subnets[0].Tenants[0].Attached; len(a) != 1 || a[0].Name() != "attached" {
		t.Errorf("the AKS cluster is attached as %q, want as one compute", a)
	}
	if len(p.Elsewhere) != 1 || p.Elsewhere[0].Name != "managed" {
		t.Errorf("elsewhere: %+v, want the compute without a subnet", p.Elsewhere)
	}
	if len(p.Ways) != 1 || p.Ways[0].To.Name() != "bas" || p.Ways[0].From != Internet {
		t.Errorf("ways: %+v, want one from the internet to bas", p.Ways)
	}
	if s := p.Rooms[0].Subnets[0]; s.NSG.Name() != "g" {
		t.Errorf("NSG of the subnet is %q", s.NSG)
	}
}

func TestZones(t *testing.T) {
	zone := nt.ID(service.TypePrivateDNSZone, "privatelink.blob.core.windows.net")
	pe := nt.Endpoint("pe", "v", "s", nt.StorageID("st"), "blob")
	p := planOf(t, nt.VNet("v", "10.0.0.0/16"), nt.Subnet("v", "s", "10.0.1.0/24"), nt.Storage("st"), pe, nt.Document(zone),
		nt.Document(zone.Child("virtualNetworkLinks", "l"), nt.Set{Path: "virtualNetwork.id", Value: nt.VNetID("v")}),
		nt.Document(zone.Child("A", "host")), nt.Document(zone.Child("SOA", "@")),
		nt.Document(pe.ID.Child("privateDnsZoneGroups", "default"), nt.Set{Path: "privateDnsZoneConfigs", Value: []arm.Object{
			{"properties": arm.Object{"privateDnsZoneId": string(zone)}}}}),
	)
	if len(p.Zones) != 1 {
		t.Fatalf("%d zones", len(p.Zones))
	}
	z := p.Zones[0]
	if len(z.Links) != 1 || !z.Links[0].Room.Equal(nt.VNetID("v")) || len(z.Endpoints) != 1 || z.Records != 1 {
		t.Errorf("zone %+v: want a link to v, the endpoint pe and one record set", z)
	}
}

func TestBeyondGateways(t *testing.T) {
	gateway := nt.ID(typeGateway, "vgw")
	site, circuit := nt.ID(typeSite, "office"), nt.ID(typeCircuit, "er")
	connect := func(name, end string, to arm.ID) arm.Resource {
		return nt.Document(nt.ID(typeConnection, name), nt.Set{Path: "virtualNetworkGateway1.id", Value: gateway}, nt.Set{Path: end, Value: to})
	}
	p := planOf(t, nt.VNet("v", "10.0.0.0/16"), nt.Subnet("v", "GatewaySubnet", "10.0.0.0/27"),
		nt.Document(gateway, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("v", "GatewaySubnet", "")}},
			nt.Set{Path: "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes", Value: []string{"172.16.0.0/24"}}),
		nt.Document(site, nt.Set{Path: "localNetworkAddressSpace.addressPrefixes", Value: []string{"192.168.0.0/16"}}),
		connect("c1", "localNetworkGateway2.id", site), connect("c2", "peer.id", circuit))
	var got []string
	for _, o := range p.Outside {
		got = append(got, o.Kind+" "+o.Name)
	}
	if want := []string{"site office", "ExpressRoute circuit er", "VPN clients VPN clients"}; !slices.Equal(got, want) {
		t.Errorf("outside: %q, want %q", got, want)
	}
	if len(p.Ways) != 3 {
		t.Errorf("%d ways to the gateway, want 3: %+v", len(p.Ways), p.Ways)
	}
}

// A virtual hub is a room, and its connections are peerings; a route server is a
// virtual hub without a prefix and stands in its subnet.
func TestVirtualHub(t *testing.T) {
	hub, server := nt.ID(typeHub, "hub"), nt.ID(typeHub, "rs")
	p := planOf(t, nt.VNet("v", "10.0.0.0/16"), nt.Subnet("v", "RouteServerSubnet", "10.0.0.0/27"),
		nt.Document(hub, nt.Set{Path: "addressPrefix", Value: "10.100.0.0/24"}),
		nt.Document(hub.Child("hubVirtualNetworkConnections", "c"), nt.Set{Path: "remoteVirtualNetwork.id", Value: nt.VNetID("v")}),
		nt.Document(server), nt.Document(server.Child("ipConfigurations", "ip"), nt.Set{Path: "subnet.id", Value: nt.SubnetID("v", "RouteServerSubnet")}))
	if len(p.Rooms) != 2 || len(p.Peerings) != 1 || !p.Peerings[0].A.Equal(hub) || p.Peerings[0].State != PeeringConnected {
		t.Errorf("rooms %d, peerings %+v: want a hub connected to v", len(p.Rooms), p.Peerings)
	}
	if at := p.tenants(); len(at) != 1 || !at[0].ID.Equal(server) || at[0].Kind != "route server" {
		t.Errorf("tenants %+v: want the route server", at)
	}
}

// A hub is read first, then its spokes; letters follow the reading.
func TestRoomsInReadingOrder(t *testing.T) {
	p := planOf(t, nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"), nt.VNet("hub", "10.0.0.0/16"), nt.VNet("alone", "10.9.0.0/16"),
		nt.Peer("hub", "a"), nt.Peer("hub", "b"))
	keys := map[string]string{}
	for _, r := range p.Rooms {
		keys[r.Name] = r.Key
	}
	if keys["hub"] != "A" || keys["a"] >= keys["b"] || len(keys) != 4 {
		t.Errorf("keys %v: want the hub as A and a before b", keys)
	}
}

func TestRoomKey(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA"} {
		if got := roomKey(i); got != want {
			t.Errorf("roomKey(%d) = %s, want %s", i, got, want)
		}
	}
}
