package fabric

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

var (
	circuitGateway = nt.ID("Microsoft.Network/virtualNetworkGateways", "er")
	circuitID      = nt.ID("Microsoft.Network/expressRouteCircuits", "circuit")
	premisesID     = arm.ID("/subscriptions/" + nt.Subscription + "/providers/Cloister.Premises/sites/hq")
)

// behindCircuit are a hub with an ExpressRoute gateway, a spoke that uses it and one
// that does not; on the premises 192.168.0.0/16 and 10.50.0.0/16. What the sets change
// is the circuit.
func behindCircuit(t *testing.T, sets ...nt.Set) *network.Topology {
	t.Helper()
	e, err := nt.Estate(
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "GatewaySubnet", "10.1.255.0/27"), nt.Subnet("hub", "main", "10.1.0.0/24"),
		nt.Subnet("hub", "shut", "10.1.9.0/24", nt.UseTable("shut")), nt.With(nt.RouteTable("shut"), nt.Set{Path: "disableBgpRoutePropagation", Value: true}),
		nt.VNet("spoke", "10.2.0.0/16"), nt.Subnet("spoke", "main", "10.2.0.0/24"),
		nt.VNet("apart", "10.3.0.0/16"), nt.Subnet("apart", "main", "10.3.0.0/24"),
		nt.Peering("hub", "spoke", nt.Set{Path: "allowGatewayTransit", Value: true}), nt.Peering("spoke", "hub", nt.Set{Path: "useRemoteGateways", Value: true}),
		nt.Peer("hub", "apart"),
		nt.VM("near", "hub", "main", "10.1.0.4"), nt.VM("far", "spoke", "main", "10.2.0.4"), nt.VM("alone", "apart", "main", "10.3.0.4"), nt.VM("shy", "hub", "shut", "10.1.9.4"),
		nt.Document(circuitGateway, nt.Set{Path: "gatewayType", Value: "ExpressRoute"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "GatewaySubnet", "")}}),
		nt.Document(circuitID, append([]nt.Set{{Path: "serviceProviderProvisioningState", Value: "Provisioned"}}, sets...)...),
		nt.Document(circuitID.Child("peerings", "AzurePrivatePeering"), nt.Set{Path: "peeringType", Value: "AzurePrivatePeering"}, nt.Set{Path: "peerASN", Value: 65020},
			nt.Set{Path: "primaryPeerAddressPrefix", Value: "172.31.0.0/30"}, nt.Set{Path: "secondaryPeerAddressPrefix", Value: "172.31.0.4/30"}),
		nt.Document(nt.ID("Microsoft.Network/connections", "to-circuit"), nt.Set{Path: "connectionType", Value: "ExpressRoute"},
			nt.Set{Path: "virtualNetworkGateway1.id", Value: circuitGateway}, nt.Set{Path: "peer.id", Value: circuitID}),
		nt.Document(premisesID, nt.Set{Path: "circuit", Value: "circuit"}, nt.Set{Path: "addressPrefixes", Value: []string{"192.168.0.0/16", "10.50.0.0/16"}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return network.FromEstate(e)
}

// circuitWays are who reaches whom, beside what is closed by whatever state.
type circuitWays struct{ premises, near, far, shy, alone string }

func waysOfCircuit(t *testing.T, f *Fabric) circuitWays {
	w := circuitWays{siteOf(t, f, premisesID), namespaceOf(t, f, nt.NICID("nic-near")), namespaceOf(t, f, nt.NICID("nic-far")),
		namespaceOf(t, f, nt.NICID("nic-shy")), namespaceOf(t, f, nt.NICID("nic-alone"))}
	echo(t, f, w.near, "10.1.0.4:80")
	echo(t, f, w.far, "10.2.0.4:80")
	echo(t, f, w.alone, "10.3.0.4:80")
	echo(t, f, w.shy, "10.1.9.4:80")
	echo(t, f, w.premises, "192.168.0.2:80")
	echo(t, f, w.premises, "10.50.0.2:80")
	return w
}

func TestCircuit(t *testing.T) {
	f := build(t, Compile(behindCircuit(t), nil))
	w := waysOfCircuit(t, f)
	for _, tt := range []struct{ name, from, to, want string }{
		{"the premises see the hub", w.premises, "10.1.0.4:80", "192.168.0.2 at 10.1.0.4"},
		{"and the spoke that uses the gateway", w.premises, "10.2.0.4:80", "192.168.0.2 at 10.2.0.4"},
		{"the hub sees the premises", w.near, "192.168.0.2:80", "10.1.0.4 at 192.168.0.2"},
		{"all of them", w.near, "10.50.0.2:80", "10.1.0.4 at 10.50.0.2"},
		{"the spoke sees them", w.far, "192.168.0.2:80", "10.2.0.4 at 192.168.0.2"},
	} {
		if got := seenAs(t, f, tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	closedWays(t, f, map[string][2]string{
		"the premises and a spoke that does not use the gateway": {w.premises, "10.3.0.4:80"},
		"that spoke and the premises":                            {w.alone, "192.168.0.2:80"},
		"a subnet that takes no routes of gateways":              {w.shy, "192.168.0.2:80"},
		"the premises and that subnet":                           {w.premises, "10.1.9.4:80"},
		"the premises and the internet":                          {w.premises, "198.51.100.1:443"},
	})
	if changes := apply(t, f, Compile(behindCircuit(t), nil)); len(changes) > 0 {
		t.Errorf("the same plan changes %v", changes)
	}
}

func closedWays(t *testing.T, f *Fabric, ways map[string][2]string) {
	t.Helper()
	for name, way := range ways {
		if got := connect(f, way[0], way[1]); got == open {
			t.Errorf("%s: open", name)
		}
	}
}

// A circuit that its provider has not provisioned carries nothing.
func TestCircuitThatIsNotProvisioned(t *testing.T) {
	p := Compile(behindCircuit(t, nt.Set{Path: "serviceProviderProvisioningState", Value: "NotProvisioned"}), nil)
	for _, s := range p.Spaces {
		if s.Role == RoleEdge || s.Role == RoleSite {
			t.Errorf("%s is built", s.Name)
		}
	}
}

// await waits until a way is as it should be.
func await(t *testing.T, f *Fabric, what, from, to string, want bool) {
	t.Helper()
	const long = 40 * time.Second
	for start := time.Now(); time.Since(start) < long; time.Sleep(50 * time.Millisecond) {
		if (connectWithin(f, time.Second, from, to) == open) == want {
			return
		}
	}
	t.Fatalf("%s: from %s to %s it is not so in %s", what, from, to, long)
}

// What speakers have learned is open and nothing else: before their sessions, and
// after one of them was killed, the network is closed; then it is whole again.
func TestRoutesFollowTheSessions(t *testing.T) {
	top := behindCircuit(t)
	var speakers Speakers
	plan := func() Plan { return CompileWith(top, Choices{Heard: speakers.Heard}) }
	f := build(t, plan())
	w := waysOfCircuit(t, f)
	if got := connect(f, w.near, "192.168.0.2:80"); got == open {
		t.Error("open before anything was learned")
	}
	err := f.ServeBGP(t.Context(), &speakers, []string{"/proc/self/exe", speakerArg}, func() {
		if _, err := f.Apply(t.Context(), plan()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	spaces := map[Role]string{}
	for _, s := range f.Plan().Spaces {
		if s.Speaker != nil {
			spaces[s.Role] = s.Name
		}
	}
	for _, role := range []Role{RoleMachine, RoleEdge, RoleSite} {
		await(t, f, "with all sessions the premises see the hub", w.premises, "10.1.0.4:80", true)
		await(t, f, "and the hub them", w.near, "192.168.0.2:80", true)
		if pid := speakers.PID(spaces[role]); pid == 0 {
			t.Fatalf("the %s has no speaker", role)
		} else {
			checkPowerless(t, pid)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		await(t, f, "without its speaker the "+string(role)+" has withdrawn the routes", w.near, "192.168.0.2:80", false)
	}
	await(t, f, "it is whole again", w.premises, "10.2.0.4:80", true)
}

// checkPowerless holds a speaker to its rights: nobody's, and the port.
func checkPowerless(t *testing.T, pid int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "CapEff:\t0000000000000400\n", "CapPrm:\t0000000000000400\n", "NoNewPrivs:\t1\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("a speaker's status has no line %q", line)
		}
	}
}
