package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
)

// outward keeps what lies between the security groups of machines and the
// destinations outside all networks: the same for every address whose packets
// leave in the same way.
type outward struct {
	g       *grouping
	to      []space.Interval
	outside []int // pieces of Spaces.to that are asked for, outside all networks
	single  []int // ... and within one, or at an address of the platform
	rest    map[string]spaceNode
}

// Toward says what one address can reach of some destinations, which are in order
// and apart. Where none of them are, nothing is said to pass.
func (s *Spaces) Toward(from netip.Addr, to []space.Interval) Verdicts {
	from = from.Unmap()
	if s.outward == nil || !slices.Equal(s.outward.to, to) {
		s.outward = s.newOutward(to)
	}
	v := s.verdicts(s.toward(from, s.outward))
	asked := s.algebra.Where(space.Destination, to...)
	return Verdicts{Passes: v.Passes.And(asked), Refused: v.Refused.And(asked), Unknown: v.Unknown.And(asked)}
}

// newOutward sorts the pieces that are asked for.
func (s *Spaces) newOutward(to []space.Interval) *outward {
	o := &outward{g: s.t.routeGrouping(), to: slices.Clone(to), rest: map[string]spaceNode{}}
	var spaces []netip.Prefix
	for _, v := range s.t.VNets {
		spaces = append(spaces, v.AddressSpace...)
	}
	for _, n := range s.t.Subnets {
		spaces = append(spaces, n.Prefixes...)
	}
	inside := space.Union(space.Prefixes(append(spaces, single(service.WireServer), single(service.Metadata))))
	asked := to
	for i, first := range s.to {
		last := s.lastOf(i)
		asked, inside = after(asked, first), after(inside, first)
		switch {
		case !begunBy(asked, last):
		case begunBy(inside, last):
			o.single = append(o.single, i)
		default:
			o.outside = append(o.outside, i)
		}
	}
	return o
}

// lastOf is the last destination of a piece.
func (s *Spaces) lastOf(i int) space.Value {
	if i+1 < len(s.to) {
		return s.to[i+1].Previous()
	}
	return space.Whole(space.Destination)[0].Last
}

// after are the intervals that do not end before a value.
func after(list []space.Interval, v space.Value) []space.Interval {
	for len(list) > 0 && list[0].Last.Less(v) {
		list = list[1:]
	}
	return list
}

func begunBy(list []space.Interval, last space.Value) bool {
	return len(list) > 0 && !last.Less(list[0].First)
}

func (s *Spaces) toward(from netip.Addr, o *outward) spaceNode {
	nodes := make(map[int]spaceNode, len(o.single))
	for _, i := range o.single {
		s.b.symbol = s.to[i].Addr()
		nodes[i] = s.between(from, s.b.symbol)
	}
	shared := s.sharedOutward(from, o)
	for _, i := range o.outside {
		nodes[i] = shared
	}
	return s.joined(nodes)
}

// joined are pieces together; what is not among them does not pass. There is a piece
// for each address of the estate, and few of them are asked for: what is alike is one.
func (s *Spaces) joined(nodes map[int]spaceNode) spaceNode {
	var pieces []space.Piece
	put := func(through int, n spaceNode) {
		if k := len(pieces); k == 0 || pieces[k-1].Node != n {
			pieces = append(pieces, space.Piece{Node: n})
		}
		pieces[len(pieces)-1].Last = s.lastOf(through)
	}
	next := 0
	for _, i := range slices.Sorted(maps.Keys(nodes)) {
		if i > next {
			put(i-1, isNo)
		}
		put(i, nodes[i])
		next = i + 1
	}
	if next < len(s.to) {
		put(len(s.to)-1, isNo)
	}
	return s.b.Join(space.Destination, pieces)
}

// sharedOutward is what passes outside all networks: what the machine's own groups
// let out, and what is beyond them.
func (s *Spaces) sharedOutward(from netip.Addr, o *outward) spaceNode {
	origins := s.t.places(from)
	if len(origins) != 1 {
		return s.walkedOutward(from, o, func(parts []part) []part { return parts })
	}
	p := origins[0]
	key := o.wayOut(p, from)
	rest, ok := o.rest[key]
	if !ok {
		rest = s.walkedOutward(from, o, func(parts []part) []part {
			return slices.DeleteFunc(parts, func(x part) bool { return isOwn(x, p, from) })
		})
		o.rest[key] = rest
	}
	m := Matrix{s: s}
	return s.b.and(m.passes(m.side(p, Outbound), space.Source, space.Address(from)), rest)
}

// isOwn reports whether a part is the groups of the machine itself as it sends.
func isOwn(x part, p place, from netip.Addr) bool {
	g, ok := x.(groups)
	return ok && g.nic.Equal(p.nic.ID) && g.direction == Outbound && g.from == from
}

func (s *Spaces) walkedOutward(from netip.Addr, o *outward, kept func([]part) []part) spaceNode {
	nodes := make(map[int]spaceNode, len(o.outside))
	for _, i := range o.outside {
		to := s.to[i].Addr()
		s.b.symbol = to
		origins := s.t.places(from)
		if len(origins) != 1 {
			nodes[i] = s.between(from, to)
			continue
		}
		nodes[i] = s.b.path(kept(s.t.walkFrom(origins[0], from, to).parts))
	}
	return s.joined(nodes)
}

// wayOut names the way in which packets of an address leave the networks: by what
// its subnet and its interface have, but their security groups.
func (o *outward) wayOut(p place, from netip.Addr) string {
	if p.free || o.g.alone(&p.nic, from) || len(p.subnet.Doubts) > 0 || len(p.vnet.Doubts) > 0 {
		return p.nic.ID.Key() + " " + from.String()
	}
	s := p.subnet
	return fmt.Sprint(s.VNet.Key(), "|", s.RouteTable.Key(), "|", s.NATGateway.Key(), "|", s.ServiceEndpoints, s.DefaultOutbound, s.EndpointNSG, s.EndpointRoutes,
		strings.EqualFold(s.Name, gatewaySubnet), "|", p.nic.Kind, p.nic.Via, p.nic.PublicAddr, p.nic.PublicAddr6, o.g.t.standard[p.nic.ID.Key()], "|", o.firewallAtom(from))
}

// firewallAtom is the place of an address among those that routes and the rules of
// firewalls tell apart.
func (o *outward) firewallAtom(a netip.Addr) int {
	if o.g.middle == nil {
		var list []netip.Prefix
		for _, fw := range o.g.t.Firewalls {
			for _, r := range fw.rules {
				list = append(list, r.Sources...)
				list = append(list, withins(r.Doubts)...)
			}
			for _, r := range fw.nat {
				list = append(list, r.Sources...)
				list = append(list, withins(r.Doubts)...)
			}
		}
		o.g.middle = starts(o.g.t.deciding(), space.Prefixes(list))
	}
	return atomOf(o.g.middle, a)
}
