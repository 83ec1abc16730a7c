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

func (p packet) values() [dimensions]sets.Value {
	return [dimensions]sets.Value{
		bySource: sets.Address(p.from), byDestination: sets.Address(p.to), byProtocol: sets.Number(uint16(p.protocol)),
		byPort: sets.Number(p.destPort), bySourcePort: sets.Number(p.sourcePort),
	}
}

// forbids reports whether the interface's groups drop a packet that is its own to
// send or to receive.
func (g gate) forbids(p packet) bool {
	own := p.to
	if g.direction == network.Outbound {
		own = p.from
	}
	if !slices.Contains(g.guest.addrs, own) {
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
