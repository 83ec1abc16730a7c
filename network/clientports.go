package network

import (
	"cmp"
	"slices"
)

// anyClientPort is one of the ports that clients choose from.
const anyClientPort = 50000

// ClientPorts are ports that a client may call from: one that clients choose, and
// one of each range that a security rule tells apart from it. What passes from all
// of them passes whatever the client chooses.
func (t *Topology) ClientPorts() []uint16 {
	out := []uint16{anyClientPort}
	for _, g := range t.NSGs {
		for i := range g.Rules {
			out = append(out, g.Rules[i].clientPorts()...)
		}
	}
	for _, c := range t.admin {
		for i := range c.rules {
			out = append(out, c.rules[i].clientPorts()...)
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return slices.Compact(out)
}

// clientPorts are where the source ports of a rule begin and have ended, unless it is
// for all that clients choose from.
func (r *Rule) clientPorts() []uint16 {
	var out []uint16
	for _, p := range r.SourcePorts {
		if p.First <= firstEphemeral && p.Last == 65535 {
			return nil
		}
		out = append(out, max(p.First, 1))
		if p.Last < 65535 {
			out = append(out, p.Last+1)
		}
	}
	return out
}
