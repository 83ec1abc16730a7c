package network_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/verdict"
)

// wanPlan is a random Virtual WAN in its author's words, from which both the
// documents and the oracle's answers are made.
type wanPlan struct {
	hubs     []hubPlan
	networks []spokePlan
}

type hubPlan struct {
	name              string
	private, internet bool // routing policies
	firewall          bool
	own               bool // a table of its own
	label             string
	routes            map[string][]string // table -> prefixes that lead to the firewall
}

type spokePlan struct {
	name, prefix  string
	hub           int
	secured       bool
	table         string   // what it learns
	ids, labels   []string // what learns it: tables of its hub, labels
	configuration bool
}

func drawWAN(t *rapid.T) wanPlan {
	chance := func(percent int, what string) bool { return rapid.IntRange(0, 99).Draw(t, what) < percent }
	var w wanPlan
	prefixes := []string{"10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16", "10.2.0.0/15", "10.3.0.0/24", "192.0.2.0/24"}
	for _, name := range []string{"east", "west"} {
		h := hubPlan{name: name, firewall: chance(80, "firewall"), routes: map[string][]string{}, label: rapid.SampledFrom([]string{"", "dev"}).Draw(t, "label")}
		if h.firewall && chance(50, "intent") {
			h.private, h.internet = chance(70, "private"), chance(60, "internet")
		}
		h.own = !h.private && !h.internet && chance(60, "own table")
		for _, table := range []string{"defaultRouteTable", "own"} {
			for _, p := range prefixes {
				if h.firewall && chance(20, "route") && (table != "own" || h.own) {
					h.routes[table] = append(h.routes[table], p)
				}
			}
		}
		w.hubs = append(w.hubs, h)
	}
	for i := range 4 {
		s := spokePlan{name: string(rune('a' + i)), prefix: fmt.Sprintf("10.%d.0.0/16", i+1), hub: rapid.IntRange(0, 1).Draw(t, "hub"), secured: chance(70, "secured"), table: "defaultRouteTable"}
		if h := w.hubs[s.hub]; !h.private && !h.internet && chance(60, "configuration") {
			s.configuration = true
			tables := []string{"defaultRouteTable", "noneRouteTable"}
			if h.own {
				tables = append(tables, "own", "own")
			}
			s.table = rapid.SampledFrom(tables).Draw(t, "associated")
			s.ids = rapid.SliceOfNDistinct(rapid.SampledFrom(tables), 0, 2, rapid.ID[string]).Draw(t, "ids")
			s.labels = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"default", "dev", "none", "x"}), 0, 2, rapid.ID[string]).Draw(t, "labels")
		}
		w.networks = append(w.networks, s)
	}
	return w
}

func (w wanPlan) documents() []any {
	wan := nt.Document(nt.ID("Microsoft.Network/virtualWans", "wan"), nt.Set{Path: "type", Value: "Standard"})
	out := []any{wan}
	for i, h := range w.hubs {
		docs := securedHub(h.name, fmt.Sprintf("10.20%d.0.0/23", i))
		if !h.firewall {
			docs = docs[:1]
		}
		out = append(out, docs...)
		var pairs []any
		if h.private {
			pairs = append(pairs, "PrivateTraffic", hubFirewallID(h.name))
		}
		if h.internet {
			pairs = append(pairs, "Internet", hubFirewallID(h.name))
		}
		if pairs != nil {
			out = append(out, intent(h.name, pairs...))
		}
		for _, table := range []string{"defaultRouteTable", "own"} {
			if table == "own" && !h.own {
				continue
			}
			var routes []any
			for _, p := range h.routes[table] {
				routes = append(routes, p, hubFirewallID(h.name))
			}
			var labels []string
			if table == "own" && h.label != "" {
				labels = []string{h.label}
			}
			out = append(out, hubTableOf(h.name, table, hubRoutes(routes...), nt.Set{Path: "labels", Value: labels}))
		}
	}
	for _, s := range w.networks {
		hub := w.hubs[s.hub].name
		sets := []nt.Set{{Path: "enableInternetSecurity", Value: s.secured}}
		if s.configuration {
			var ids []arm.ID
			for _, table := range s.ids {
				ids = append(ids, hubTableID(hub, table))
			}
			sets = append(append(sets, propagated(s.labels, ids...)...), associated(hub, s.table))
		}
		out = append(out, nt.VNet(s.name, s.prefix), nt.Subnet(s.name, "s", strings.Replace(s.prefix, "/16", "/24", 1)), nt.VM("vm-"+s.name, s.name, "s", ""), hubConnect(hub, s.name, sets...))
	}
	return out
}

// stop is where a packet is: a network, a hub's firewall, or the internet.
type stop struct {
	kind string // network, firewall, internet, nowhere, unknown
	at   int    // of networks or hubs
}

// choice is a route among others: the longest wins, then the first.
type choice struct {
	bits int
	to   stop
}

func bestOf(list []choice, last stop) stop {
	best := choice{-1, last}
	for _, c := range list {
		if c.bits > best.bits {
			best = c
		}
	}
	return best.to
}

// next is where a packet to an address goes from a stop: one that is within networks
// or to a hub's own addresses.
func (w wanPlan) next(from stop, dst netip.Addr) stop {
	var list []choice
	offer := func(prefix string, to stop) {
		if p := netip.MustParsePrefix(prefix); p.Contains(dst) {
			list = append(list, choice{p.Bits(), to})
		}
	}
	last := stop{kind: "nowhere"}
	if dst.As4()[0] != 10 {
		last.kind = "internet"
	}
	switch from.kind {
	case "network":
		me := w.networks[from.at]
		h := w.hubs[me.hub]
		fw := stop{"firewall", me.hub}
		offer(me.prefix, from)
		for i, far := range w.hubs {
			if far.firewall {
				own := stop{"firewall", i}
				if me.table == "noneRouteTable" {
					own.kind = "unknown"
				}
				offer(fmt.Sprintf("10.20%d.0.0/23", i), own)
			}
		}
		if h.internet && me.secured {
			offer("0.0.0.0/0", fw)
		}
		if h.private {
			offer("10.0.0.0/8", fw)
		}
		for _, p := range h.routes[me.table] {
			if p != "0.0.0.0/0" || me.secured {
				offer(p, fw)
			}
		}
		if !h.private {
			for i, other := range w.networks {
				if i == from.at {
					continue
				}
				to := stop{"network", i}
				if w.hubs[other.hub].private && other.hub != me.hub {
					to = stop{"firewall", other.hub}
				}
				switch w.taught(other, me.hub, me.table) {
				case verdict.Yes:
					offer(other.prefix, to)
				case verdict.Unknown:
					offer(other.prefix, stop{kind: "unknown"})
				}
			}
		}
	case "firewall":
		for i, other := range w.networks {
			far := w.hubs[other.hub]
			teaches := w.taught(other, from.at, "defaultRouteTable")
			switch {
			case other.hub == from.at:
				offer(other.prefix, stop{"network", i})
			case !w.hubs[from.at].private:
				offer(other.prefix, stop{kind: "unknown"})
			case far.private:
				offer(other.prefix, stop{"firewall", other.hub})
			case teaches == verdict.Yes:
				offer(other.prefix, stop{"network", i})
			case teaches == verdict.Unknown:
				offer(other.prefix, stop{kind: "unknown"})
			}
		}
		for i := range w.hubs {
			offer(fmt.Sprintf("10.20%d.0.0/23", i), stop{"firewall", i})
		}
	}
	offer("10.0.0.0/8", stop{kind: "nowhere"}) // the system's own, after all others
	return bestOf(list, last)
}

// taught says whether a table of a hub has a network.
func (w wanPlan) taught(other spokePlan, hub int, table string) verdict.Value {
	far, yes := w.hubs[other.hub], map[bool]verdict.Value{true: verdict.Yes, false: verdict.No}
	isDefault := table == "defaultRouteTable"
	labels := map[string]string{"defaultRouteTable": "default", "noneRouteTable": "none", "own": w.hubs[hub].label}
	switch {
	case far.private && hub == other.hub:
		return verdict.No
	case far.private:
		return map[bool]verdict.Value{true: verdict.Yes, false: verdict.Unknown}[isDefault]
	case far.internet || !other.configuration:
		return yes[isDefault]
	case hub == other.hub && slices.Contains(other.ids, table), labels[table] != "" && slices.Contains(other.labels, labels[table]):
		return verdict.Yes
	case len(other.labels) > 0 || !isDefault || slices.Contains(other.ids, "noneRouteTable"):
		return verdict.No
	case len(other.ids) == 0:
		return verdict.Yes
	}
	return verdict.Unknown
}

// reach takes one packet through the Virtual WAN, and its reply back.
func (w wanPlan) reach(f network.Flow) verdict.Value {
	home := w.homeOf(f.Source)
	at, origin, source := home, home, f.Source
	var through []stop
	value := verdict.Yes
	for range 12 {
		if at.kind == "network" && at == w.homeOf(f.Destination) {
			return verdict.And(value, w.replies(at, origin, source, through))
		}
		at = w.next(at, f.Destination)
		switch at.kind {
		case "internet":
			return value
		case "nowhere":
			return verdict.No
		case "unknown":
			return verdict.Unknown
		case "firewall":
			application := f.Port == 80
			inside := f.Destination.As4()[0] == 10 || netip.MustParsePrefix("192.0.2.0/24").Contains(f.Destination)
			network := f.Port == 443 && inside
			if !application && !network {
				return verdict.No
			}
			if slices.Contains(through, at) || origin == at {
				return verdict.No // in a circle
			}
			if application || f.Destination.As4()[0] != 10 { // it takes their address
				value = verdict.And(value, w.replies(at, origin, source, through))
				if value == verdict.No {
					return value
				}
				origin, source, through = at, netip.MustParseAddr(fmt.Sprintf("10.20%d.0.4", at.at)), nil
				continue
			}
			through = append(through, at)
		}
	}
	return verdict.No
}

func (w wanPlan) homeOf(a netip.Addr) stop {
	for i, s := range w.networks {
		if netip.MustParsePrefix(s.prefix).Contains(a) {
			return stop{"network", i}
		}
	}
	return stop{kind: "nowhere"}
}

// replies follows the reply from a stop to where packets come from: what keeps state
// of them must see it.
func (w wanPlan) replies(at, origin stop, source netip.Addr, through []stop) verdict.Value {
	var seen []stop
	for range 12 {
		at = w.next(at, source)
		switch {
		case at.kind == "unknown":
			return verdict.Unknown
		case at == origin:
			slices.Reverse(seen)
			for _, s := range through {
				if !slices.Contains(seen, s) {
					return verdict.No
				}
			}
			for _, s := range seen {
				if !slices.Contains(through, s) {
					return verdict.No
				}
			}
			return verdict.Yes
		case at.kind != "firewall":
			return verdict.No
		}
		seen = append(seen, at)
	}
	return verdict.No
}

// The engine and the oracle agree about every packet of every Virtual WAN, and so do
// the sets that the engine makes of packets.
func TestVirtualWANsAgreeWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		w := drawWAN(t)
		e, err := nt.Estate(w.documents()...)
		if err != nil {
			t.Fatal(err)
		}
		top := network.FromEstate(e)
		spaces := top.Spaces("")
		for _, from := range []string{"10.1.0.4", "10.2.0.4", "10.3.0.4", "10.4.0.4"} {
			for _, to := range []string{"10.1.0.4", "10.2.0.4", "10.3.0.4", "10.4.0.4", "192.0.2.10", "198.18.0.1"} {
				for _, port := range []uint16{22, 80, 443} {
					if from == to {
						continue
					}
					f := network.Flow{Source: netip.MustParseAddr(from), Destination: netip.MustParseAddr(to), Protocol: network.TCP, Port: port, SourcePort: 50000}
					want := w.reach(f)
					if got := top.Reach(f); got.Value != want {
						t.Fatalf("%s -> %s tcp %d: got %v, the oracle says %v\n%+v\n%s", from, to, port, got.Value, want, w, story(got))
					}
					if got, err := in(spaces.Between(f.Source, f.Destination), packet(f)); err != nil || got != want {
						t.Fatalf("%s -> %s tcp %d: the sets say %v (%v), the oracle %v\n%+v", from, to, port, got, err, want, w)
					}
				}
			}
		}
	})
}
