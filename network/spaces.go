package network

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
)

// Spaces answers with sets of packets what [Topology.Reach] answers for one. It
// keeps what it has worked out; it is not safe for concurrent use.
type Spaces struct {
	t       *Topology
	b       *spaceBuilder
	algebra space.Algebra
	to      []space.Value // where destinations begin that routes and addresses tell apart
	from    []space.Value // ... and sources, which rules tell apart too
	outward *outward      // of the destinations that were asked for last
}

// Verdicts are the packets that pass, those that are refused, and those of which
// it cannot be said. Every packet is in one of the three.
type Verdicts struct{ Passes, Refused, Unknown space.Set }

// Spaces are the sets of packets of a topology. The host is the name that
// clients ask for, for firewalls that look at it, or "".
func (t *Topology) Spaces(host string) *Spaces {
	b := newSpaceBuilder()
	b.host = host
	return t.spaces(b, space.NewAlgebra(&b.Store))
}

func (t *Topology) spaces(b *spaceBuilder, a space.Algebra) *Spaces {
	s := &Spaces{t: t, b: b, algebra: a}
	s.to = starts(t.deciding(), t.own())
	s.from = starts(t.deciding(), t.own(), t.ruleIntervals())
	return s
}

func (s *Spaces) verdicts(n spaceNode) Verdicts {
	return Verdicts{Passes: s.algebra.Of(s.b.Leaf(n, isYes)), Refused: s.algebra.Of(s.b.Leaf(n, isNo)), Unknown: s.algebra.Of(s.b.Leaf(n, isUnknown))}
}

// Algebra makes other sets that can be combined with those of the answers.
func (s *Spaces) Algebra() space.Algebra { return s.algebra }

// Between says which protocols and ports pass from one address to another. The
// sets do not look at addresses.
func (s *Spaces) Between(from, to netip.Addr) Verdicts {
	s.b.symbol = netip.Addr{}
	return s.verdicts(s.between(from.Unmap(), to.Unmap()))
}

func (s *Spaces) between(from, to netip.Addr) spaceNode {
	origins := s.t.places(from)
	if len(origins) == 0 {
		return s.b.path(s.t.walkFromOutside(from, to).parts)
	}
	var out spaceNode
	for i, o := range origins {
		n := s.b.path(s.t.walkFrom(o, from, to).parts)
		if i == 0 {
			out = n
			continue
		}
		out = s.b.Apply(s.b.opAlike, out, n)
	}
	return out
}

// From says what one address can reach: destinations, protocols and ports.
func (s *Spaces) From(from netip.Addr) Verdicts { return s.verdicts(s.reached(from.Unmap())) }

func (s *Spaces) reached(from netip.Addr) spaceNode {
	var pieces []space.Piece
	for i, first := range s.to {
		s.b.symbol = first.Addr()
		pieces = append(pieces, space.Piece{Last: s.lastOf(i), Node: s.between(from, s.b.symbol)})
	}
	return s.b.Join(space.Destination, pieces)
}

// Passing says which packets pass from a set of sources to a set of destinations.
// The sets of the answer are within the two.
func (s *Spaces) Passing(from, to []netip.Prefix) Verdicts {
	sources := space.Prefixes(from)
	var pieces []space.Piece
	for i, first := range s.from {
		piece := space.Piece{Last: space.Whole(space.Source)[0].Last}
		if i+1 < len(s.from) {
			piece.Last = s.from[i+1].Previous()
		}
		if slices.ContainsFunc(sources, func(v space.Interval) bool { return !v.Last.Less(first) && !piece.Last.Less(v.First) }) {
			piece.Node = s.reached(first.Addr())
		} else {
			piece.Node = isNo
		}
		pieces = append(pieces, piece)
	}
	v := s.verdicts(s.b.Join(space.Source, pieces))
	asked := s.algebra.Where(space.Source, sources...).And(s.algebra.Where(space.Destination, space.Prefixes(to)...))
	return Verdicts{Passes: v.Passes.And(asked), Refused: v.Refused.And(asked), Unknown: v.Unknown.And(asked)}
}

// starts are the values at which intervals begin or have just ended, in order.
func starts(lists ...[]space.Interval) []space.Value {
	top := space.Whole(space.Source)[0].Last
	out := []space.Value{{}}
	for _, list := range lists {
		for _, i := range list {
			out = append(out, i.First)
			if i.Last != top {
				out = append(out, i.Last.Next())
			}
		}
	}
	slices.SortFunc(out, compareValues)
	return slices.Compact(out)
}

func compareValues(a, b space.Value) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// own are the addresses of network interfaces, and where others may be.
func (t *Topology) own() []space.Interval {
	list := append(withins(t.unplaced), withins(t.modelless)...)
	for i := range t.Subnets {
		list = append(list, t.Subnets[i].Prefixes...)
	}
	for i := range t.NICs {
		for _, a := range t.NICs[i].Addrs {
			list = append(list, single(a))
		}
	}
	return space.Prefixes(list)
}

// deciding are all other prefixes that decide where packets go: two addresses
// that none of them tells apart take the same path.
func (t *Topology) deciding() []space.Interval {
	var list []netip.Prefix
	one := func(a netip.Addr) {
		if a.IsValid() {
			list = append(list, single(a))
		}
	}
	for _, v := range t.VNets {
		list = append(list, v.AddressSpace...)
		for _, p := range v.Peerings {
			list = append(list, p.RemoteAddressSpace...)
			list = append(list, withins(p.Doubts)...)
		}
	}
	for i := range t.NICs {
		if n := &t.NICs[i]; n.Kind == KindPrivateEndpoint {
			for _, a := range n.Addrs {
				one(a) // each has a route
			}
		}
	}
	for _, table := range t.tables {
		for _, u := range table.routes {
			list = append(list, u.prefixes...)
			one(u.address)
			list = append(list, withins(u.doubts)...)
		}
	}
	for _, fw := range t.Firewalls {
		one(fw.Private)
		list = append(list, fw.Untranslated...)
	}
	for _, lb := range t.Balancers {
		for _, fe := range lb.frontends {
			one(fe.private)
		}
	}
	for _, g := range t.Gateways {
		for _, site := range g.Sites {
			list = append(list, site.Prefixes...)
		}
	}
	for _, h := range t.hubs {
		for _, site := range h.gateway.Sites {
			list = append(list, site.Prefixes...)
			one(site.appliance)
		}
	}
	for a := range t.publicUse {
		one(a)
	}
	for _, tag := range serviceEndpointTags {
		prefixes, _ := service.Tag(tag)
		list = append(list, prefixes...)
	}
	list = append(append(list, worldwide...), private...)
	list = append(list, service.Customer, service.Customer6, single(service.WireServer), single(service.Metadata), any4)
	for _, tag := range []string{"AzureCloud", "AzureMachineLearning", "BatchNodeManagement"} {
		prefixes, _ := service.Tag(tag)
		list = append(list, prefixes...)
	}
	return space.Prefixes(list)
}

func withins(list []Doubt) []netip.Prefix {
	var out []netip.Prefix
	for _, d := range list {
		out = append(out, d.Within...)
	}
	return out
}

// ruleIntervals are the sources that rules name.
func (t *Topology) ruleIntervals() []space.Interval {
	seen := map[netip.Prefix]bool{}
	lists := map[listKey]bool{}
	add := func(list []netip.Prefix) {
		if len(list) == 0 || lists[listKey{&list[0], len(list)}] {
			return
		}
		lists[listKey{&list[0], len(list)}] = true
		for _, p := range list {
			seen[p] = true
		}
	}
	match := func(m Match) {
		add(m.Sources)
		add(m.Destinations)
		for _, d := range m.Doubts {
			add(d.Within)
		}
	}
	for _, s := range t.Subnets {
		for _, d := range []Direction{Inbound, Outbound} {
			for _, m := range t.Matches(s.NSG, s.ID, d) {
				match(m)
			}
			if a := t.adminOf(t.vnetOf(s), s.ID, d); a != nil {
				for _, m := range a.matches {
					match(m.Match)
				}
			}
		}
	}
	for _, n := range t.NICs {
		for _, d := range []Direction{Inbound, Outbound} {
			for _, m := range t.Matches(n.NSG, n.Subnet, d) {
				match(m)
			}
		}
	}
	for _, fw := range t.Firewalls {
		for _, r := range fw.rules {
			match(r.Match)
		}
		for _, r := range fw.nat {
			match(r.Match)
		}
	}
	var list []netip.Prefix
	for p := range seen {
		list = append(list, p)
	}
	return space.Prefixes(list)
}

func (t *Topology) vnetOf(s Subnet) VNet { v, _ := t.VNet(s.VNet); return v }
