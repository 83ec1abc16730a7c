package network

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/space"
)

// Member is one address of a network interface.
type Member struct {
	NIC  arm.ID
	Addr netip.Addr
}

// Class are addresses of network interfaces that no rule and no route tells
// apart: same subnet, security groups, application security groups, and on the
// same side of every prefix that anything names.
type Class struct {
	Members []Member

	nic   int // of the first member
	route int // the number of its routeKey
	out   side
	in    side
}

// classKey is what the members of a class have in common.
type classKey struct {
	subnet, nsg, asgs, state string
	atom                     int
}

// routeKey is what decides how packets of a class, and those to it, travel.
type routeKey struct {
	subnet int // the first subnet with the same routes
	atom   int // between the prefixes of routes and networks
	state  string
}

// side are the security groups of a class in one direction.
type side struct {
	admin   spaceNode // 0 for none
	filters []spaceNode
	near    []int // where in the filters the address was that was asked for last
}

// grouping finds the classes of a topology.
type grouping struct {
	t            *Topology
	routes       []space.Value // where addresses begin that routes tell apart
	rules        []space.Value // ... or rules
	middle       []space.Value // ... or rules of firewalls, once they are asked for
	subnetRoutes map[string]int
	numbers      map[routeKey]int
	hops         map[netip.Addr]bool
}

func (t *Topology) grouping() *grouping {
	g := t.routeGrouping()
	g.rules = starts(t.deciding(), t.ruleIntervals())
	return g
}

// routeGrouping tells apart by routes alone.
func (t *Topology) routeGrouping() *grouping {
	g := &grouping{t: t, routes: starts(t.deciding()), subnetRoutes: map[string]int{}, numbers: map[routeKey]int{}, hops: map[netip.Addr]bool{}}
	for _, table := range t.tables {
		for _, u := range table.routes {
			g.hops[u.address] = true
		}
	}
	for _, h := range t.hubs {
		for _, site := range h.gateway.Sites {
			g.hops[site.appliance] = true
		}
	}
	return g
}

// atomOf is the place of an address among values at which others begin.
func atomOf(list []space.Value, a netip.Addr) int {
	v := space.Address(a)
	return sort.Search(len(list), func(i int) bool { return v.Less(list[i]) })
}

// classes groups the addresses of all network interfaces.
func (g *grouping) classes() []Class {
	at := map[classKey]int{}
	var out []Class
	for i := range g.t.NICs {
		n := &g.t.NICs[i]
		for _, a := range n.Addrs {
			key := g.key(n, a)
			j, ok := at[key]
			if !ok {
				j = len(out)
				at[key] = j
				out = append(out, Class{nic: i, route: g.routeNumber(n, a)})
			}
			out[j].Members = append(out[j].Members, Member{NIC: n.ID, Addr: a})
		}
	}
	return out
}

// alone reports whether an address is in a class of its own: where something
// about its interface is not known, where routes may lead through the interface,
// where the interface has another address, which is its own whatever the rules
// say, and where the address is in another network too.
func (g *grouping) alone(n *NIC, a netip.Addr) bool {
	return len(n.Doubts) > 0 || len(g.t.byAddr[a]) > 1 || len(n.memberships) > 0 || n.hasSibling(a) ||
		slices.ContainsFunc(n.Addrs, func(b netip.Addr) bool { return g.hops[b] })
}

func (g *grouping) key(n *NIC, a netip.Addr) classKey {
	asgs := make([]string, len(n.ASGs))
	for i, id := range n.ASGs {
		asgs[i] = id.Key()
	}
	slices.Sort(asgs)
	_, standard := g.t.standard[n.ID.Key()]
	state := fmt.Sprint(n.Kind, n.Approved, standard)
	if g.alone(n, a) {
		state = n.ID.Key() + a.String()
	}
	return classKey{subnet: n.Subnet.Key(), nsg: n.NSG.Key(), asgs: strings.Join(asgs, " "), state: state, atom: atomOf(g.rules, a)}
}

func (g *grouping) routeKey(n *NIC, a netip.Addr) routeKey {
	key := routeKey{subnet: g.subnetRoute(n.Subnet), atom: atomOf(g.routes, a), state: fmt.Sprint(n.Kind, n.Approved)}
	if g.alone(n, a) {
		key.state = n.ID.Key() + a.String()
	}
	return key
}

// routeNumber numbers the routeKeys.
func (g *grouping) routeNumber(n *NIC, a netip.Addr) int {
	key := g.routeKey(n, a)
	i, ok := g.numbers[key]
	if !ok {
		i = len(g.numbers)
		g.numbers[key] = i
	}
	return i
}

// subnetRoute is the first subnet whose packets take the same routes.
func (g *grouping) subnetRoute(id arm.ID) int {
	i, ok := g.t.subnetAt[id.Key()]
	if !ok {
		return -1
	}
	s := &g.t.Subnets[i]
	key := fmt.Sprint(s.VNet.Key(), "|", s.RouteTable.Key(), "|", s.ServiceEndpoints, strings.EqualFold(s.Name, gatewaySubnet))
	if len(s.Doubts) > 0 {
		key = s.ID.Key()
	}
	if j, ok := g.subnetRoutes[key]; ok {
		return j
	}
	g.subnetRoutes[key] = i
	return i
}

// hasSibling reports whether a machine's interface has another address of the
// same version.
func (n *NIC) hasSibling(a netip.Addr) bool {
	return n.Kind != KindPrivateEndpoint && slices.ContainsFunc(n.Addrs, func(b netip.Addr) bool { return b != a && b.Is4() == a.Is4() })
}
