package fabric

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// attempts are connections to try, with what should come of them.
type attempts []struct{ name, from, to, want string }

func (list attempts) try(t *testing.T, f *Fabric) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			got := connect(f, c.from, c.to)
			if got == silent && c.want != silent {
				got = connectWithin(f, 8*patience, c.from, c.to) // the machine may be busy
			}
			if got != c.want {
				t.Errorf("from %s to %s: %s, want %s", c.from, c.to, got, c.want)
			}
		})
	}
}

func TestSecurityGroups(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.filter(nicID("jump"), network.Outbound, "nsg-jump", rule("web", true, "Tcp", anywhere, anywhere, port(443)), rule("ssh", true, "Tcp", anywhere, "10.2.0.0/16", port(22)))
	h.filter(nicID("agent"), network.Inbound, "nsg-agent", rule("no-jump", false, "Tcp", "10.1.0.4/32", anywhere, port(443)), rule("rest", true, "*", anywhere, anywhere))
	h.filter(nicID("worker"), network.Inbound, "nsg-subnet", rule("ssh", true, "Tcp", "10.1.0.0/16", anywhere, port(22), port(443)))
	h.filter(nicID("worker"), network.Inbound, "nsg-nic", rule("ssh", true, "Tcp", anywhere, anywhere, port(22)))
	f := build(t, h.plan())
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	attempts{
		{"outbound allowed, inbound denied, in one subnet", jump, "10.1.0.5:443", silent},
		{"inbound allowed to another", worker, "10.1.0.5:443", refused},
		{"outbound denied", jump, "10.1.0.5:80", silent},
		{"both groups allow", jump, "10.2.0.4:22", refused},
		{"one of two groups allows", jump, "10.2.0.4:443", silent},
		{"replies need no rule", agent, "10.2.0.4:22", refused},
		{"an endpoint without a group", jump, "10.1.0.10:443", refused},
		{"what no rule is for", jump, "10.1.0.10:80", silent},
	}.try(t, f)
}

func TestHalfPeering(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	for i := range h.vnets {
		for j := range h.vnets[i].Peerings {
			h.vnets[i].Peerings[j].Connected = false
		}
	}
	f := build(t, h.plan())
	attempts{{"not connected", namespaceOf(t, f, nicID("jump")), "10.2.0.4:22", noRoute}}.try(t, f)
}

func TestRouteToNone(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("10.2.0.0/16"), NextHop: network.HopNone}}
	f := build(t, h.plan())
	jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
	attempts{
		{"there", jump, "10.2.0.4:22", noRoute},
		{"the way back is lost", worker, "10.1.0.4:22", silent},
		{"an endpoint's way back is not", worker, "10.1.0.10:443", refused},
		{"elsewhere", jump, "10.3.0.4:22", refused},
	}.try(t, f)
}

func TestInternet(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.egress[nicID("jump")] = addr("203.0.113.5")
	h.egress[nicID("worker")] = addr("203.0.113.6")
	h.nics[0].PublicAddr, h.nics[0].PublicTo = addr("203.0.113.5"), addr("10.1.0.4")
	remote := &h.nics[3] // its public address is that of its second configuration
	remote.Addrs = append(remote.Addrs, addr("10.3.0.5"))
	remote.PublicAddr, remote.PublicTo = addr("203.0.113.7"), addr("10.3.0.5")
	h.egress[nicID("remote")] = addr("203.0.113.7")
	f := build(t, h.plan())
	jump, agent, worker, outsider := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker")), f.OutsiderNamespace()
	for _, space := range []string{f.InternetNamespace(), outsider, jump, namespaceOf(t, f, nicID("remote"))} {
		echo(t, f, space, "0.0.0.0:443")
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"a service sees the public address", jump, "198.51.100.9:443", "203.0.113.5 at 198.51.100.9"},
		{"and which of its addresses was asked", jump, "198.51.100.130:443", "203.0.113.5 at 198.51.100.130"},
		{"another network", worker, "198.51.100.9:443", "203.0.113.6 at 198.51.100.9"},
		{"the outsider asks a service", outsider, "198.51.100.9:443", "192.0.2.10 at 198.51.100.9"},
		{"the outsider is asked", worker, "192.0.2.10:443", "203.0.113.6 at 192.0.2.10"},
		{"a machine's public address", outsider, "203.0.113.5:443", "192.0.2.10 at 10.1.0.4"},
		{"from another network", worker, "203.0.113.5:443", "203.0.113.6 at 10.1.0.4"},
		{"the public address of a second configuration", outsider, "203.0.113.7:443", "192.0.2.10 at 10.3.0.5"},
		{"a machine's own public address", jump, "203.0.113.5:443", "203.0.113.5 at 10.1.0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := seenAs(t, f, c.from, c.to); got != c.want {
				t.Errorf("from %s to %s: %s, want %s", c.from, c.to, got, c.want)
			}
		})
	}
	attempts{
		{"without a public address", agent, "198.51.100.9:443", noRoute},
		{"nobody's public address", outsider, "203.0.113.77:443", noRoute},
		{"an address that only sends", outsider, "203.0.113.6:443", silent},
		{"a private address", outsider, "10.1.0.4:443", noRoute},
	}.try(t, f)
}

// An address that only sends belongs to its router, where nothing listens; one
// that a service endpoint stands for is nobody else's to ask.
func TestServiceEndpoint(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("198.51.100.96/27"), NextHop: network.HopService}}
	h.egress[nicID("agent")] = addr("203.0.113.5")
	f := build(t, h.plan())
	jump, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent"))
	echo(t, f, f.InternetNamespace(), "0.0.0.0:443")
	for space, nic := range map[string]string{jump: "jump", agent: "agent"} {
		seen, _, _ := strings.Cut(seenAs(t, f, space, "198.51.100.100:443"), " ")
		a, err := netip.ParseAddr(seen)
		if err != nil {
			t.Fatalf("%s is seen as %q: %s", nic, seen, seenAs(t, f, space, "198.51.100.100:443"))
		}
		origin, ok := f.Plan().Origin(a)
		if !ok || origin.ID != nicID(nic) {
			t.Errorf("%s, seen as %s, is taken for %q", nic, a, origin.Name)
		}
		if got := connect(f, f.OutsiderNamespace(), a.String()+":443"); got == open || got == refused {
			t.Errorf("the outsider reaches %s at %s", nic, a)
		}
	}
	if got := seenAs(t, f, agent, "198.51.100.9:443"); !strings.HasPrefix(got, "203.0.113.5 ") {
		t.Errorf("beside the service endpoint: %s", got)
	}
	if got := connect(f, jump, "198.51.100.9:443"); got != noRoute {
		t.Errorf("beside the service endpoint, without a public address: %s", got)
	}
}

// A machine that gives itself another's address, or one that nobody has, is not heard.
func TestSpoofing(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
	err := inside(jump, func() error {
		h, err := netlink.NewHandle()
		if err != nil {
			return err
		}
		defer h.Close()
		eth, err := h.LinkByName("eth0")
		if err != nil {
			return err
		}
		for _, a := range []string{"10.1.0.5/32", "10.1.0.99/32", "10.2.0.99/32", "198.51.100.9/32"} {
			parsed, _ := netlink.ParseAddr(a)
			if err := h.AddrAdd(eth, parsed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"10.1.0.5", "10.1.0.99", "10.2.0.99", "198.51.100.9", "10.1.0.4"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		var conn net.Conn
		err := inside(jump, func() (err error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			conn, err = d.DialContext(ctx, "tcp4", "10.2.0.4:22")
			return err
		})
		cancel()
		if conn != nil {
			conn.Close()
		}
		heard := err != nil && strings.Contains(err.Error(), "refused")
		if heard != (from == "10.1.0.4") {
			t.Errorf("as %s: %v", from, err)
		}
	}
	if got := connect(f, worker, "10.1.0.5:22"); got != refused {
		t.Errorf("the true owner of 10.1.0.5 is no longer reached: %s", got)
	}
}

// repeat answers each connection with what it says, until the test ends.
func repeat(t *testing.T, f *Fabric, space, at string) {
	t.Helper()
	l, err := f.Listen(t.Context(), space, "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
}

// A new rule ends the connections that it forbids, in either direction and in
// every network that they pass, and no other.
func TestNewRulesEndWhatTheyForbid(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	allow := rule("all", true, "*", anywhere, anywhere)
	nsgs := func(in, out network.Match) Plan {
		h.filters = map[arm.ID]map[network.Direction][]network.Filter{}
		h.filter(nicID("worker"), network.Inbound, "in", in, allow)
		h.filter(nicID("jump"), network.Outbound, "out", out, allow)
		return h.plan()
	}
	f := build(t, nsgs(allow, allow))
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	repeat(t, f, worker, ":443")
	repeat(t, f, worker, ":80")
	open := map[string]net.Conn{}
	for name, way := range map[string][2]string{"jump 443": {jump, "10.2.0.4:443"}, "jump 80": {jump, "10.2.0.4:80"}, "agent 443": {agent, "10.2.0.4:443"}, "agent 80": {agent, "10.2.0.4:80"}} {
		c, err := f.Dial(t.Context(), way[0], "tcp4", way[1])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open[name] = c
	}
	live := func() string {
		var out []string
		for name, c := range open {
			if exchange(c, []byte("still there"), patience) {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	for _, step := range []struct {
		in, out network.Match
		want    string
	}{
		{allow, allow, "agent 443, agent 80, jump 443, jump 80"},
		{rule("other", false, "Tcp", anywhere, anywhere, port(22)), rule("other", false, "Udp", anywhere, anywhere), "agent 443, agent 80, jump 443, jump 80"},
		{rule("no-agent", false, "Tcp", "10.1.0.5/32", anywhere, port(443)), allow, "agent 80, jump 443, jump 80"},
		{allow, rule("no-web", false, "Tcp", anywhere, "10.2.0.0/16", port(80)), "agent 80, jump 443"},
	} {
		apply(t, f, nsgs(step.in, step.out))
		if got := live(); got != step.want {
			t.Errorf("in %s, out %s: %s live on, want %s", step.in.Rule.Name, step.out.Rule.Name, got, step.want)
		}
		for name, c := range open {
			if !strings.Contains(step.want, name) {
				c.Close()
				delete(open, name)
			}
		}
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.filter(nicID("worker"), network.Inbound, "nsg", rule("no-ssh", false, "Tcp", anywhere, anywhere, port(22)), rule("rest", true, "*", anywhere, anywhere))
	f := build(t, h.plan())
	jump := namespaceOf(t, f, nicID("jump"))
	connect(f, jump, "10.2.0.4:443")
	connect(f, jump, "10.2.0.4:80")
	connect(f, jump, "10.2.0.4:22")
	check := func(when string) {
		t.Helper()
		counts, err := f.Counters(id("networkSecurityGroups", "nsg"))
		if err != nil || len(counts) != 2 {
			t.Fatalf("%s: %v %v", when, counts, err)
		}
		if c := counts[0]; c.Rule != "no-ssh" || c.Packets == 0 || c.Direction != network.Inbound || c.VNet != h.vnets[1].ID {
			t.Errorf("%s: %+v", when, c)
		}
		if c := counts[1]; c.Rule != "rest" || c.Packets != 2 {
			t.Errorf("%s: %+v", when, c)
		}
	}
	check("counted")
	h.filter(nicID("worker"), network.Outbound, "other", rule("all", true, "*", anywhere, anywhere))
	apply(t, f, h.plan())
	check("after a change of other rules")
}

func TestPlatformTags(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	deny := rule("no-imds", false, "*", anywhere, "169.254.169.254/32")
	deny.Rule.Destinations = []string{"AzurePlatformIMDS"}
	h.filter(nicID("jump"), network.Outbound, "nsg", deny, rule("rest", false, "*", anywhere, anywhere))
	f := build(t, h.plan())
	attempts{
		{"metadata, denied by its tag", namespaceOf(t, f, nicID("jump")), "169.254.169.254:80", silent},
		{"DNS, which no other rule concerns", namespaceOf(t, f, nicID("jump")), "168.63.129.16:53", refused},
		{"metadata of others", namespaceOf(t, f, nicID("agent")), "169.254.169.254:80", refused},
		{"no other port of the platform", namespaceOf(t, f, nicID("agent")), "169.254.169.254:22", silent},
		{"not for a private endpoint", namespaceOf(t, f, id("privateEndpoints", "pe-blob")), "169.254.169.254:80", silent},
	}.try(t, f)
}

// What one group allows by the platform's tag the other may still deny.
func TestPlatformTagsOfBothGroups(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	named := func(allow bool) network.Match {
		m := rule("imds", allow, "*", anywhere, "169.254.169.254/32")
		m.Rule.Destinations = []string{"AzurePlatformIMDS"}
		return m
	}
	for name, both := range map[string][2]bool{"jump": {true, true}, "agent": {true, false}, "worker": {false, true}} {
		h.filter(nicID(name), network.Outbound, "nsg-nic-"+name, named(both[0]))
		h.filter(nicID(name), network.Outbound, "nsg-subnet-"+name, named(both[1]))
	}
	f := build(t, h.plan())
	attempts{
		{"both allow", namespaceOf(t, f, nicID("jump")), "169.254.169.254:80", refused},
		{"the subnet's denies", namespaceOf(t, f, nicID("agent")), "169.254.169.254:80", silent},
		{"the NIC's denies", namespaceOf(t, f, nicID("worker")), "169.254.169.254:80", silent},
	}.try(t, f)
}

func TestEndpointThatIsNotApproved(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.nics[len(h.nics)-1].Approved = false
	f := build(t, h.plan())
	attempts{{"pending", namespaceOf(t, f, nicID("jump")), "10.1.0.10:443", silent}}.try(t, f)
}

func TestAppliance(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	relay := h.vnets[0].ID.Child("subnets", "relay")
	h.subnets = append(h.subnets, network.Subnet{ID: relay, Name: "relay", VNet: h.vnets[0].ID, Prefixes: []netip.Prefix{prefix("10.1.9.0/24")}})
	h.vm("firewall", 0, "10.1.9.4")
	h.nics[len(h.nics)-1].Subnet, h.nics[len(h.nics)-1].IPForwarding = relay, true
	h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("10.2.0.0/16"), NextHop: network.HopAppliance, Address: addr("10.1.9.4")}}
	h.filter(nicID("firewall"), network.Outbound, "nsg", rule("no-80", false, "Tcp", anywhere, anywhere, port(80)), rule("rest", true, "*", anywhere, anywhere))
	f := build(t, h.plan())
	attempts{
		{"through the appliance", namespaceOf(t, f, nicID("jump")), "10.2.0.4:22", refused},
		{"whose group denies", namespaceOf(t, f, nicID("jump")), "10.2.0.4:80", silent},
	}.try(t, f)
}

func TestMachineIsOrdinary(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.vm("jump", 0, "10.1.0.6") // a second interface of the same machine
	h.nics[len(h.nics)-1].ID = nicID("jump-second")
	f := build(t, h.plan())
	jump, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent"))
	if second := namespaceOf(t, f, nicID("jump-second")); second != jump {
		t.Fatalf("the second interface is in %s, the first in %s", second, jump)
	}
	echo(t, f, jump, "127.0.0.1:80")
	echo(t, f, jump, ":81")
	for _, c := range []struct{ name, from, to, want string }{
		{"itself", jump, "127.0.0.1:80", "127.0.0.1 at 127.0.0.1"},
		{"its first address", agent, "10.1.0.4:81", "10.1.0.5 at 10.1.0.4"},
		{"its second", agent, "10.1.0.6:81", "10.1.0.5 at 10.1.0.6"},
	} {
		if got := seenAs(t, f, c.from, c.to); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	c, err := f.Dial(t.Context(), jump, "ip4:icmp", "10.1.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !ping(c.(*net.IPConn), time.Second) {
		t.Error("the gateway does not answer a ping")
	}
}

func TestNamesAreNotResolvedOutside(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	if _, err := f.Dial(t.Context(), namespaceOf(t, f, nicID("jump")), "tcp4", "localhost:22"); err == nil || !strings.Contains(err.Error(), "not literal") {
		t.Errorf("got %v", err)
	}
	if _, err := f.Dial(t.Context(), "cl-none-such", "tcp4", "10.1.0.4:22"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a namespace that is not there: %v", err)
	}
}

// Security admin rules come before the groups: they deny what the groups allow,
// and allow for ever what the groups deny.
func TestSecurityAdminRules(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	admin := func(always, inForce bool, m network.Match) network.AdminMatch {
		return network.AdminMatch{Match: m, Always: always, InForce: inForce}
	}
	h.filter(nicID("worker"), network.Inbound, "nsg", rule("web", true, "Tcp", anywhere, anywhere, port(80), port(443)))
	h.admin = map[arm.ID]map[network.Direction][]network.AdminMatch{
		nicID("worker"): {network.Inbound: {
			admin(false, true, rule("no-web", false, "Tcp", anywhere, anywhere, port(80))),
			admin(true, true, rule("patch", true, "Tcp", anywhere, anywhere, port(8080))),
			admin(false, true, rule("leave", true, "Tcp", anywhere, anywhere, port(443), port(22))),
			admin(false, true, rule("nothing-else", false, "Tcp", anywhere, anywhere, port(443))),
			admin(true, false, rule("perhaps", true, "Tcp", anywhere, anywhere, port(9090))),
		}},
		nicID("agent"): {network.Outbound: {admin(false, false, rule("perhaps-not", false, "Tcp", anywhere, anywhere, port(80)))}},
	}
	f := build(t, h.plan())
	jump, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent"))
	attempts{
		{"denied, whatever the group allows", jump, "10.2.0.4:80", silent},
		{"always allowed, whatever the group denies", jump, "10.2.0.4:8080", refused},
		{"left to the group, which allows", jump, "10.2.0.4:443", refused},
		{"left to the group, which denies", jump, "10.2.0.4:22", silent},
		{"no admin rule is for it", jump, "10.2.0.4:25", silent},
		{"an allowing rule that may not be deployed", jump, "10.2.0.4:9090", silent},
		{"a denying rule that may not be deployed", agent, "10.1.0.4:80", silent},
		{"without groups", agent, "10.1.0.4:81", refused},
	}.try(t, f)
}

// What is sent arrives as it was, also in the large segments of the cables:
// through groups and a peering, and under a public address.
func TestBulkArrivesWhole(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.egress[nicID("jump")] = addr("203.0.113.5")
	h.filter(nicID("worker"), network.Inbound, "nsg", rule("web", true, "Tcp", anywhere, anywhere, port(443)))
	f := build(t, h.plan())
	want := make([]byte, 32<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(want) // it never fails
	for space, at := range map[string]string{namespaceOf(t, f, nicID("worker")): "10.2.0.4:443", f.InternetNamespace(): "198.51.100.9:443"} {
		l, err := f.Listen(t.Context(), space, "tcp4", ":443")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := make(chan []byte, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				got <- nil
				return
			}
			defer c.Close()
			b, _ := io.ReadAll(c)
			got <- b
		}()
		c, err := f.Dial(t.Context(), namespaceOf(t, f, nicID("jump")), "tcp4", at)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Write(want)
		c.Close()
		if b := <-got; err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %d bytes of %d arrived as they were sent, %v", at, len(b), len(want), err)
		}
	}
}
