package network

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Seen is who a destination sees behind the packets of a flow, for [Admit]: each
// address that it may be, for an Azure Firewall takes any of its public ones. The
// answer is that of [Topology.Reach]; without Yes there may be no source.
func (t *Topology) Seen(f Flow) ([]Source, Answer) {
	answer := t.Reach(f)
	origins := t.places(f.Source.Unmap())
	if len(origins) == 0 {
		return []Source{{Addr: f.Source.Unmap()}}, answer
	}
	w := t.walkFrom(origins[0], f.Source.Unmap(), f.Destination.Unmap())
	last := w.lastFor(f)
	if last.endpoint != "" {
		return []Source{{Addr: last.addr, Endpoint: last.endpoint}}, answer
	}
	if fw := t.firewallAt[last.firewall.Key()]; fw != nil && len(fw.Public) > 1 && last.translated {
		var out []Source
		for _, id := range fw.Public {
			out = append(out, Source{Addr: t.PublicIP(id)})
		}
		return out, answer
	}
	if !last.addr.IsValid() {
		return nil, answer
	}
	return []Source{{Addr: last.addr, Subnet: last.subnet}}, answer
}

// ending is how packets look where their path ends.
type ending struct {
	addr       netip.Addr
	subnet     arm.ID // that a service endpoint carries
	endpoint   arm.ID
	firewall   arm.ID // that the packets went through last
	translated bool   // to a public address
}

// lastFor follows the forks of a walk for one flow.
func (w *walk) lastFor(f Flow) ending {
	e := ending{addr: f.Source.Unmap()}
	endOf(w.parts, f, &e)
	return e
}

func endOf(parts []part, f Flow, e *ending) {
	for _, p := range parts {
		switch p := p.(type) {
		case exit:
			e.addr, e.subnet, e.endpoint, e.translated = p.addr, p.subnet, p.endpoint, p.translated
		case fork:
			for _, b := range p.branches {
				if b.when(f) != verdict.No {
					endOf(b.parts, b.turned(f), e)
					break
				}
			}
		case spread:
			if len(p.ways) > 0 {
				endOf(p.ways[0], f, e)
			}
		case firewallPart:
			e.firewall = p.fw.ID
			g := f
			g.Source, g.Destination = p.from, p.to
			way := p.network
			if p.fw.decide(g).ends&fwNetwork == 0 {
				way = p.application
			}
			endOf(way, f, e)
		}
	}
}

// exit marks a part of a path from which on packets look different to their
// destination. It decides nothing.
type exit struct {
	addr       netip.Addr
	subnet     arm.ID
	endpoint   arm.ID
	translated bool
}

func (exit) follow(*Answer, Flow)          {}
func (exit) space(*spaceBuilder) spaceNode { return isYes }
