package network

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Alike says which addresses of network interfaces are treated alike. What is
// true of one is then asked once and not of each. It is safe for concurrent use.
type Alike struct {
	g     *grouping
	whole sync.Once
	ways  map[Member]int
	kinds map[Member]int
}

// Alike groups the addresses of all network interfaces.
func (t *Topology) Alike() *Alike {
	a := &Alike{g: t.routeGrouping(), ways: map[Member]int{}, kinds: map[Member]int{}}
	at := map[routeKey]int{}
	a.each(func(n *NIC, m Member) {
		key := a.g.routeKey(n, m.Addr)
		i, ok := at[key]
		if !ok {
			i = len(at)
			at[key] = i
		}
		a.ways[m] = i
	})
	return a
}

func (a *Alike) each(do func(*NIC, Member)) {
	for i := range a.g.t.NICs {
		n := &a.g.t.NICs[i]
		for _, addr := range n.Addrs {
			do(n, Member{NIC: n.ID, Addr: addr})
		}
	}
}

// Way numbers addresses by how packets travel from and to them within networks,
// whatever security groups say.
func (a *Alike) Way(nic arm.ID, addr netip.Addr) (int, bool) {
	i, ok := a.ways[Member{NIC: nic, Addr: addr}]
	return i, ok
}

// Kind numbers addresses by what any rule or route tells apart, and by how they
// leave for the internet: the members of one kind pass alike to everywhere.
func (a *Alike) Kind(nic arm.ID, addr netip.Addr) (int, bool) {
	a.whole.Do(func() {
		a.g.rules = starts(a.g.t.deciding(), a.g.t.ruleIntervals())
		at := map[string]int{}
		a.each(func(n *NIC, m Member) {
			key := fmt.Sprint(a.g.key(n, m.Addr), n.Via, n.PublicAddr, n.PublicAddr6)
			i, ok := at[key]
			if !ok {
				i = len(at)
				at[key] = i
			}
			a.kinds[m] = i
		})
	})
	i, ok := a.kinds[Member{NIC: nic, Addr: addr}]
	return i, ok
}

// MayLoseReplies reports whether the replies of a connection between two addresses
// have no way back, or one that a firewall on the way refuses, should security
// groups let the connection begin.
func (t *Topology) MayLoseReplies(from, to netip.Addr) bool {
	for _, o := range t.places(from.Unmap()) {
		if losesReplies(t.walkFrom(o, from.Unmap(), to.Unmap()).parts) {
			return true
		}
	}
	return false
}

func losesReplies(parts []part) bool {
	for _, p := range parts {
		switch p := p.(type) {
		case halfSeen:
			return true
		case fixed:
			if p.Value == verdict.No && strings.HasPrefix(p.At, "way back") {
				return true
			}
		case firewallPart:
			if losesReplies(p.network) || losesReplies(p.application) {
				return true
			}
		case fork:
			for _, b := range p.branches {
				if losesReplies(b.parts) {
					return true
				}
			}
		case spread:
			for _, w := range p.ways {
				if losesReplies(w) {
					return true
				}
			}
		}
	}
	return false
}
