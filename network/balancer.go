package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeBalancer = "Microsoft.Network/loadBalancers"

	aboutBalancing = "loadBalancingRules"
)

// Balancer is a load balancer.
type Balancer struct {
	ID       arm.ID
	Name     string
	Standard bool
	Doubts   Doubts

	frontends []*frontend
	outbound  []outboundRule
	probes    []probe
	listed    []listedAddress
}

// frontend is an address at which a load balancer listens.
type frontend struct {
	id       arm.ID
	balancer *Balancer
	subnet   arm.ID // of an internal one
	private  netip.Addr
	public   arm.ID
	rules    []balancingRule
}

// balancingRule hands connections to the machines of a pool, or to one.
type balancingRule struct {
	name     string
	protocol string // Tcp, Udp or * (high availability ports)
	ports    []PortRange
	port     uint16 // at the machine; 0 where it is the same
	pools    []arm.ID
	rule     arm.ID // of an inbound NAT rule
	keeps    bool   // floating IP: the destination stays the frontend's
	noSNAT   bool
	probe    arm.ID // "" where all machines are taken for healthy
	doubts   Doubts
	// astray says why it is not known where it leads: the pool, or the port at the
	// machine.
	astray string
	// open says why it is not known for which protocol it is.
	open string
}

// outboundRule gives a pool's machines the addresses of frontends.
type outboundRule struct {
	pool      arm.ID
	frontends []arm.ID
	protocol  string // Tcp, Udp or *
	open      string // why that is not known
}

func (b *builder) balancers() {
	for _, r := range b.e.OfType(typeBalancer) {
		lb := &Balancer{ID: r.ID, Name: r.ID.Name(), Standard: !strings.EqualFold(arm.String(r.SKU, "name"), "Basic")}
		d := b.read(r, &lb.Doubts)
		for i, o := range d.objects("frontendIPConfigurations", "frontend") {
			fe := &frontend{id: childID(r.ID, "frontendIPConfigurations", o.o, i), balancer: lb}
			fe.subnet = o.as(aboutSubnet).ref("properties.subnet.id")
			if fe.public = o.as(aboutPublic).ref("properties.publicIPAddress.id"); fe.public == "" {
				fe.public = o.as(aboutPublic).ref("properties.publicIPPrefix.id")
			}
			fe.private, _ = o.address("properties.privateIPAddress")
			lb.frontends = append(lb.frontends, fe)
		}
		lb.readProbes(d)
		lb.readPools(d)
		lb.readRules(d)
		for _, list := range []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "inboundNatRules"} {
			for _, o := range d.objects(list, "entry") {
				o.text("name") // what names it cannot be matched with it where it is not known
			}
		}
		b.t.Balancers = append(b.t.Balancers, lb)
	}
}

func childID(id arm.ID, typ string, o arm.Object, i int) arm.ID { return id.Child(typ, nameOf(o, i)) }

func (lb *Balancer) readRules(d document) {
	for i, o := range d.as(aboutBalancing).objects("loadBalancingRules", "rule") {
		r := balancingRule{name: nameOf(o.o, i)}
		o.doubts = &r.doubts
		o.about = aboutBalancing
		front := o.number("properties.frontendPort", 0)
		known := len(r.doubts)
		r.protocol = anyProtocol(o.text("properties.protocol"))
		plain := len(r.doubts)
		if plain > known {
			r.open = r.doubts[known].Reason
		}
		back := o.number("properties.backendPort", 0)
		if front != 0 {
			r.ports, r.port = []PortRange{{uint16(front), uint16(front)}}, uint16(back)
		}
		if r.keeps = o.flag("properties.enableFloatingIP", false); r.keeps {
			r.port = 0
		}
		r.noSNAT = o.flag("properties.disableOutboundSnat", false)
		r.pools = append(o.refs("properties.backendAddressPools"), optional(o.ref("properties.backendAddressPool.id"))...)
		r.probe = o.ref("properties.probe.id")
		r.strays(plain)
		lb.listen(o, r)
	}
	for i, o := range d.as(aboutBalancing).objects("inboundNatRules", "NAT rule") {
		r := balancingRule{name: nameOf(o.o, i), rule: childID(d.r.ID, "inboundNatRules", o.o, i), noSNAT: true}
		o.doubts = &r.doubts
		o.about = aboutBalancing
		r.protocol = anyProtocol(o.text("properties.protocol"))
		front := o.number("properties.frontendPort", 0)
		plain := len(r.doubts)
		if front != 0 {
			r.ports = []PortRange{{uint16(front), uint16(front)}}
		}
		r.port = uint16(o.number("properties.backendPort", 0))
		pool := o.ref("properties.backendAddressPool.id")
		r.strays(plain)
		if pool != "" {
			o.doubt(aboutBalancing, "which port of a pool's range is whose is not known")
			r.pools = []arm.ID{pool}
			r.ports = o.frontendPorts()
		}
		lb.listen(o, r)
	}
	for i, o := range d.as(aboutBalancing).objects("inboundNatPools", "NAT pool") {
		r := balancingRule{name: nameOf(o.o, i), rule: childID(d.r.ID, "inboundNatPools", o.o, i), noSNAT: true}
		o.doubts, o.about = &r.doubts, aboutBalancing
		r.protocol = anyProtocol(o.text("properties.protocol"))
		r.ports = o.frontendPorts()
		plain := len(r.doubts)
		r.port = uint16(o.number("properties.backendPort", 0))
		r.strays(plain)
		o.doubt(aboutBalancing, "which port of a pool's range is whose is not known")
		lb.listen(o, r)
	}
	for _, o := range d.as(aboutBalancing).objects("outboundRules", "outbound rule") {
		pool := o.ref("properties.backendAddressPool.id")
		rule := outboundRule{pool: pool, frontends: o.refs("properties.frontendIPConfigurations")}
		var doubts Doubts
		o.doubts = &doubts
		if rule.protocol = anyProtocol(o.text("properties.protocol")); len(doubts) > 0 {
			rule.open = doubts[0].Reason
		}
		lb.outbound = append(lb.outbound, rule)
	}
}

// frontendPorts is the range of a pool; none, which is any, where it is not known.
func (d document) frontendPorts() []PortRange {
	before := len(*d.doubts)
	r := PortRange{uint16(d.number("properties.frontendPortRangeStart", 0)), uint16(d.number("properties.frontendPortRangeEnd", 0))}
	if len(*d.doubts) > before {
		return nil
	}
	return []PortRange{r}
}

// strays notes that the doubts that have come since are about where the rule leads.
func (r *balancingRule) strays(since int) {
	if len(r.doubts) > since {
		r.astray = r.doubts[since].Reason
	}
}

func optional(id arm.ID) []arm.ID {
	if id == "" {
		return nil
	}
	return []arm.ID{id}
}

func anyProtocol(s string) string {
	if s == "" || strings.EqualFold(s, "All") {
		return "*"
	}
	return s
}

// listen gives a rule to the frontend that it names.
func (lb *Balancer) listen(o document, r balancingRule) {
	before := len(r.doubts)
	o.doubts = &r.doubts
	id := o.ref("properties.frontendIPConfiguration.id")
	if len(r.doubts) > before {
		lb.Doubts = append(lb.Doubts, r.doubts[before:]...)
	}
	for _, fe := range lb.frontends {
		if fe.id.Equal(id) || id == "" && len(lb.frontends) == 1 {
			fe.rules = append(fe.rules, r)
		}
	}
}

// when says whether a rule takes a flow.
func (r balancingRule) when(f Flow) verdict.Value {
	if r.protocol != "*" && !strings.EqualFold(r.protocol, string(f.Protocol)) {
		return verdict.No
	}
	if len(r.ports) > 0 && !slices.ContainsFunc(r.ports, func(p PortRange) bool { return f.Protocol != ICMP && p.First <= f.Port && f.Port <= p.Last }) {
		return verdict.No
	}
	if len(r.doubts) > 0 {
		return verdict.Unknown
	}
	return verdict.Yes
}

// frontendIn is the frontend that has an address in a network.
func (t *Topology) frontendIn(vnet arm.ID, a netip.Addr) (*frontend, bool) {
	for _, lb := range t.Balancers {
		for _, fe := range lb.frontends {
			if fe.private == a && a.IsValid() && fe.subnet.Parent().Equal(vnet) {
				return fe, true
			}
		}
	}
	return nil, false
}

// frontendWith is the frontend that has a public IP address.
func (t *Topology) frontendWith(public arm.ID) (*frontend, bool) {
	for _, lb := range t.Balancers {
		for _, fe := range lb.frontends {
			if fe.public.Equal(public) && fe.public != "" {
				return fe, true
			}
		}
	}
	return nil, false
}

// toBalancer forks on the rules of a frontend. The source address stays the
// client's.
func (w *walk) toBalancer(fe *frontend) { w.balanced(fe, false) }

// throughBalancer is a frontend before virtual appliances.
func (w *walk) throughBalancer(fe *frontend) { w.balanced(fe, true) }

func (w *walk) balanced(fe *frontend, transit bool) {
	step := verdict.Step{At: "load balancer " + fe.balancer.Name, Resource: fe.balancer.ID}
	if len(fe.balancer.Doubts) > 0 {
		step.Reason = fe.balancer.Doubts[0].Reason
		w.end(step)
		return
	}
	var k fork
	for _, r := range fe.rules {
		b := branch{when: r.when, space: r.space, port: r.port, step: step}
		b.step.Value, b.step.Reason = verdict.Yes, fmt.Sprintf("rule %s takes it to %s", r.name, r.whereto())
		if len(r.doubts) > 0 {
			b.step.Reason = fmt.Sprintf("rule %s: %s", r.name, r.doubts[0].Reason)
		}
		b.parts = w.backends(fe, r, transit, b.step)
		k.branches = append(k.branches, b)
	}
	k.branches = firstOnly(k.branches)
	k.none = func(f Flow) verdict.Step {
		s := step
		s.Value, s.Reason = verdict.No, fmt.Sprintf("no rule of frontend %s is for %s", fe.id.Name(), f.service())
		return s
	}
	w.parts = append(w.parts, k)
	w.over = true
}

func (r balancingRule) whereto() string {
	if len(r.pools) == 0 {
		return "one machine"
	}
	return "backend pool " + r.pools[0].Name()
}

// backends are the ways to the machines that a rule leads to.
func (w *walk) backends(fe *frontend, r balancingRule, transit bool, step verdict.Step) []part {
	if r.astray != "" {
		step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("where rule %s leads is not certain: %s", r.name, r.astray)
		return []part{fixed(step)}
	}
	var ways [][]part
	var seen checkup
	for i, n := range w.t.NICs {
		a, ok := w.t.member(i, r, w.t.frontAddr(fe).Is6())
		if !ok {
			continue
		}
		inner := w.branch()
		if !seen.add(w.t.healthy(fe.balancer, r, w.t.place(n), a)) {
			continue
		}
		inner.parts = append(inner.parts, seen.parts...)
		switch {
		case transit:
			inner.throughMachine(w.t.place(n), fe.private)
		case n.ID.Equal(w.origin.nic.ID) && w.site == nil && !w.outside:
			inner.end(verdict.Step{At: step.At, Resource: step.Resource, Value: verdict.No, Reason: n.Name + " does not reach itself through its own load balancer"})
		default:
			if !r.keeps {
				inner.to = a
			}
			if inner.pass(w.t.place(n), Inbound) {
				inner.back(w.t.place(n))
			}
		}
		ways = append(ways, inner.parts)
	}
	doubt, open := w.t.strangers(r, w.t.frontAddr(fe).Is6())
	if len(ways) > 0 && open {
		step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("rule %s may lead to others too: %s", r.name, doubt)
		return []part{fixed(step)}
	}
	if len(ways) > 0 && !seen.sure {
		step := step
		step.Value, step.Reason = verdict.No, fmt.Sprintf("rule %s leads nowhere if %s", r.name, seen.last.Reason)
		ways = append(ways, []part{fixed(step)})
	}
	if len(ways) == 0 && seen.ill && !open {
		seen.last.Value = verdict.No
		return []part{health(seen.last)}
	}
	if len(ways) == 0 {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("rule %s leads to no network interface of the estate", r.name)
		if open {
			step.Value = verdict.Unknown
			step.Reason += ", as far as is known: " + doubt
		}
		return []part{fixed(step)}
	}
	if len(ways) == 1 {
		return ways[0]
	}
	step.Reason = fmt.Sprintf("rule %s takes it to one of several machines", r.name)
	return []part{spread{step: step, ways: ways}}
}

// frontAddr is the address of a frontend, private or public.
func (t *Topology) frontAddr(fe *frontend) netip.Addr {
	if fe.public != "" {
		return t.PublicIP(fe.public)
	}
	return fe.private
}
