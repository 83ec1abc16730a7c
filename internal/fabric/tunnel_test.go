package fabric

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/tunnel"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

var (
	gatewayID = nt.ID("Microsoft.Network/virtualNetworkGateways", "gw")
	officeID  = nt.ID("Microsoft.Network/localNetworkGateways", "office")
)

// behindGateway are a hub with a gateway, its clients and an office behind it; a
// spoke that uses the gateway, one that does not, and a machine in each. What the
// set changes is the hub's security group.
func behindGateway(t *testing.T, rules ...arm.Object) Plan {
	t.Helper()
	e, err := nt.Estate(
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "GatewaySubnet", "10.1.255.0/27"), nt.Subnet("hub", "main", "10.1.0.0/24", nt.UseNSG("guard")),
		nt.VNet("spoke", "10.2.0.0/16"), nt.Subnet("spoke", "main", "10.2.0.0/24"),
		nt.VNet("apart", "10.3.0.0/16"), nt.Subnet("apart", "main", "10.3.0.0/24"),
		nt.Peering("hub", "spoke", nt.Set{Path: "allowGatewayTransit", Value: true}), nt.Peering("spoke", "hub", nt.Set{Path: "useRemoteGateways", Value: true}),
		nt.Peer("hub", "apart"), nt.NSG("guard", rules...),
		nt.VM("near", "hub", "main", "10.1.0.4"), nt.VM("far", "spoke", "main", "10.2.0.4"), nt.VM("alone", "apart", "main", "10.3.0.4"),
		nt.Endpoint("pe", "hub", "main", nt.StorageID("st"), "blob"), nt.Storage("st"),
		nt.Document(gatewayID, nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "GatewaySubnet", "")}},
			nt.Set{Path: "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes", Value: []string{"172.16.0.0/24"}}),
		nt.Document(officeID, nt.Set{Path: "localNetworkAddressSpace.addressPrefixes", Value: []string{"192.168.7.0/24"}}),
		nt.Document(nt.ID("Microsoft.Network/connections", "to-office"), nt.Set{Path: "connectionType", Value: "IPsec"},
			nt.Set{Path: "virtualNetworkGateway1.id", Value: gatewayID}, nt.Set{Path: "localNetworkGateway2.id", Value: officeID}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return Compile(network.FromEstate(e), nil)
}

// keys are a test's secrets; wrong makes the office hold another shared key than
// the gateway.
type keys struct{ shared tunnel.Key }

func (k keys) Private(space string) tunnel.Key               { return tunnel.Derive([]byte("test"), space) }
func (k keys) Shared(_, _ arm.ID) tunnel.Key                 { return k.shared }
func (k keys) Guests(arm.ID) ([]tunnel.Peer, netip.AddrPort) { return nil, netip.AddrPort{} }

func siteOf(t *testing.T, f *Fabric, id arm.ID) string {
	t.Helper()
	name, ok := f.SiteNamespace(id)
	if !ok {
		t.Fatalf("%s has no namespace", id)
	}
	return name
}

// tunnelPatience is enough for the first handshake of both tunnels, also where one
// is lost: it is tried again after five seconds.
const tunnelPatience = 12 * time.Second

func TestTunnels(t *testing.T) {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("this host has no TUN devices")
	}
	f := build(t, behindGateway(t))
	if err := f.ServeTunnels(t.Context(), keys{tunnel.Derive([]byte("shared"), "office")}); err != nil {
		t.Fatal(err)
	}
	client, office := siteOf(t, f, gatewayID), siteOf(t, f, officeID)
	near, far, alone := namespaceOf(t, f, nt.NICID("nic-near")), namespaceOf(t, f, nt.NICID("nic-far")), namespaceOf(t, f, nt.NICID("nic-alone"))
	endpoint := namespaceOf(t, f, nt.EndpointID("pe"))
	echo(t, f, near, "10.1.0.4:80")
	echo(t, f, far, "10.2.0.4:80")
	echo(t, f, alone, "10.3.0.4:80")
	echo(t, f, office, "192.168.7.2:80")
	echo(t, f, endpoint, "0.0.0.0:443")
	for _, from := range []string{client, office} { // their first packets wait for the handshake
		if got := connectWithin(f, tunnelPatience, from, "10.1.0.4:80"); got != open {
			t.Fatalf("from %s the hub is %s", from, got)
		}
	}
	tests := []struct{ name, from, to, want string }{
		{"a client sees the hub, by its address of the pool", client, "10.1.0.4:80", "172.16.0.2 at 10.1.0.4"},
		{"and the spoke that uses the gateway", client, "10.2.0.4:80", "172.16.0.2 at 10.2.0.4"},
		{"the office sees the hub", office, "10.1.0.4:80", "192.168.7.2 at 10.1.0.4"},
		{"and a private endpoint", office, "10.1.0.5:443", "192.168.7.2 at 10.1.0.5"},
		{"the hub sees the office", near, "192.168.7.2:80", "10.1.0.4 at 192.168.7.2"},
		{"the spoke sees the office", far, "192.168.7.2:80", "10.2.0.4 at 192.168.7.2"},
	}
	for _, tt := range tests {
		if got := seenAs(t, f, tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for name, way := range map[string][2]string{
		"a client and a spoke that does not use the gateway": {client, "10.3.0.4:80"},
		"that spoke and the office":                          {alone, "192.168.7.2:80"},
		"a client and the internet":                          {client, "198.51.100.1:443"},
	} {
		if got := connect(f, way[0], way[1]); got == open {
			t.Errorf("%s: open", name)
		}
	}
	apply(t, f, behindGateway(t, nt.Rule("no-office", "100 Inbound Deny * 192.168.7.0/24:* -> *:*")))
	if got := connect(f, office, "10.1.0.4:80"); got != silent {
		t.Errorf("with a rule against it, the office is %s", got)
	}
	if got := connect(f, client, "10.1.0.4:80"); got != open {
		t.Errorf("the rule is not for clients, and they are %s", got)
	}
}

// guests lets one client in, at an address of this host.
type guests struct {
	keys
	client tunnel.Key
	at     netip.AddrPort
}

func (g guests) Guests(arm.ID) ([]tunnel.Peer, netip.AddrPort) {
	return []tunnel.Peer{{Public: g.client.Public(), Allowed: []netip.Prefix{prefix("172.16.0.3/32")}}}, g.at
}

// A client with a profile comes in by this host, and only with its own address.
func TestClientsOfThisHost(t *testing.T) {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("this host has no TUN devices")
	}
	f := build(t, behindGateway(t))
	probe, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := probe.LocalAddr().(*net.UDPAddr).AddrPort()
	probe.Close()
	secrets := guests{client: tunnel.Derive([]byte("laptop"), ""), at: at}
	if err := f.ServeTunnels(t.Context(), secrets); err != nil {
		t.Fatal(err)
	}
	echo(t, f, namespaceOf(t, f, nt.NICID("nic-near")), "10.1.0.4:80")
	var gateway tunnel.Key
	for _, s := range f.Sites() {
		gateway = secrets.Private(s.Tunnel.Peers[0].Space).Public()
	}
	// The laptop is the outsider's namespace, and its encrypted packets this host's.
	for address, want := range map[string]string{"172.16.0.3": "172.16.0.3 at 10.1.0.4", "172.16.0.9": ""} {
		laptop, err := tunnel.Open(tunnel.Config{
			Device: "laptop", Private: secrets.client, Addrs: []netip.Addr{addr(address)}, Keepalive: true, Log: slog.New(slog.DiscardHandler),
			Peers:   []tunnel.Peer{{Public: gateway, Endpoint: at, Allowed: []netip.Prefix{prefix("10.1.0.0/16")}}},
			Within:  func(fn func() error) error { return f.Within(f.OutsiderNamespace(), fn) },
			Sockets: []func() (net.PacketConn, error){func() (net.PacketConn, error) { return net.ListenPacket("udp4", "127.0.0.1:0") }},
		})
		if err != nil {
			t.Fatal(err)
		}
		if want != "" && connectWithin(f, tunnelPatience, f.OutsiderNamespace(), "10.1.0.4:80") == open {
			if got := seenAs(t, f, f.OutsiderNamespace(), "10.1.0.4:80"); got != want {
				t.Errorf("the machine sees %q, want %q", got, want)
			}
		} else if want != "" {
			t.Error("a client with a profile does not get in")
		} else if got := connectWithin(f, time.Second, f.OutsiderNamespace(), "10.1.0.4:80"); got != silent {
			t.Errorf("with an address that is not its own, it is %s", got)
		}
		laptop.Close()
	}
}

// halves gives each end its own idea of the shared key.
type halves struct {
	keys
	calls *int
}

func (h halves) Shared(arm.ID, arm.ID) tunnel.Key {
	*h.calls++
	return tunnel.Derive([]byte{byte(*h.calls)}, "differs")
}

func TestTunnelsNeedTheSharedKey(t *testing.T) {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("this host has no TUN devices")
	}
	f := build(t, behindGateway(t))
	if err := f.ServeTunnels(t.Context(), halves{calls: new(int)}); err != nil {
		t.Fatal(err)
	}
	echo(t, f, namespaceOf(t, f, nt.NICID("nic-near")), "10.1.0.4:80")
	if got := connectWithin(f, 2*time.Second, siteOf(t, f, officeID), "10.1.0.4:80"); got != silent {
		t.Errorf("with another shared key, the hub is %s", got)
	}
}
