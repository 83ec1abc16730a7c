package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	// maxChain bounds the CNAMEs of one answer; a longer chain is a loop or a fault.
	maxChain = 8
	// maxForward bounds how often a question is handed on.
	maxForward = 8
)

// Resolve answers the question for the address of a name, as a machine of the
// network asks it of the DNS servers that the network names: Azure's, unless it has
// its own. The network "" is the internet, which sees public records only. It never
// fails: a name that cannot be asked is answered SERVFAIL with the reason.
//
// A name under in-addr.arpa or ip6.arpa (see [ReverseName]) is answered with names.
func (r *Records) Resolve(network arm.ID, name string) Answer {
	return r.start(name, func(q *question) {
		if network == "" {
			q.public(q.answer.Name)
			return
		}
		v, ok := q.records.vnets[network.Key()]
		if !ok {
			q.add("network "+network.Name(), network, verdict.Unknown, "the network is not in the estate, so its DNS servers and zone links are not known")
			return
		}
		q.ask(v.servers, network, "network "+v.name, network)
	})
}

// ResolveNIC answers as [Records.Resolve] for one network interface: its own DNS
// servers come before its network's.
func (r *Records) ResolveNIC(nic arm.ID, name string) Answer {
	c, ok := r.nics[nic.Key()]
	if !ok || len(c.servers) == 0 {
		if ok {
			return r.Resolve(c.vnet, name)
		}
		return r.start(name, func(q *question) {
			q.add("network interface "+nic.Name(), nic, verdict.Unknown, "the network interface is not in the estate, so its DNS servers are not known")
		})
	}
	return r.start(name, func(q *question) { q.ask(c.servers, c.vnet, "network interface "+nic.Name(), nic) })
}

// HasOwnServers reports whether a network interface names DNS servers of its own.
func (r *Records) HasOwnServers(nic arm.ID) bool { return len(r.nics[nic.Key()].servers) > 0 }

// ResolveAt answers what the DNS server at an address says to one who asks it from
// outside the estate's networks, as a server on-premises that forwards to the
// inbound endpoint of a resolver. Whether it can be reached is not looked at.
func (r *Records) ResolveAt(server netip.Addr, name string) Answer {
	return r.start(name, func(q *question) { q.askServer(serverRef{addr: server.Unmap()}, "") })
}

func (r *Records) start(name string, ask func(*question)) Answer {
	n, err := normalise(name)
	if err != nil {
		a := Answer{Name: clip(name), Code: ServFail}
		a.Verdict.Add(verdict.Step{At: "name", Value: verdict.No, Reason: err.Error()})
		return a
	}
	q := &question{records: r, answer: Answer{Name: n}}
	ask(q)
	return q.answer
}

func clip(s string) string {
	if len(s) > maxName {
		s = s[:maxName]
	}
	return strings.ToValidUTF8(s, "?")
}

// question is one answer in the making.
type question struct {
	records *Records
	answer  Answer
	handed  int // how often it was handed on
}

func (q *question) add(at string, resource arm.ID, v verdict.Value, reason string) {
	q.answer.Verdict.Add(verdict.Step{At: at, Resource: resource, Value: v, Reason: reason})
}

func (q *question) fail(at string, resource arm.ID, reason string) {
	q.answer.Code, q.answer.Zone, q.answer.Addrs, q.answer.Names = ServFail, "", nil, nil
	q.add(at, resource, verdict.No, reason)
}

// ask puts the current name to DNS servers from a network. Clients turn to the next
// server when one is silent, so several must agree.
func (q *question) ask(servers serverList, network arm.ID, at string, who arm.ID) {
	if len(servers) == 0 || len(servers) == 1 && servers[0].addr == service.WireServer {
		q.azure(network)
		return
	}
	q.add(at, who, verdict.Yes, fmt.Sprintf("it asks its own DNS servers (%s) and not Azure's", servers))
	if len(servers) == 1 {
		q.askServer(servers[0], network)
		return
	}
	before := *q
	before.answer.CNAMEs, before.answer.Verdict.Steps = slices.Clone(q.answer.CNAMEs), slices.Clone(q.answer.Verdict.Steps)
	q.askServer(servers[0], network)
	for _, s := range servers[1:] {
		if q.answer.Code == "" {
			return
		}
		other := before
		other.answer.CNAMEs, other.answer.Verdict.Steps = slices.Clone(before.answer.CNAMEs), slices.Clone(before.answer.Verdict.Steps)
		other.askServer(s, network)
		if !same(q.answer, other.answer) {
			last := other.answer.Verdict.Decisive().Reason
			q.answer.Code, q.answer.Zone, q.answer.Addrs, q.answer.Names = "", "", nil, nil
			q.answer.Verdict.Steps = before.answer.Verdict.Steps
			q.answer.Verdict.Value = verdict.Unknown
			q.add(at, who, verdict.Unknown, fmt.Sprintf("its DNS servers do not all give the same answer, and which is asked is not known: %s (%s)", s, last))
			return
		}
	}
}

// same reports whether a client cannot tell two answers apart; a failure is told
// without its chain.
func same(a, b Answer) bool {
	if a.Code == ServFail && b.Code == ServFail {
		return true
	}
	return a.Code == b.Code && slices.Equal(a.Addrs, b.Addrs) && slices.Equal(a.CNAMEs, b.CNAMEs) && slices.Equal(a.Names, b.Names)
}

// askServer puts the current name to the DNS server at an address.
func (q *question) askServer(ref serverRef, from arm.ID) {
	if q.handed++; q.handed > maxForward {
		q.fail("DNS server "+ref.String(), "", "the question goes round from server to server without an answer")
		return
	}
	at := "DNS server " + ref.String()
	if ref.unknown != nil {
		s, ok := q.records.serverNamed(*ref.unknown)
		if !ok {
			q.add(at, "", verdict.Unknown, "its address is "+ref.unknown.String())
			return
		}
		q.askKnown(s, at)
		return
	}
	if ref.bad != "" {
		q.fail(at, "", "this is not the address of a DNS server")
		return
	}
	if ref.addr == service.WireServer {
		q.azure(from)
		return
	}
	if who, ok := publicResolvers[ref.addr]; ok {
		q.add(at, "", verdict.Yes, who+" answers what everyone sees, and no private zone")
		q.public(q.current())
		return
	}
	switch found := q.records.serversAt(ref.addr, from); {
	case len(found) == 1:
		q.askKnown(found[0], at)
	case len(found) > 1:
		q.add(at, found[0].id, verdict.Unknown, fmt.Sprintf("the address is that of %s and of %s, and which is meant is not known", found[0].what, found[1].what))
	case len(q.records.servers[ref.addr]) > 0:
		s := q.records.servers[ref.addr][0]
		q.add(at, s.id, verdict.Unknown, fmt.Sprintf("%s in network %s has the address, and no peering joins network %s to that", s.what, s.vnet.Name(), from.Name()))
	default:
		q.add(at, "", verdict.Unknown, "it is on-premises or elsewhere outside the estate, and what it answers is not known")
	}
}

func (q *question) askKnown(s server, at string) {
	switch {
	case s.off != "":
		q.fail(at, s.id, s.what+" has the address: "+s.off)
	case s.unknown != "":
		q.add(at, s.id, verdict.Unknown, s.what+" has the address: "+s.unknown)
	case len(s.forward) == 0:
		q.add(at, s.id, verdict.Yes, fmt.Sprintf("%s asks Azure's server from network %s, whose zone links decide", s.what, s.vnet.Name()))
		q.azure(s.vnet)
	default:
		q.add(at, s.id, verdict.Yes, fmt.Sprintf("%s hands the question on to %s", s.what, s.forward))
		q.ask(s.forward, s.vnet, s.what, s.id)
	}
}

// current is the name that is to be resolved now: the end of the chain so far.
func (q *question) current() string {
	if n := len(q.answer.CNAMEs); n > 0 {
		return q.answer.CNAMEs[n-1]
	}
	return q.answer.Name
}

// azure resolves the current name and the CNAMEs that it leads to, as Azure's
// server does for a network.
func (q *question) azure(network arm.ID) {
	v, ok := q.records.vnets[network.Key()]
	if !ok {
		q.add("network "+network.Name(), network, verdict.Unknown, "the network is not in the estate, so its zone links are not known")
		return
	}
	q.follow(func(name string) string { return q.step(v, name) })
}

// public resolves a name as everyone sees it.
func (q *question) public(string) {
	q.follow(q.inPublic)
}

// follow takes steps until the answer is complete. A step returns the next name
// of the chain, or "".
func (q *question) follow(step func(string) string) {
	for {
		name := q.current()
		next := step(name)
		if next == "" {
			return
		}
		if len(q.answer.CNAMEs) >= maxChain || slices.Contains(q.answer.CNAMEs, next) || next == q.answer.Name {
			q.fail(name, "", fmt.Sprintf("the chain of CNAMEs is a loop or longer than %d", maxChain))
			return
		}
		q.answer.CNAMEs = append(q.answer.CNAMEs, next)
	}
}

// step resolves one name in a network: its private zones, then the forwarding rules
// that it is linked to, then Azure's own names, then public DNS.
func (q *question) step(v *vnet, name string) string {
	z, l, state := q.zoneFor(v, name)
	fellBack := false
	switch state {
	case zoneDoubtful:
		return ""
	case zoneLinked:
		next, done := q.inZone(v, z, l, name)
		if done {
			return next
		}
		fellBack = true
	}
	if !fellBack {
		if q.forwarded(v, name) || q.internal(v, name) {
			return ""
		}
		q.sayUnlinked(v, name)
	}
	return q.inPublic(name)
}

// forwarded hands a name on where a rule says so.
func (q *question) forwarded(v *vnet, name string) bool {
	for _, s := range v.rulesets {
		r, ok := s.match(name)
		if !ok {
			continue
		}
		at := fmt.Sprintf("ruleset %s (linked to %s)", s.name, v.name)
		switch {
		case r.unknown != "":
			q.add(at, r.id, verdict.Unknown, "rule "+r.id.Name()+": "+r.unknown)
		case s.from == "":
			q.add(at, r.id, verdict.Unknown, "rule "+r.id.Name()+" forwards the name, and from which network is not in the estate")
		case len(r.targets) == 0:
			q.fail(at, r.id, "rule "+r.id.Name()+" forwards the name and has no target")
		case slices.ContainsFunc(r.targets, func(t serverRef) bool { return t.addr == service.WireServer }):
			q.add(at, r.id, verdict.Unknown, "rule "+r.id.Name()+" forwards the name to Azure's own server, and what that answers to a resolver is not documented")
		default:
			q.add(at, r.id, verdict.Yes, fmt.Sprintf("rule %s for %s forwards it to %s", r.id.Name(), suffixName(r.suffix), r.targets))
			q.ask(r.targets, s.from, "rule "+r.id.Name(), r.id)
		}
		return true
	}
	if len(v.rulesets) > 0 {
		return false
	}
	for _, stray := range q.records.strayRules {
		if _, ok := stray.rules.match(name); ok {
			q.add("ruleset "+stray.rules.name, stray.link, verdict.Unknown, stray.reason)
			return true
		}
	}
	return false
}

func suffixName(s string) string {
	if s == "" {
		return "every name"
	}
	return s
}

// internal answers the names that Azure gives to the machines of a network, and
// those of their addresses.
func (q *question) internal(v *vnet, name string) bool {
	at := "Azure's names of network " + v.name
	if a, ok := reverseAddr(name); ok && (under(name, "in-addr.arpa") || under(name, "ip6.arpa")) {
		names := v.reverse[a]
		if len(names) == 0 {
			q.answer.Code = NXDomain
			q.add(at, v.id, verdict.No, fmt.Sprintf("no machine of the network is known to have %s, and machines of other networks are not named here", a))
			return true
		}
		q.answer.Code, q.answer.Names = NoError, slices.Sorted(slices.Values(names))
		q.add(at, v.id, verdict.Yes, fmt.Sprintf("%s is %s", a, strings.Join(q.answer.Names, ", ")))
		return true
	}
	rest, ok := strings.CutSuffix(name, "."+internalSuffix)
	if !ok {
		return false
	}
	label, suffix, long := strings.Cut(rest, ".")
	h, ok := v.hosts[label]
	switch {
	case !ok || long && h.suffix != "" && h.suffix != suffix+"."+internalSuffix:
		q.answer.Code = NXDomain
		q.add(at, v.id, verdict.No, name+" is not the name of a machine of this network, and those of other networks are not answered here")
	case long && h.suffix == "":
		q.add(at, h.by, verdict.Unknown, fmt.Sprintf("Azure chooses the suffix of the network at deployment, so whether %s is %s is not known", name, h.name))
	case !h.addr.IsValid():
		q.add(at, h.by, verdict.Unknown, "the address of "+h.name+" is not known")
	default:
		q.answer.Code, q.answer.Addrs = NoError, []netip.Addr{h.addr}
		q.add(at, h.by, verdict.Yes, fmt.Sprintf("%s is %s, the virtual machine %s", name, h.addr, h.by.Name()))
	}
	return true
}

func (q *question) inPublic(name string) string {
	rec, ok := q.records.public[name]
	switch {
	case !ok:
		q.answer.Code = NXDomain
		q.add("public DNS", "", verdict.No, name+" is not a name that this cloud serves")
		return ""
	case rec.unknown != "":
		q.add("public DNS", rec.by, verdict.Unknown, rec.unknown)
		return ""
	case rec.cname != "":
		q.add("public DNS", rec.by, verdict.Yes, rec.reason)
		return rec.cname
	case !rec.addr.IsValid():
		q.answer.Code = NoError
		q.add("public DNS", rec.by, verdict.No, name+" has no public address")
		return ""
	}
	q.answer.Code, q.answer.Addrs = NoError, []netip.Addr{rec.addr}
	q.add("public DNS", rec.by, verdict.Yes, fmt.Sprintf("%s is %s, %s", name, rec.addr, rec.reason))
	return ""
}

func sorted(addrs []netip.Addr) []netip.Addr {
	out := slices.Clone(addrs)
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

func join(addrs []netip.Addr) string {
	parts := make([]string, len(addrs))
	for i, a := range addrs {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}
