package network

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Azure keeps the first four addresses of a subnet's prefix and its last.
const reservedFirst = 4

// pool gives out the addresses of one subnet.
type pool struct {
	subnet Subnet
	owner  map[netip.Addr]string
	next   map[netip.Prefix]netip.Addr // nothing below is free
}

// allocate gives every NIC its addresses: those asked for first, then the
// lowest free ones in the order of ids, compute nodes after all others.
func (b *builder) allocate() {
	pools := map[string]*pool{}
	for _, s := range b.t.Subnets {
		pools[s.ID.Key()] = &pool{subnet: s, owner: map[netip.Addr]string{}, next: map[netip.Prefix]netip.Addr{}}
	}
	slices.SortStableFunc(b.pending, func(x, y pendingNIC) int {
		if x.last != y.last {
			if x.last {
				return 1
			}
			return -1
		}
		if x.last {
			return strings.Compare(x.doc.ID.Key(), y.doc.ID.Key())
		}
		return strings.Compare(x.nic.ID.Key(), y.nic.ID.Key())
	})
	b.reserve(pools)
	for i := range b.pending {
		b.claim(&b.pending[i], pools[b.pending[i].nic.Subnet.Key()])
	}
	b.claimShared(pools)
	full := map[string]bool{}
	for i := range b.pending {
		b.fill(&b.pending[i], pools[b.pending[i].nic.Subnet.Key()], full)
	}
	b.fillFrontends(pools)
}

// reserve keeps the addresses that resources of other kinds ask for.
func (b *builder) reserve(pools map[string]*pool) {
	for _, h := range b.t.holders {
		if p := pools[h.subnet.Key()]; p != nil && h.addr.IsValid() {
			p.owner[h.addr] = h.id.Name()
		}
	}
}

func (b *builder) claim(n *pendingNIC, p *pool) {
	for i := range n.configs {
		c := &n.configs[i]
		if !c.addr.IsValid() || p == nil {
			continue
		}
		if why := p.refuse(c.addr); why != "" {
			b.problem(n.doc, "address %s of %s %s", c.addr, n.nic.Name, why)
			n.nic.Doubts = append(n.nic.Doubts, Doubt{About: aboutAddr, Reason: "address " + c.addr.String() + " " + why})
			c.addr, c.hidden = netip.Addr{}, true
			continue
		}
		p.owner[c.addr] = n.nic.Name
	}
}

// refuse says why an address cannot be had, or "".
func (p *pool) refuse(a netip.Addr) string {
	if len(p.subnet.Prefixes) == 0 {
		return ""
	}
	for _, prefix := range p.subnet.Prefixes {
		if !prefix.Contains(a) {
			continue
		}
		if isReserved(prefix, a) {
			return "is one of the five that Azure keeps in subnet " + p.subnet.Name + " (" + prefix.String() + "); choose another"
		}
		if owner, taken := p.owner[a]; taken {
			return "is taken by " + owner + "; choose another"
		}
		return ""
	}
	return "is outside subnet " + p.subnet.Name + " (" + join(p.subnet.Prefixes) + "); choose one within"
}

func isReserved(p netip.Prefix, a netip.Addr) bool {
	first := p.Addr()
	for range reservedFirst {
		if a == first {
			return true
		}
		first = first.Next()
	}
	return a == last(p)
}

// fill gives a NIC the addresses that it leaves to the subnet, and adds it.
func (b *builder) fill(n *pendingNIC, p *pool, full map[string]bool) {
	for _, c := range n.configs {
		a := c.addr
		if !a.IsValid() && !c.hidden && p != nil {
			a = p.take(c.six, n.nic.Name)
			if !a.IsValid() && p.has(c.six) && !full[p.subnet.ID.Key()+n.doc.ID.Key()] {
				full[p.subnet.ID.Key()+n.doc.ID.Key()] = true
				b.problem(n.doc, "subnet %s (%s) has no free address for %s; use a larger subnet", p.subnet.Name, join(p.subnet.Prefixes), n.nic.Name)
			}
		}
		b.t.addAddr(&n.nic, c, a)
	}
	// A node for which there is no room never starts.
	if n.last && len(n.nic.Addrs) == 0 && p != nil && p.has(false) {
		return
	}
	b.t.NICs = append(b.t.NICs, n.nic)
}

func (p *pool) has(six bool) bool {
	return slices.ContainsFunc(p.subnet.Prefixes, func(q netip.Prefix) bool { return q.Addr().Is6() == six })
}

func (p *pool) take(six bool, owner string) netip.Addr {
	for _, prefix := range p.subnet.Prefixes {
		if prefix.Addr().Is6() != six {
			continue
		}
		a, started := p.next[prefix]
		if !started {
			a = prefix.Addr()
			for range reservedFirst {
				a = a.Next()
			}
		}
		for ; a.IsValid() && prefix.Contains(a) && a != last(prefix); a = a.Next() {
			if _, taken := p.owner[a]; !taken {
				p.owner[a] = owner
				p.next[prefix] = a.Next()
				return a
			}
		}
		p.next[prefix] = a
	}
	return netip.Addr{}
}

// claimShared keeps the addresses of firewalls and load balancers. Azure gives a
// firewall the first address of its subnet; a frontend that asks for none gets
// one of those that nobody asks for.
func (b *builder) claimShared(pools map[string]*pool) {
	for _, fw := range b.t.Firewalls {
		p := pools[fw.Subnet.Key()]
		if p == nil {
			continue
		}
		if fw.Private.IsValid() {
			p.owner[fw.Private] = fw.Name
		} else if len(fw.Doubts) == 0 || p.has(false) {
			fw.Private = p.take(false, fw.Name)
		}
	}
	for _, lb := range b.t.Balancers {
		for _, fe := range lb.frontends {
			if p := pools[fe.subnet.Key()]; p != nil && fe.private.IsValid() {
				p.owner[fe.private] = lb.Name
			}
		}
	}
}

// fillFrontends gives load balancers the addresses that they leave to the subnet.
func (b *builder) fillFrontends(pools map[string]*pool) {
	for _, lb := range b.t.Balancers {
		_, hidden := lb.Doubts.About(aboutAddr)
		for _, fe := range lb.frontends {
			if p := pools[fe.subnet.Key()]; p != nil && !fe.private.IsValid() && !hidden {
				fe.private = p.take(false, lb.Name)
			}
		}
	}
}

func (t *Topology) addAddr(n *NIC, c ipConfig, a netip.Addr) {
	switch public := t.PublicIP(c.public); {
	case public.Is4() && !n.PublicAddr.IsValid() && !c.six:
		n.PublicAddr, n.PublicTo = public, a
	case public.Is6() && !n.PublicAddr6.IsValid() && c.six:
		n.PublicAddr6, n.PublicTo6 = public, a
	}
	if t.skus[c.public.Key()] {
		t.standard[n.ID.Key()] = c.public
	}
	if !a.IsValid() && !c.hidden {
		return
	}
	for _, pool := range c.pools {
		n.memberships = append(n.memberships, membership{pool: pool, addr: a, six: c.six})
	}
	for _, rule := range c.rules {
		n.memberships = append(n.memberships, membership{rule: rule, addr: a, six: c.six})
	}
	if c.hidden {
		return
	}
	n.Addrs = append(n.Addrs, a)
	if n.Kind == KindPrivateEndpoint {
		n.Members = append(n.Members, c.member)
	}
}

// holder is a resource of a kind that is not modelled but has an address in a
// subnet: a load balancer, a firewall, a gateway.
type holder struct {
	id     arm.ID
	subnet arm.ID
	addr   netip.Addr // invalid where Azure chooses it
}
