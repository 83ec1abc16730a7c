package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/internal/fabric/sieve"
	"github.com/cloister-ml/cloister/network"
)

const (
	// proxyPort is where a firewall's proxy takes the connections that application
	// rules are for; nothing else gets there.
	proxyPort = 8443
	// guardGroup is the NFLOG group of a firewall's own namespace to which it tells
	// what it does with each new connection.
	guardGroup = 61
	dnsPort    = 53
)

// firewallSight is a firewall with what the topology knows of it.
type firewallSight struct {
	*network.Firewall
	nic    network.NIC
	public []netip.Addr
}

// firewallPlan is a firewall that is built.
type firewallPlan struct {
	firewallSight
	home  *vnetPlan
	guest guest
}

// Guard is what a firewall does beside what its packet filter does.
type Guard struct {
	Firewall arm.ID
	VNet     arm.ID
	Private  netip.Addr
	DNSProxy bool
	// Fronts are its public addresses, by those that stand for them in its namespace
	// and in its packets.
	Fronts map[netip.Addr]netip.Addr
	// Rules are what the numbers in its log stand for.
	Rules []GuardRule
	// Proxied are the application rules, in their order; none where nothing is
	// proxied. Origins are where they are written.
	Proxied []sieve.Rule
	Origins []network.FirewallOrigin
}

// GuardRule is a rule as the log names it.
type GuardRule struct {
	Kind   string // Network or NAT
	Allow  bool
	Origin network.FirewallOrigin
	// To is where a NAT rule sends connections.
	To netip.AddrPort
}

// placeFirewalls plugs the firewalls of which enough is known into their networks.
func (c *compiler) placeFirewalls(list []firewallSight, subnets map[string]network.Subnet) {
	for _, fw := range list {
		if fw.Hub != "" {
			c.note("%s is not built: it secures virtual hub %s, and the hubs of a Virtual WAN are not run", fw.ID, fw.Hub.Name())
			continue
		}
		if reason, ok := fw.Usable(); !ok {
			c.note("%s is not built: %s", fw.ID, reason)
			continue
		}
		for _, what := range fw.Inspects {
			c.note("Azure Firewall %s: %s is not run: what its rules allow passes", fw.Name, what)
		}
		n := fw.nic
		n.PublicAddr = netip.Addr{} // it sees what is for its public addresses itself
		c.place(n, subnets)
		v, ok := c.vnets[n.Subnet.Parent().Key()]
		if !ok {
			continue
		}
		for i, g := range v.guests {
			if g.Kind != network.KindFirewall || !g.ID.Equal(fw.ID) {
				continue
			}
			for _, a := range fw.public {
				if !a.Is4() {
					c.note("%s is not reached at %s: Azure Firewalls are built for IPv4 only", fw.ID, a)
					continue
				}
				v.guests[i].fronts = append(v.guests[i].fronts, translation{public: a, private: c.pool.address("front " + a.String())})
			}
			c.firewalls = append(c.firewalls, firewallPlan{fw, v, v.guests[i]})
		}
	}
}

// firewallSpaces makes the namespaces of firewalls what they are.
func (c *compiler) firewallSpaces(spaces map[string]*Space) {
	for _, fw := range c.firewalls {
		s := spaces[fw.guest.space]
		s.Role, s.Forward = RoleFirewall, true
		for _, front := range fw.guest.fronts {
			s.Loopback = append(s.Loopback, front.private)
		}
		s.Guard = &Guard{Firewall: fw.ID, VNet: fw.home.ID, Private: fw.Private, DNSProxy: fw.DNSProxy, Fronts: map[netip.Addr]netip.Addr{}}
		for _, front := range fw.guest.fronts {
			s.Guard.Fronts[front.private] = front.public
		}
		s.Filter = c.guard(fw, s.Guard)
	}
}

// guarding is a firewall's packet filter in the making.
type guarding struct {
	*filter
	c     *compiler
	fw    firewallPlan
	guard *Guard
	allow []nft.Rule // of network rules, in the forward hook
	early []nft.Rule // the same connections where destinations are translated: they stay
}

func (c *compiler) guard(fw firewallPlan, g *Guard) *nft.Table {
	b := &guarding{c: c, fw: fw, guard: g, filter: &filter{table: &nft.Table{Name: tableName}, sets: map[string]bool{}, note: c.note}}
	arriving := b.translations()
	b.networkRules()
	arriving = append(arriving, b.redirection()...)
	forward := append(tracked(), nft.Rule{Match: []nft.Match{nft.Redirected()}, Do: accept})
	forward = append(append(forward, b.allow...), b.log(-1, nil, drop))
	b.chain(nft.Chain{Name: "arriving", Hook: nft.Prerouting, NAT: true, Priority: priorityDestination, Rules: arriving})
	b.chain(nft.Chain{Name: "forward", Hook: nft.Forward, Drop: true, Rules: forward})
	b.chain(nft.Chain{Name: "input", Hook: nft.Input, Drop: true, Rules: b.own()})
	b.chain(nft.Chain{Name: "leaving", Hook: nft.Postrouting, NAT: true, Priority: prioritySource, Rules: b.sourcesOut()})
	return b.table
}

// log ends a rule: it says its number in the log, counts, and does what it does.
func (b *guarding) log(n int, match []nft.Match, do nft.Action) nft.Rule {
	return nft.Rule{
		Match: append([]nft.Match{nft.State(nft.New)}, match...), Count: true, Do: do,
		Steps: []nft.Action{{Verb: nft.Log, Group: guardGroup, Prefix: fmt.Sprintf("rule %d", n)}},
	}
}

func (b *guarding) numbered(r GuardRule) int {
	b.guard.Rules = append(b.guard.Rules, r)
	return len(b.guard.Rules) - 1
}

// translations are the NAT rules: for the firewall's own addresses only.
func (b *guarding) translations() []nft.Rule {
	var out []nft.Rule
	for _, r := range b.fw.NATRules() {
		t := b.termsOf(r.Match)
		if !t.sure || len(r.Unresolved) > 0 || !r.Address.Is4() {
			b.note("%s: NAT rule %s is not built: it is not fully known", b.fw.ID, r.Rule.Name)
			continue
		}
		t.destinations = b.fronts(t.destinations)
		n := b.numbered(GuardRule{Kind: "NAT", Allow: true, Origin: r.Origin, To: netip.AddrPortFrom(r.Address, r.Port)})
		for _, match := range b.matching(t) {
			out = append(out, b.log(n, match, nft.Action{Verb: nft.SendTo, Addr: r.Address, Port: r.Port}))
		}
	}
	return out
}

// fronts are the firewall's own addresses among some, as it sees them itself.
func (b *guarding) fronts(list []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, own := range append([]translation{{b.fw.Private, b.fw.Private}}, b.fw.guest.fronts...) {
		if slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(own.public) }) {
			out = append(out, single(own.private))
		}
	}
	return out
}

// networkRules are the rules for addresses. Of what cannot be known of a rule the
// closed side is taken.
func (b *guarding) networkRules() {
	for _, r := range b.fw.Rules() {
		if r.Application {
			b.applicationRule(r)
			continue
		}
		t := b.termsOf(r.Match)
		b.doubtful(network.Filter{At: "Azure Firewall " + b.fw.Name}, r.Match)
		if t.allow && !t.sure {
			continue
		}
		if len(r.Hosts) > 0 {
			t.destinations = b.named(r.Hosts)
		}
		n := b.numbered(GuardRule{Kind: "Network", Allow: t.allow, Origin: r.Origin})
		do := drop
		if t.allow {
			do = accept
		}
		for _, match := range b.matching(t) {
			b.allow = append(b.allow, b.log(n, match, do))
			b.early = append(b.early, nft.Rule{Match: match, Do: accept})
		}
	}
}

// named are the addresses that the firewall's DNS gives for names.
func (b *guarding) named(hosts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, h := range hosts {
		if h == "*" {
			return everywhere()
		}
		for _, a := range b.c.choose.Resolve(b.fw.Firewall, b.fw.home.ID, strings.ToLower(h)) {
			if a.Is4() {
				out = append(out, single(a))
			}
		}
	}
	return out
}

// applicationRule keeps a rule for the proxy.
func (b *guarding) applicationRule(r network.FirewallRule) {
	t := b.termsOf(r.Match)
	if len(r.Rule.DestinationPorts) != 1 {
		return
	}
	if strings.EqualFold(r.Origin.Scheme, "Mssql") && t.allow {
		b.note("Azure Firewall %s: rule %s allows nothing: the names that SQL clients ask for are not read", b.fw.Name, r.Rule.Name)
		return
	}
	p := sieve.Rule{Allow: t.allow, Sources: t.sources, Port: r.Rule.DestinationPorts[0].First, Scheme: r.Origin.Scheme, Hosts: r.Hosts}
	if r.Broad != "" || !t.sure {
		b.note("Azure Firewall %s: rule %s is not fully known (%s): it allows only what it surely allows, and denies all that it may", b.fw.Name, r.Rule.Name, strings.Join(append(r.Unresolved, r.Broad), ", "))
		p.All = !t.allow
		if t.allow && !t.sure {
			return
		}
	}
	b.guard.Proxied, b.guard.Origins = append(b.guard.Proxied, p), append(b.guard.Origins, r.Origin)
}

// redirection takes to the proxy what no network rule decides and an application
// rule may allow.
func (b *guarding) redirection() []nft.Rule {
	var out []nft.Rule
	for _, p := range b.guard.Proxied {
		if !p.Allow {
			continue
		}
		t := terms{allow: true, sure: true, protocol: "Tcp", sources: p.Sources, destinations: everywhere(), to: []network.PortRange{{First: p.Port, Last: p.Port}}}
		for _, match := range b.matching(t) {
			out = append(out, nft.Rule{Match: match, Do: nft.Action{Verb: nft.SendTo, Addr: b.fw.Private, Port: proxyPort}})
		}
	}
	if len(out) == 0 {
		b.guard.Proxied, b.guard.Origins = nil, nil
		return nil
	}
	return slices.Concat(b.toItself(), b.early, out)
}

// toItself ends the chain for what is for the firewall's own addresses.
func (b *guarding) toItself() []nft.Rule {
	own := b.fronts(everywhere())
	var out []nft.Rule
	for _, m := range b.addresses(nft.Destination, own) {
		out = append(out, nft.Rule{Match: []nft.Match{m}, Do: accept})
	}
	return out
}

// own is what the firewall itself answers.
func (b *guarding) own() []nft.Rule {
	out := tracked()
	if b.guard.Proxied != nil {
		out = append(out, nft.Rule{Do: accept, Match: []nft.Match{
			nft.Redirected(), nft.Equals(nft.Protocol, nft.Num(protoTCP)), nft.Equals(nft.DestinationPort, nft.Num(proxyPort)),
		}})
	}
	if b.fw.DNSProxy {
		for _, p := range []uint32{protoTCP, protoUDP} {
			out = append(out, nft.Rule{Do: accept, Match: []nft.Match{
				nft.Equals(nft.Destination, nft.Address(b.fw.Private)), nft.Equals(nft.Protocol, nft.Num(p)), nft.Equals(nft.DestinationPort, nft.Num(dnsPort)),
			}})
		}
	}
	return out
}

// sourcesOut gives connections the firewall's own address as their source: those
// that NAT rules have turned, and those to destinations that are not kept.
func (b *guarding) sourcesOut() []nft.Rule {
	as := nft.Action{Verb: nft.SendAs, Addr: b.fw.Private}
	out := []nft.Rule{{Match: []nft.Match{nft.Redirected()}, Do: as}}
	if kept := spansOf(b.fw.Untranslated, false); len(kept) > 0 {
		out = append(out, nft.Rule{Match: b.spans(nft.Destination, kept), Do: accept})
	}
	return append(out, nft.Rule{Do: as})
}
