package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// publicUse is what a public address of the plan is for.
type publicUse struct {
	key   string // by which it is looked up and ordered
	asked netip.Addr
	six   bool // of IPv6
	id    arm.ID
	what  string // how a step names it
}

// publicAddresses gives the estate's public addresses from the plan: to public
// IP address and prefix documents, to compute clusters whose nodes have one,
// and to each network for default outbound access. They follow from the order
// of ids; an address that a document has recorded is kept.
func (b *builder) publicAddresses() {
	uses := b.publicUses()
	slices.SortFunc(uses, func(x, y publicUse) int { return strings.Compare(x.key, y.key) })
	for _, u := range uses {
		if _, taken := b.t.publicUse[u.asked]; u.asked.IsValid() && u.from().Contains(u.asked) && !taken {
			b.t.givePublic(u, u.asked)
		}
	}
	next := map[bool]netip.Addr{false: service.Customer.Addr().Next(), true: service.Customer6.Addr().Next()}
	for _, u := range uses {
		if b.t.public[u.key].IsValid() {
			continue
		}
		a, end := next[u.six], last(u.from())
		for a != end && b.t.publicUse[a].key != "" {
			a = a.Next()
		}
		next[u.six] = a
		if a == end {
			b.problemOf(u.id, "%s has no public address: the plan %s is used up", u.what, u.from())
			continue
		}
		b.t.givePublic(u, a)
	}
}

// from is the part of the plan that the address is of.
func (u publicUse) from() netip.Prefix {
	if u.six {
		return service.Customer6
	}
	return service.Customer
}

func (t *Topology) givePublic(u publicUse, a netip.Addr) {
	t.public[u.key], t.publicUse[a] = a, u
}

func (b *builder) publicUses() []publicUse {
	var uses []publicUse
	for _, r := range b.e.OfType(typePublicIP) {
		asked, _ := parseAddr(arm.String(r.Properties, "ipAddress"))
		uses = append(uses, publicUse{r.ID.Key(), asked, isSix(r), r.ID, "public IP address " + r.ID.Name()})
		b.t.skus[r.ID.Key()] = strings.EqualFold(arm.String(r.SKU, "name"), "Standard")
	}
	for _, r := range b.e.OfType(typeIPPrefix) {
		uses = append(uses, publicUse{r.ID.Key(), netip.Addr{}, isSix(r), r.ID, "public IP prefix " + r.ID.Name()})
	}
	for _, fw := range b.t.Firewalls {
		if len(fw.Public) == 1 && fw.Public[0].Equal(fw.ID) {
			uses = append(uses, publicUse{fw.ID.Key(), hubPublic(b.e, fw.ID), false, fw.ID, "public IP address"})
		}
	}
	for _, v := range b.t.VNets {
		uses = append(uses, publicUse{defaultKey(v.ID), netip.Addr{}, false, v.ID, "default outbound access of " + v.Name})
	}
	clusters := map[string]bool{}
	for _, p := range b.pending {
		for _, c := range p.configs {
			if c.own && !c.six {
				uses = append(uses, publicUse{c.public.Key(), netip.Addr{}, false, c.public, "public IP address of " + p.nic.Name})
			}
		}
		if p.nic.Via == ViaCluster && !clusters[p.nic.Owner.Key()] {
			clusters[p.nic.Owner.Key()] = true
			uses = append(uses, publicUse{p.nic.Owner.Key(), netip.Addr{}, false, p.nic.Owner, "compute cluster " + p.nic.Owner.Name()})
		}
	}
	return uses
}

// hubPublic is the first public address that a hub's firewall has recorded.
func hubPublic(e *arm.Estate, id arm.ID) netip.Addr {
	r, _ := e.Get(id)
	for _, o := range arm.Objects(r.Properties, "hubIPAddresses.publicIPs.addresses") {
		if a, err := parseAddr(arm.String(o, "address")); err == nil {
			return a
		}
	}
	return netip.Addr{}
}

// isSix reports whether a public IP address or prefix is of IPv6.
func isSix(r arm.Resource) bool {
	return strings.EqualFold(arm.String(r.Properties, "publicIPAddressVersion"), "IPv6")
}

func defaultKey(vnet arm.ID) string { return vnet.Key() + "#default" }

// PublicIP is the address of a publicIPAddresses document, or of another that
// has one; invalid where there is none.
func (t *Topology) PublicIP(id arm.ID) netip.Addr { return t.public[id.Key()] }

// EgressAddr is the public IPv4 address that the internet sees of a NIC's own TCP
// connections, and by what. Whether its routes lead to the internet is not
// looked at: that is a question about a flow.
func (t *Topology) EgressAddr(nic arm.ID) (netip.Addr, Answer) {
	n, ok := t.NIC(nic)
	if fw := t.firewallAt[nic.Key()]; fw != nil {
		n, ok = t.FirewallNIC(fw), true
	}
	if !ok {
		return netip.Addr{}, answer(verdict.Step{At: "NIC " + nic.Name(), Resource: nic, Value: verdict.No, Reason: "there is no such network interface"})
	}
	a, step := t.egress(n, TCP)
	return a, answer(step)
}

func answer(s verdict.Step) Answer {
	var a Answer
	a.Add(s)
	return a
}

// egress: a NAT gateway goes before everything else, then what the NIC itself
// has, then default outbound access.
//
// Source: Microsoft Learn, "Azure NAT Gateway SKUs" (SKU comparison, protocols).
func (t *Topology) egress(n NIC, p Protocol) (netip.Addr, verdict.Step) {
	step := verdict.Step{At: "way out of " + n.Name, Value: verdict.Unknown}
	s, ok := t.Subnet(n.Subnet)
	if !ok {
		step.Reason = n.Name + " is in no subnet of the estate"
		return netip.Addr{}, step
	}
	if d, unknown := s.Doubts.About(aboutNAT); unknown {
		step.Reason = d.Reason
		return netip.Addr{}, step
	}
	if n.Kind == KindPrivateEndpoint {
		step.Value, step.Reason = verdict.No, "a private endpoint starts no connection"
		return netip.Addr{}, step
	}
	if s.NATGateway != "" {
		return t.natEgress(s, step, p)
	}
	if n.PublicAddr.IsValid() {
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s, its own public IP address", n.PublicAddr)
		return n.PublicAddr, step
	}
	return t.subnetEgress(n, s, step, p)
}

func (t *Topology) natEgress(s Subnet, step verdict.Step, p Protocol) (netip.Addr, verdict.Step) {
	step.Resource = s.NATGateway
	a, doubts := t.natAddr(s.NATGateway)
	switch {
	case p == ICMP && (a.IsValid() || len(doubts) == 0):
		step.Value, step.Reason = verdict.No, fmt.Sprintf("NAT gateway %s of subnet %s takes out TCP and UDP only", s.NATGateway.Name(), s.Name)
		return netip.Addr{}, step
	case a.IsValid():
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s through NAT gateway %s of subnet %s", a, s.NATGateway.Name(), s.Name)
	case len(doubts) > 0:
		step.Reason = doubts[0].Reason
	default:
		step.Value, step.Reason = verdict.No, fmt.Sprintf("NAT gateway %s has no public IP address or prefix; associate one", s.NATGateway.Name())
	}
	return a, step
}

func (t *Topology) natAddr(id arm.ID) (netip.Addr, Doubts) {
	nat := t.nats[id.Key()]
	for _, p := range nat.addresses {
		if a := t.PublicIP(p); a.Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, nat.doubts
}

// subnetEgress is the way out of a NIC that has none of its own.
//
// Source: Microsoft Learn, "Default outbound access in Azure" (it supports no ICMP).
func (t *Topology) subnetEgress(n NIC, s Subnet, step verdict.Step, p Protocol) (netip.Addr, verdict.Step) {
	step.Resource = s.ID
	if d, unknown := firstDoubt(n.Doubts, aboutPublic, aboutNodePub, aboutConfigs, aboutPool); unknown {
		step.Resource, step.Reason = n.ID, d.Reason
		return netip.Addr{}, step
	}
	switch n.Via {
	case ViaCluster:
		a := t.public[n.Owner.Key()]
		step.Resource, step.Value, step.Reason = n.Owner, verdict.Yes, fmt.Sprintf("leaves as %s, the public address of the nodes of %s", a, n.Owner.Name())
		return a, step
	case ViaExplicit:
		_, open := s.Doubts.About(aboutOutbound)
		step.Value, step.Reason = verdict.No, fmt.Sprintf(
			"nodes of %s have no public IP address and subnet %s has no NAT gateway; add one, or route 0.0.0.0/0 to a firewall", n.Owner.Name(), s.Name)
		// Microsoft says both that such nodes have no way out and that default outbound
		// access may be one. Source: Microsoft Learn, "Secure an Azure Machine Learning
		// training environment with virtual networks" (no public IP).
		if n.Kind == KindCompute && (s.DefaultOutbound || open) {
			step.Value = verdict.Unknown
			step.Reason += "; whether default outbound access lets them out is not promised, and defaultOutboundAccess of the subnet is not false"
		}
		return netip.Addr{}, step
	case ViaBalancer:
		if a, step, decided := t.balancerEgress(n, step, p); decided {
			return a, step
		}
	}
	if d, unknown := s.Doubts.About(aboutOutbound); unknown {
		step.Reason = d.Reason
		return netip.Addr{}, step
	}
	if !s.DefaultOutbound {
		step.Value, step.Reason = verdict.No, fmt.Sprintf(
			"subnet %s has no way to the internet: defaultOutboundAccess is false, and there is neither a NAT gateway nor a public IP address; add one", s.Name)
		return netip.Addr{}, step
	}
	if p == ICMP {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("subnet %s has default outbound access only, which takes out no ICMP; add a public IP address", s.Name)
		return netip.Addr{}, step
	}
	a := t.public[defaultKey(s.VNet)]
	step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s by default outbound access of subnet %s", a, s.Name)
	return a, step
}

func firstDoubt(d Doubts, properties ...string) (Doubt, bool) {
	for _, p := range properties {
		if doubt, ok := d.About(p); ok {
			return doubt, true
		}
	}
	return Doubt{}, false
}

// natGateway is what a NAT gateway has to translate to.
type natGateway struct {
	addresses []arm.ID
	six       bool // some are of IPv6
	second    bool // StandardV2, which takes out IPv6 too
	doubts    Doubts
}

func (b *builder) natGateways() {
	for _, r := range b.e.OfType(typeNATGateway) {
		g := natGateway{second: strings.EqualFold(arm.String(r.SKU, "name"), "StandardV2")}
		d := b.read(r, &g.doubts)
		g.addresses = append(d.refs("publicIpAddresses"), d.refs("publicIpPrefixes")...)
		ofSix := append(d.refs("publicIpAddressesV6"), d.refs("publicIpPrefixesV6")...)
		g.addresses, g.six = append(g.addresses, ofSix...), len(ofSix) > 0
		for _, id := range g.addresses {
			r, ok := b.e.Get(id)
			g.six = g.six || ok && isSix(r)
			if !ok {
				d.doubt("publicIpAddresses", id.Name()+" is not in the estate")
			}
		}
		b.t.nats[r.ID.Key()] = g
	}
}
