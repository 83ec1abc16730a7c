package network

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// join notes to which pools a NIC belongs, and whose machine it is.
func (t *Topology) join(i int, n NIC) {
	if n.Kind == KindVM && n.Owner != "" {
		t.interfaces[n.Owner.Key()]++
	}
	if d, unknown := firstDoubt(n.Doubts, aboutPublic, aboutConfigs); unknown && n.Kind == KindVM {
		t.publicDoubts = append(t.publicDoubts, Doubt{Reason: n.Name + ": " + d.Reason})
	}
	if _, have := t.nodes[n.Owner.Key()]; !have && n.Kind == KindCompute && n.Via == ViaCluster && len(n.Addrs) > 0 {
		t.nodes[n.Owner.Key()] = i
	}
	if len(n.memberships) > 0 {
		t.pooled[i] = n.memberships
	}
	if d, unknown := firstDoubt(n.Doubts, aboutPool, aboutConfigs); unknown {
		t.poolDoubts = append(t.poolDoubts, Doubt{Reason: n.Name + ": " + d.Reason})
	}
}

// addressOf is the resource whose private address a value will be: what a reader
// leaves unknown because Azure chooses it, and says by an expression that begins
// with the resource's own name.
func (b *builder) addressOf(o arm.Object, path string) (arm.ID, bool) {
	u, unknown := arm.UnknownAt(o, path)
	if !unknown || !strings.Contains(u.Expression, "private_ip_address") && !strings.Contains(u.Expression, "privateIPAddress") {
		return "", false
	}
	var found []arm.ID
	for _, r := range slices.Concat(b.e.OfType(typeFirewall), b.e.OfType(typeBalancer)) {
		own := r.Source.Address
		if i := strings.LastIndex(own, "module."); i >= 0 { // expressions are written within the module
			parts := strings.SplitN(own[i:], ".", 3)
			own = parts[len(parts)-1]
		}
		if own != "" && (strings.HasPrefix(u.Expression, own+".") || strings.HasPrefix(u.Expression, r.Source.Address+".") || strings.HasPrefix(u.Expression, own+"[")) {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// resolveHops gives routes that name a machine its address.
func (b *builder) resolveHops() {
	for _, table := range b.t.tables {
		for i := range table.routes {
			u := &table.routes[i]
			if u.via == "" {
				continue
			}
			if u.address = b.t.sharedAddr(u.via); !u.address.IsValid() {
				u.doubts = append(u.doubts, Doubt{About: aboutHop, Reason: "the address of " + u.via.Name() + " is not known"})
			}
		}
	}
}

// sharedAddr is the private address of a firewall, or the only one of a load balancer.
func (t *Topology) sharedAddr(id arm.ID) netip.Addr {
	if fw := t.firewallAt[id.Key()]; fw != nil {
		return fw.Private
	}
	for _, lb := range t.Balancers {
		if lb.ID.Equal(id) && len(lb.frontends) == 1 {
			return lb.frontends[0].private
		}
	}
	return netip.Addr{}
}

// hiddenShared notes that firewalls and load balancers of which something is not
// known may have any private address.
func (t *Topology) hiddenShared() {
	note := func(name string, d Doubts) {
		if len(d) > 0 {
			t.modelless = append(t.modelless, Doubt{Within: private, Reason: name + ": " + d[0].Reason})
		}
	}
	for _, fw := range t.Firewalls {
		note(fw.Name, fw.Doubts)
	}
	for _, lb := range t.Balancers {
		note(lb.Name, lb.Doubts)
	}
}
