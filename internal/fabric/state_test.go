package fabric

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

func TestApplyAgainChangesNothing(t *testing.T) {
	t.Parallel()
	h := exampleLike()
	f := build(t, h.plan())
	if c := apply(t, f, h.plan()); len(c) > 0 {
		t.Errorf("the second time: %v", c)
	}
	restarted, err := New(Options{Name: f.name})
	if err != nil {
		t.Fatal(err)
	}
	if c := apply(t, restarted, h.plan()); len(c) > 0 {
		t.Errorf("after a restart: %v", c)
	}
}

func TestOneInterfaceMoreOrLess(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	before := h.plan()
	f := build(t, before)
	router, _ := f.RouterNamespace(h.vnets[1].ID)
	h.vm("second", 1, "10.2.0.5")
	c := apply(t, f, h.plan())
	second := namespaceOf(t, f, nicID("second"))
	for _, one := range c {
		if one.Space != router && one.Space != second || one.Removed {
			t.Errorf("adding a machine: %s", one)
		}
	}
	if c.Count("namespace") != 1 || c.Count("link") != 1 || c.Count("filter") != 1 || c.Count("address") != 1 {
		t.Errorf("adding a machine: %v", c)
	}
	attempts{{"the new one", namespaceOf(t, f, nicID("jump")), "10.2.0.5:22", refused}}.try(t, f)

	c = apply(t, f, before)
	if c.Count("namespace") != 1 || c.Count("link") > 1 || c.Count("filter") != 1 {
		t.Errorf("removing it: %v", c)
	}
	if _, ok := f.Namespace(nicID("second")); ok {
		t.Error("it still has a namespace")
	}
	attempts{{"the one that went", namespaceOf(t, f, nicID("jump")), "10.2.0.5:22", silent}}.try(t, f)
}

func TestOneRuleMore(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	f := build(t, h.plan())
	h.filter(nicID("worker"), network.Inbound, "nsg", rule("none", false, "*", anywhere, anywhere))
	if c := apply(t, f, h.plan()); len(c) != 1 || c[0].Kind != "filter" {
		t.Errorf("%v", c)
	}
}

func TestPeeringGoes(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	f := build(t, h.plan())
	worker := namespaceOf(t, f, nicID("worker"))
	attempts{{"before", worker, "10.1.0.4:22", refused}}.try(t, f)
	h.vnets[0].Peerings[0].Connected, h.vnets[1].Peerings[0].Connected = false, false
	apply(t, f, h.plan())
	attempts{{"after", worker, "10.1.0.4:22", noRoute}, {"the other peering", namespaceOf(t, f, nicID("jump")), "10.3.0.4:22", refused}}.try(t, f)
}

// A route table of one subnet divides the router's, and back: what goes on is not
// touched by it.
func TestTablesDivideAndJoin(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	f := build(t, h.plan())
	jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
	repeat(t, f, worker, ":443")
	c, err := f.Dial(t.Context(), jump, "tcp4", "10.2.0.4:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, closed := range []bool{true, false, true} {
		want := refused
		h.routes = map[arm.ID][]network.Route{}
		if closed {
			h.routes[h.subnets[0].ID], want = []network.Route{{Prefix: prefix("10.3.0.0/16"), NextHop: network.HopNone}}, noRoute
		}
		apply(t, f, h.plan())
		attempts{{"to the other peer", jump, "10.3.0.4:22", want}}.try(t, f)
		if !exchange(c, []byte("still there"), time.Second) {
			t.Error("a connection that the change has nothing to do with was touched")
		}
	}
}

// Whatever a kill leaves or somebody breaks, Apply mends.
func TestMend(t *testing.T) {
	t.Parallel()
	h := exampleLike()
	h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("10.3.0.0/16"), NextHop: network.HopNone}} // so that there are rules
	f := build(t, h.plan())
	jump := namespaceOf(t, f, nicID("jump"))
	router, _ := f.RouterNamespace(h.vnets[0].ID)
	kernel := func(space string, fn func(h *netlink.Handle) error) error {
		return inside(space, func() error {
			h, err := netlink.NewHandle()
			if err != nil {
				return err
			}
			defer h.Close()
			return fn(h)
		})
	}
	for _, c := range []struct {
		name   string
		damage func() error
	}{
		{"a machine's namespace is gone", func() error { return removeNamespace(jump) }},
		{"a router's namespace is gone", func() error { return removeNamespace(router) }},
		{"the internet is gone", func() error { return removeNamespace(f.InternetNamespace()) }},
		{"a name without a namespace", func() error {
			if err := removeNamespace(jump); err != nil {
				return err
			}
			return os.WriteFile(NamespacePath(jump), nil, 0o444)
		}},
		{"a namespace too many", func() error {
			return createNamespace(f.full("vm-killed-00000000"), func() error { return nil })
		}},
		{"a cable is gone", func() error {
			return kernel(jump, func(h *netlink.Handle) error {
				eth, err := h.LinkByName("eth0")
				if err != nil {
					return err
				}
				return h.LinkDel(eth)
			})
		}},
		{"a cable is down and has another address", func() error {
			return kernel(jump, func(h *netlink.Handle) error {
				eth, err := h.LinkByName("eth0")
				if err != nil {
					return err
				}
				wrong, _ := netlink.ParseAddr("10.1.0.66/32")
				if err := h.AddrAdd(eth, wrong); err != nil {
					return err
				}
				return h.LinkSetDown(eth)
			})
		}},
		{"a filter is gone", func() error {
			return exec.Command("ip", "netns", "exec", router, "nft", "delete", "table", "ip", tableName).Run()
		}},
		{"a rule and a route are gone", func() error {
			for _, args := range []string{"rule del pref 1000", "route del unreachable 10.1.0.0/16"} {
				if err := exec.Command("ip", append([]string{"-n", router}, strings.Fields(args)...)...).Run(); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.damage(); err != nil {
				t.Fatal(err)
			}
			if changes := apply(t, f, h.plan()); len(changes) == 0 {
				t.Error("nothing was mended")
			}
			if changes := apply(t, f, h.plan()); len(changes) > 0 {
				t.Errorf("not mended at once: %v", changes)
			}
			attempts{
				{"open", jump, "10.2.0.4:22", refused},
				{"closed", jump, "10.2.0.4:23", silent},
			}.try(t, f)
		})
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	t.Parallel()
	f := build(t, exampleLike().plan())
	if err := os.WriteFile(NamespacePath(f.full("half-made")), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	// Another process, which knows nothing of what the first has made.
	second, err := New(Options{Name: f.name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil || strings.Contains(string(out), f.prefix()) {
		t.Errorf("ip netns list: %s %v", out, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), f.prefix()) {
		t.Errorf("still mounted: %v", err)
	}
	if err := second.Remove(t.Context()); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

// A socket keeps its namespace alive; the cables are gone all the same.
func TestRemoveUnderAListener(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	l, err := f.Listen(t.Context(), namespaceOf(t, f, nicID("jump")), "tcp4", ":22")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := f.Remove(context.Background()); err != nil {
		t.Fatal(err)
	}
	if left, _ := namespacesOf(f.prefix()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTwoCloudsSideBySide(t *testing.T) {
	t.Parallel()
	a, b := build(t, twoNetworks().plan()), build(t, twoNetworks().plan())
	if err := a.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	attempts{{"the other cloud", namespaceOf(t, b, nicID("jump")), "10.2.0.4:22", refused}}.try(t, b)
}

// The library under the filter leaves out what does not fit in one message,
// without an error: so count.
func TestBigGroup(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	var rules []network.Match
	for i := range 1000 {
		r := rule(fmt.Sprintf("rule-%04d", i), i%2 == 0, "Tcp", anywhere, anywhere, port(uint16(10000+i)))
		rules = append(rules, r)
	}
	for i := range 5000 {
		rules[7].Sources = append(rules[7].Sources, netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(i >> 7), byte(i << 1), 0}), 24))
	}
	rules[7].Sources = rules[7].Sources[1:]
	h.filter(nicID("worker"), network.Inbound, "big", rules...)
	f := build(t, h.plan())
	counts, err := f.Counters(id("networkSecurityGroups", "big"))
	if err != nil || len(counts) != 1000 {
		t.Fatalf("%d rules, %v", len(counts), err)
	}
	router, _ := f.RouterNamespace(h.vnets[1].ID)
	out, err := exec.Command("ip", "netns", "exec", router, "nft", "list", "table", "ip", tableName).Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(out), `comment "rule-`); n != 1000 {
		t.Errorf("nft lists %d rules, want 1000", n)
	}
	jump := namespaceOf(t, f, nicID("jump"))
	attempts{
		{"rule 998 allows", jump, "10.2.0.4:10998", refused},
		{"rule 999 denies", jump, "10.2.0.4:10999", silent},
	}.try(t, f)
}

func TestCheckFindsThisHostFit(t *testing.T) {
	lacks := Check()
	if os.Geteuid() != 0 {
		if len(lacks) != 1 || !strings.Contains(lacks[0], "root") {
			t.Errorf("without root: %v", lacks)
		}
		return
	}
	if len(lacks) > 0 {
		t.Skip("this host cannot build networks: ", lacks)
	}
}

func TestNamesOfClouds(t *testing.T) {
	for name, ok := range map[string]bool{"demo": true, "a1": true, "": false, "a-b": false, "Demo": false, "../x": false, "abcdefghijklmnopq": false} {
		if _, err := New(Options{Name: name}); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
