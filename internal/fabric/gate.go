package fabric

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

// gate is what a network interface's packets meet in one direction.
type gate struct {
	guest     guest
	direction network.Direction
	admin     *group   // security admin rules, which come first; nil for none
	groups    []*group // all of them must allow
	closed    bool     // nothing passes, whatever the groups say
}

// packet is the beginning of a connection as the groups see it: before its
// source is translated and after its destination was.
type packet struct {
	from, to             netip.Addr
	protocol             uint8
	sourcePort, destPort uint16
}

func (p packet) source() netip.AddrPort      { return netip.AddrPortFrom(p.from, p.sourcePort) }
func (p packet) destination() netip.AddrPort { return netip.AddrPortFrom(p.to, p.destPort) }

func (p packet) values() [dimensions]sets.Value {
	return [dimensions]sets.Value{
		bySource: sets.Address(p.from), byDestination: sets.Address(p.to), byProtocol: sets.Number(uint16(p.protocol)),
		byPort: sets.Number(p.destPort), bySourcePort: sets.Number(p.sourcePort),
	}
}

// forbids reports whether the interface's groups drop a packet that is its own to
// send or to receive.
func (g gate) forbids(p packet) bool {
	if !g.guards(p) {
		return false
	}
	v := p.values()
	if g.admin != nil && !g.closed {
		if n, ok := decide(g.admin.boxes, v); ok && !g.admin.rules[n].allow || ok && g.admin.rules[n].always {
			return !g.admin.rules[n].allow
		}
	}
	return g.closed || slices.ContainsFunc(g.groups, func(one *group) bool { return !one.allows(v) })
}

// guards reports whether a packet is the interface's own to send or to receive.
func (g gate) guards(p packet) bool {
	own := p.to
	if g.direction == network.Outbound {
		own = p.from
	}
	return slices.Contains(g.guest.addrs, own)
}

// decisions are what each of the gate's groups says of a packet, up to the first
// that drops it: which rule, and whether it allows.
func (g gate) decisions(p packet) []Flow {
	if g.closed {
		return []Flow{{}}
	}
	v := p.values()
	var out []Flow
	if g.admin != nil {
		if n, ok := decide(g.admin.boxes, v); ok {
			r := g.admin.rules[n]
			if out = append(out, Flow{Rule: r.name, Allow: r.allow}); !r.allow || r.always {
				return out
			}
		}
	}
	for _, one := range g.groups {
		flow := Flow{NSG: one.NSG}
		if n, ok := decide(one.boxes, v); ok {
			flow.Rule, flow.Allow, flow.Default = one.rules[n].name, one.rules[n].allow, one.rules[n].builtin
		}
		if out = append(out, flow); !flow.Allow {
			return out
		}
	}
	return out
}
