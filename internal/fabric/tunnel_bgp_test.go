package fabric

import (
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/tunnel"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// behindSession are a hub with a VPN gateway that speaks BGP with an office, a spoke
// that uses the gateway, and a subnet that takes none of its routes. The office's own
// document has 192.168.7.0/24 alone; 10.60.0.0/16 is what the project declares besides.
func behindSession(t *testing.T) *network.Topology {
	t.Helper()
	e, err := nt.Estate(
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "GatewaySubnet", "10.1.255.0/27"), nt.Subnet("hub", "main", "10.1.0.0/24"),
		nt.Subnet("hub", "shut", "10.1.9.0/24", nt.UseTable("shut")), nt.With(nt.RouteTable("shut"), nt.Set{Path: "disableBgpRoutePropagation", Value: true}),
		nt.VNet("spoke", "10.2.0.0/16"), nt.Subnet("spoke", "main", "10.2.0.0/24"),
		nt.Peering("hub", "spoke", nt.Set{Path: "allowGatewayTransit", Value: true}), nt.Peering("spoke", "hub", nt.Set{Path: "useRemoteGateways", Value: true}),
		nt.VM("near", "hub", "main", "10.1.0.4"), nt.VM("far", "spoke", "main", "10.2.0.4"), nt.VM("shy", "hub", "shut", "10.1.9.4"),
		nt.Document(gatewayID, nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "enableBgp", Value: true}, nt.Set{Path: "bgpSettings.asn", Value: 65010},
			nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "GatewaySubnet", "")}}),
		nt.Document(officeID, nt.Set{Path: "localNetworkAddressSpace.addressPrefixes", Value: []string{"192.168.7.0/24"}},
			nt.Set{Path: "bgpSettings.asn", Value: 65030}, nt.Set{Path: "bgpSettings.bgpPeeringAddress", Value: "192.168.7.254"}),
		nt.Document(premisesID, nt.Set{Path: "localGateway", Value: "office"}, nt.Set{Path: "addressPrefixes", Value: []string{"10.60.0.0/16"}}),
		nt.Document(nt.ID("Microsoft.Network/connections", "to-office"), nt.Set{Path: "connectionType", Value: "IPsec"}, nt.Set{Path: "enableBgp", Value: true},
			nt.Set{Path: "virtualNetworkGateway1.id", Value: gatewayID}, nt.Set{Path: "localNetworkGateway2.id", Value: officeID}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return network.FromEstate(e)
}

// What is learned over a tunnel is open and in the effective routes, and nothing
// before; it is withdrawn with the session that taught it, and comes back with it.
func TestRoutesFollowTheSessionOverATunnel(t *testing.T) {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("this host has no TUN devices")
	}
	top := behindSession(t)
	var routes []netip.Prefix
	for _, r := range top.EffectiveRoutes(nt.SubnetID("spoke", "main")) {
		routes = append(routes, r.Prefix)
	}
	for _, want := range []string{"192.168.7.0/24", "10.60.0.0/16"} {
		if !slices.Contains(routes, prefix(want)) {
			t.Errorf("the effective routes of the spoke have no %s: %v", want, routes)
		}
	}
	var speakers Speakers
	plan := func() Plan { return CompileWith(top, Choices{Heard: speakers.Heard}) }
	f := build(t, plan())
	if err := f.ServeTunnels(t.Context(), keys{tunnel.Derive([]byte("shared"), "office")}); err != nil {
		t.Fatal(err)
	}
	office, near, far, shy := siteOf(t, f, officeID), namespaceOf(t, f, nt.NICID("nic-near")), namespaceOf(t, f, nt.NICID("nic-far")), namespaceOf(t, f, nt.NICID("nic-shy"))
	echo(t, f, near, "10.1.0.4:80")
	echo(t, f, far, "10.2.0.4:80")
	echo(t, f, shy, "10.1.9.4:80")
	echo(t, f, office, "192.168.7.2:80")
	echo(t, f, office, "10.60.0.2:80")
	for _, to := range []string{"192.168.7.2:80", "10.60.0.2:80"} {
		if got := connect(f, near, to); got == open {
			t.Errorf("%s is open before anything was learned", to)
		}
	}
	err := f.ServeBGP(t.Context(), &speakers, []string{"/proc/self/exe", speakerArg}, func() {
		if _, err := f.Apply(t.Context(), plan()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, f, "the hub sees what the office declares", near, "10.60.0.2:80", true)
	await(t, f, "and the office's own network", near, "192.168.7.2:80", true)
	for _, tt := range []struct{ name, from, to, want string }{
		{"the spoke sees the office", far, "10.60.0.2:80", "10.2.0.4 at 10.60.0.2"},
		{"the office sees the hub", office, "10.1.0.4:80", "192.168.7.2 at 10.1.0.4"},
		{"and the spoke", office, "10.2.0.4:80", "192.168.7.2 at 10.2.0.4"},
	} {
		if got := seenAs(t, f, tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	closedWays(t, f, map[string][2]string{
		"a subnet that takes no routes of gateways": {shy, "10.60.0.2:80"},
		"the office and that subnet":                {office, "10.1.9.4:80"},
		"the office and the internet":               {office, "198.51.100.1:443"},
	})
	for _, s := range f.Plan().Spaces {
		if s.Speaker == nil {
			continue
		}
		pid := speakers.PID(s.Name)
		if pid == 0 {
			t.Fatalf("%s has no speaker", s.Name)
		}
		checkPowerless(t, pid)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, f, "without the speaker of "+s.Name+" the routes are withdrawn", near, "10.60.0.2:80", false)
		await(t, f, "and come back with it", near, "10.60.0.2:80", true)
	}
}
