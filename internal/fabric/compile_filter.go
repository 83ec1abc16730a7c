package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// tableName is the packet filter's table in every namespace that has one.
const tableName = "cloister"

// Priorities of hooks.
const (
	priorityRaw         = -300
	priorityDestination = -100
	prioritySource      = 100
)

const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	protoESP  = 50
	protoAH   = 51

	protoICMP6 = 58
	// Neighbour discovery (RFC 4861, 4.3 and 4.4).
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136

	echoRequest = 8
)

var (
	accept = nft.Action{Verb: nft.Accept}
	drop   = nft.Action{Verb: nft.Drop}
)

// tracked begins a filter: what belongs to an allowed connection passes.
func tracked() []nft.Rule {
	return []nft.Rule{
		{Match: []nft.Match{nft.State(nft.Established | nft.Related)}, Do: accept},
		{Match: []nft.Match{nft.State(nft.Invalid)}, Do: drop},
	}
}

// filter is a router's packet filter in the making.
type filter struct {
	table    *nft.Table
	six      bool
	sets     map[string]bool    // names of the shared sets
	seen     map[sighted]*group // by where its rules come from
	groups   map[string]*group  // by what it does
	variants map[string]int     // how many chains begin with a name
	gates    []gate
	note     func(string, ...any)
	memory   *Memory
}

func (c *compiler) routerFilter(v *vnetPlan, gateways []netip.Addr, marks map[string]int, services []serviceRoutes) *filter {
	f := &filter{table: &nft.Table{Name: tableName, Six: v.six}, six: v.six, sets: map[string]bool{},
		seen: map[sighted]*group{}, groups: map[string]*group{}, variants: map[string]int{}, note: c.note, memory: c.choose.Memory}
	f.sources(v, c, gateways, marks)
	f.zone(v, c)
	f.probing(v, c)
	f.input(v, c, gateways)
	forward := append(tracked(),
		nft.Rule{Match: []nft.Match{nft.BeginsNot(nft.InIf, guestPrefix), nft.BeginsNot(nft.OutIf, guestPrefix)}, Do: drop},
		logged())
	outbound := f.dispatch(v, c, network.Outbound)
	fronted := f.fronted(v, c)
	if fronted { // what is for a load balancer's backend has been asked about before
		outbound.Match = append(outbound.Match, nft.NotRedirected())
	}
	forward = append(forward, outbound, f.dispatch(v, c, network.Inbound))
	forward = append(forward, f.leave(v, services)...)
	forward = append(forward,
		nft.Rule{Match: []nft.Match{nft.Begins(nft.InIf, guestPrefix)}, Do: accept},
		nft.Rule{Match: []nft.Match{nft.Begins(nft.OutIf, guestPrefix)}, Do: accept})
	f.chain(nft.Chain{Name: "forward", Hook: nft.Forward, Drop: true, Rules: forward})
	f.translate(v, services, f.balanced(v, c, fronted))
	return f
}

func (f *filter) chain(c nft.Chain) { f.table.Chains = append(f.table.Chains, c) }

func (f *filter) set(s nft.Set) { f.table.Sets = append(f.table.Sets, once(s)) }

// once keeps the first of the elements that have one key: documents may give an
// address twice.
func once(s nft.Set) nft.Set {
	seen := map[string]bool{}
	var elems []nft.Elem
	for _, e := range s.Elems {
		if key := fmt.Sprint(e.Key); !seen[key] {
			seen[key] = true
			elems = append(elems, e)
		}
	}
	s.Elems = elems
	return s
}

// sources lets in only what bears an address of the interface that it comes
// from, and marks it for its subnet's routes.
func (f *filter) sources(v *vnetPlan, c *compiler, gateways []netip.Addr, marks map[string]int) {
	own := nft.Set{Name: "own", Key: []nft.Type{nft.Addr}}
	for _, a := range slices.Concat(f.platformAddrs(), gateways) {
		own.Elems = append(own.Elems, nft.Elem{Key: []nft.Value{nft.Address(a)}})
	}
	guests := nft.Set{Name: "guests", Key: []nft.Type{nft.IfName, nft.Addr}, Data: nft.Mark}
	forwarders := nft.Set{Name: "forwarders", Key: []nft.Type{nft.IfName}, Data: nft.Mark}
	rules := append(f.neighboursNear(nft.BeginsNot(nft.InIf, guestPrefix)),
		nft.Rule{Steps: []nft.Action{{Verb: nft.SetMark, Fields: []nft.Field{nft.InIf, nft.Source}, Map: guests.Name}}, Do: accept})
	for _, g := range v.guests {
		table := g.subnet.ID
		if g.endpoint() {
			table = endpoints(v)
		}
		mark := nft.Num(uint32(marks[table.Key()]))
		for _, a := range g.addrs {
			guests.Elems = append(guests.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link), nft.Address(a)}, Value: mark})
		}
		if g.IPForwarding && !g.endpoint() {
			forwarders.Elems = append(forwarders.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link)}, Value: mark})
		}
	}
	f.set(guests)
	f.set(own)
	rules = append(rules, nft.Rule{Match: []nft.Match{nft.In(own.Name, nft.Source)}, Count: true, Do: drop, Comment: "source address of the router"})
	if len(forwarders.Elems) > 0 {
		f.set(forwarders)
		// Public addresses are the platform's to give and to take back: what a machine
		// forwards under one is not the reply that the internet waits for.
		for _, m := range f.addresses(nft.Source, []netip.Prefix{service.Customer, service.Customer6}) {
			rules = append(rules, nft.Rule{Match: []nft.Match{nft.Begins(nft.InIf, guestPrefix), m}, Count: true, Do: drop, Comment: "public source address"})
		}
		rules = append(rules, nft.Rule{Steps: []nft.Action{{Verb: nft.SetMark, Fields: []nft.Field{nft.InIf}, Map: forwarders.Name}}, Do: accept})
	}
	rules = append(rules, nft.Rule{Match: []nft.Match{nft.Begins(nft.InIf, guestPrefix)}, Count: true, Do: drop, Comment: "source address of another"})
	for _, p := range v.Peerings {
		peer, ok := c.vnets[p.Remote.Key()]
		if !ok || !v.peers[p.Remote.Key()] || p.AllowForwarded {
			continue
		}
		for _, link := range append(c.relaysInto(v, peer), linkName(peeringPrefix, peer.ID)) {
			from := nft.Equals(nft.InIf, nft.Name(link))
			for _, m := range f.addresses(nft.Source, slices.Concat(p.RemoteAddressSpace, c.transited(v, peer))) {
				m.Not = true
				rules = append(rules, nft.Rule{Match: []nft.Match{from, m}, Count: true, Do: drop, Comment: "forwarded by a peer"})
			}
		}
	}
	rules = append(rules, f.relays(v, c, marks)...)
	f.chain(nft.Chain{Name: "sources", Hook: nft.Prerouting, Priority: priorityRaw, Rules: rules})
}

// input is what the router itself answers: DNS, metadata and pings of a gateway.
func (f *filter) input(v *vnetPlan, c *compiler, gateways []netip.Addr) {
	own := nft.Set{Name: "gateways", Key: []nft.Type{nft.Addr}}
	for _, a := range gateways {
		own.Elems = append(own.Elems, nft.Elem{Key: []nft.Value{nft.Address(a)}})
	}
	f.set(own)
	guest := nft.Begins(nft.InIf, guestPrefix)
	rules := append(tracked(), f.neighbours()...)
	if f.six { // the platform has no address of IPv6
		f.chain(nft.Chain{Name: "input", Hook: nft.Input, Drop: true, Rules: rules})
		return
	}
	rules = append(rules, f.platform(v, c))
	for _, open := range network.PlatformServices() {
		rules = append(rules, nft.Rule{Do: accept, Match: []nft.Match{
			guest,
			nft.Equals(nft.Destination, nft.Address(open.Addr)),
			nft.Equals(nft.Protocol, nft.Num(protocols[strings.ToLower(string(open.Protocol))])),
			nft.Equals(nft.DestinationPort, nft.Num(uint32(open.Port))),
		}})
	}
	rules = append(rules, nft.Rule{Do: accept, Match: []nft.Match{
		guest, nft.In(own.Name, nft.Destination),
		nft.Equals(nft.Protocol, nft.Num(protoICMP)), nft.Equals(nft.ICMPType, nft.Num(echoRequest)),
	}})
	f.chain(nft.Chain{Name: "input", Hook: nft.Input, Drop: true, Rules: rules})
}

// neighbours let neighbours on a cable of IPv6 find each other. What is forwarded
// is not looked at by them: a neighbour's packets have the hop limit that no router
// has lowered (RFC 4861, 7.1).
func (f *filter) neighbours(where ...nft.Match) []nft.Rule {
	if !f.six {
		return nil
	}
	var out []nft.Rule
	for _, typ := range []uint32{neighbourSolicitation, neighbourAdvertisement} {
		match := slices.Concat(where, []nft.Match{nft.Equals(nft.Protocol, nft.Num(protoICMP6)), nft.Equals(nft.ICMPType, nft.Num(typ))})
		out = append(out, nft.Rule{Match: match, Do: accept})
	}
	return out
}

// neighboursNear are those that are not on the other side of a router.
func (f *filter) neighboursNear(where ...nft.Match) []nft.Rule {
	return f.neighbours(append(where, nft.Between(nft.Source, nft.Address(linkLocal.Addr()), nft.Address(lastOf(linkLocal))))...)
}

// platformAddrs are the platform's addresses of the filter's version.
func (f *filter) platformAddrs() []netip.Addr {
	if f.six {
		return nil
	}
	return platform()
}

// platform sends what is for the platform's addresses through the rules that
// name them by their tags: others do not concern them.
func (f *filter) platform(v *vnetPlan, c *compiler) nft.Rule {
	m := nft.Set{Name: "platform", Key: []nft.Type{nft.IfName}, Data: nft.VerdictType}
	for _, g := range v.guests {
		if g.endpoint() { // it starts no connection
			m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link)}, Verdict: drop})
			continue
		}
		var rules []nft.Rule
		for _, one := range c.ask.Filters(g.ID, network.Outbound) {
			own := f.platformRules(one)
			if len(own) == 0 {
				continue
			}
			chain := nft.Chain{Name: "platform-" + digest(fmt.Sprint(own), 12), Rules: own}
			f.chainOnce(chain)
			rules = append(rules, nft.Rule{Do: nft.Action{Verb: nft.Jump, Chain: chain.Name}})
		}
		if len(rules) == 0 {
			continue
		}
		all := nft.Chain{Name: "all-" + digest(fmt.Sprint(rules), 12), Rules: rules}
		f.chainOnce(all)
		m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link)}, Verdict: nft.Action{Verb: nft.Jump, Chain: all.Name}})
	}
	f.set(m)
	return nft.Rule{Do: nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{nft.InIf}, Map: m.Name}}
}

func (f *filter) platformRules(one network.Filter) []nft.Rule {
	var out []nft.Rule
	for _, a := range platform() {
		for _, m := range one.Platform(a) {
			out = append(out, f.rule(one, m)...)
		}
	}
	return out
}

// chainOnce adds a chain whose name says all that it holds.
func (f *filter) chainOnce(c nft.Chain) {
	if !slices.ContainsFunc(f.table.Chains, func(other nft.Chain) bool { return other.Name == c.Name }) {
		f.chain(c)
	}
}

// dispatch sends a packet through the security groups of its interface.
func (f *filter) dispatch(v *vnetPlan, c *compiler, d network.Direction) nft.Rule {
	field, name := nft.OutIf, "inbound"
	if d == network.Outbound {
		field, name = nft.InIf, "outbound"
	}
	m := nft.Set{Name: name, Key: []nft.Type{nft.IfName}, Data: nft.VerdictType}
	for _, g := range v.guests {
		do, filtered := drop, true // an endpoint starts no connection, and unless approved accepts none
		if !g.endpoint() || d == network.Inbound && g.Approved {
			do, filtered = f.filters(c, g, d)
		} else {
			f.gates = append(f.gates, gate{guest: g, direction: d, closed: true})
		}
		if filtered {
			m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link)}, Verdict: do})
		}
	}
	f.set(m)
	return nft.Rule{Do: nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{field}, Map: m.Name}}
}

// filters is the way through the security admin rules and the groups that one
// interface has in a direction; interfaces with the same ones share it.
func (f *filter) filters(c *compiler, at guest, d network.Direction) (nft.Action, bool) {
	var names []string
	door := gate{guest: at, direction: d}
	for _, one := range c.ask.Filters(at.ID, d) {
		g := f.group(one, d)
		names, door.groups = append(names, g.Chain), append(door.groups, g)
	}
	do, filtered := f.administer(&door, c.ask.AdminRules(at.ID, d), f.all(names), len(names) > 0)
	f.gates = append(f.gates, door)
	return do, filtered
}

// all is the way through several chains.
func (f *filter) all(names []string) nft.Action {
	switch len(names) {
	case 0:
		return nft.Action{}
	case 1:
		return nft.Action{Verb: nft.Jump, Chain: names[0]}
	}
	all := nft.Chain{Name: "all-" + digest(fmt.Sprint(names), 12)}
	for _, n := range names {
		all.Rules = append(all.Rules, nft.Rule{Do: nft.Action{Verb: nft.Jump, Chain: n}})
	}
	f.chainOnce(all)
	return nft.Action{Verb: nft.Jump, Chain: all.Name}
}

// leave decides what may go to the internet: what a service endpoint leads to,
// and what has a public address to go under.
func (f *filter) leave(v *vnetPlan, services []serviceRoutes) []nft.Rule {
	toInternet := nft.Equals(nft.OutIf, nft.Name(internetLink))
	outward := nft.Set{Name: "outward", Key: []nft.Type{nft.IfName, nft.Addr}}
	var rules []nft.Rule
	for _, svc := range services {
		callers := nft.Set{Name: fmt.Sprintf("callers-%x", svc.mark), Key: []nft.Type{nft.IfName, nft.Addr}}
		for _, g := range v.guests {
			if _, ok := svc.source[g.ID]; ok {
				for _, a := range g.addrs {
					callers.Elems = append(callers.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link), nft.Address(a)}})
				}
			}
		}
		f.set(callers)
		for _, to := range f.addresses(nft.Destination, svc.prefixes) {
			rules = append(rules, nft.Rule{Match: []nft.Match{toInternet, nft.In(callers.Name, nft.InIf, nft.Source), to}, Do: accept})
		}
	}
	for _, g := range v.guests {
		if g.egress.IsValid() {
			for _, a := range g.addrs {
				outward.Elems = append(outward.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link), nft.Address(a)}})
			}
		}
	}
	f.set(outward)
	rules = append(rules, f.muted(v)...)
	return append(rules, nft.Rule{
		Match: []nft.Match{toInternet, nft.NotIn(outward.Name, nft.InIf, nft.Source)},
		Do:    nft.Action{Verb: nft.Reject},
	})
}

// withoutPorts are the protocols that are neither TCP nor UDP.
var withoutPorts = [][2]uint32{{0, protoTCP - 1}, {protoTCP + 1, protoUDP - 1}, {protoUDP + 1, 255}}

// muted refuses what leaves by protocols that a way out does not carry.
func (f *filter) muted(v *vnetPlan) []nft.Rule {
	var rules []nft.Rule
	for _, p := range []struct {
		of     network.Protocol
		ranges [][2]uint32
	}{{network.TCP, [][2]uint32{{protoTCP, protoTCP}}}, {network.UDP, [][2]uint32{{protoUDP, protoUDP}}}, {network.ICMP, withoutPorts}} {
		set := nft.Set{Name: "mute-" + strings.ToLower(string(p.of)), Key: []nft.Type{nft.IfName, nft.Addr}}
		for _, g := range v.guests {
			if !slices.Contains(g.mute, p.of) {
				continue
			}
			for _, a := range g.addrs {
				set.Elems = append(set.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link), nft.Address(a)}})
			}
		}
		if len(set.Elems) == 0 {
			continue
		}
		f.set(set)
		for _, r := range p.ranges {
			rules = append(rules, nft.Rule{Match: []nft.Match{nft.Equals(nft.OutIf, nft.Name(internetLink)), nft.In(set.Name, nft.InIf, nft.Source),
				nft.Between(nft.Protocol, nft.Num(r[0]), nft.Num(r[1]))}, Do: nft.Action{Verb: nft.Reject}})
		}
	}
	return rules
}

// translate gives connections their public addresses, and takes those from the
// internet to the private ones.
func (f *filter) translate(v *vnetPlan, services []serviceRoutes, balanced []nft.Rule) {
	var leaving []nft.Rule
	toInternet := nft.Equals(nft.OutIf, nft.Name(internetLink))
	addresses := func(name string, of func(guest) netip.Addr) string {
		m := nft.Set{Name: name, Key: []nft.Type{nft.Addr}, Data: nft.Addr}
		for _, g := range v.guests {
			if public := of(g); public.IsValid() {
				for _, a := range g.addrs {
					m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Address(a)}, Value: nft.Address(public)})
				}
			}
		}
		f.set(m)
		return name
	}
	for _, svc := range services {
		name := addresses(fmt.Sprintf("identities-%x", svc.mark), func(g guest) netip.Addr { return svc.source[g.ID] })
		for _, to := range f.addresses(nft.Destination, svc.prefixes) {
			leaving = append(leaving, nft.Rule{Match: []nft.Match{toInternet, to},
				Do: nft.Action{Verb: nft.TranslateSource, Fields: []nft.Field{nft.Source}, Map: name}})
		}
	}
	egress := addresses("egress", func(g guest) netip.Addr { return g.egress })
	leaving = append(leaving, nft.Rule{Match: []nft.Match{toInternet},
		Do: nft.Action{Verb: nft.TranslateSource, Fields: []nft.Field{nft.Source}, Map: egress}})

	publics := nft.Set{Name: "publics", Key: []nft.Type{nft.Addr}, Data: nft.Addr}
	for _, p := range v.publics() {
		publics.Elems = append(publics.Elems, nft.Elem{Key: []nft.Value{nft.Address(p.public)}, Value: nft.Address(p.private)})
	}
	f.set(publics)
	// Each of the two costs every packet of the network, translated or not.
	if len(publics.Elems)+len(balanced) > 0 {
		f.chain(nft.Chain{Name: "arriving", Hook: nft.Prerouting, NAT: true, Priority: priorityDestination, Rules: append(balanced, nft.Rule{
			Match: []nft.Match{nft.Equals(nft.InIf, nft.Name(internetLink))},
			Do:    nft.Action{Verb: nft.TranslateDestination, Fields: []nft.Field{nft.Destination}, Map: publics.Name},
		})})
	}
	if len(services) > 0 || slices.ContainsFunc(v.guests, func(g guest) bool { return g.egress.IsValid() }) {
		f.chain(nft.Chain{Name: "leaving", Hook: nft.Postrouting, NAT: true, Priority: prioritySource, Rules: leaving})
	}
}
