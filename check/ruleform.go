package check

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
)

// form is what a security rule matches, as sets of values. Packets of TCP and UDP
// are apart from those of other protocols, which have no ports: for them is only a
// rule for every port.
type form struct {
	certain bool
	ends    [2]ruleEnd // source and destination
	ported  [][]space.Interval
	others  []space.Interval
}

// ruleEnd is one side of a rule.
type ruleEnd struct {
	known []space.Interval
	names []string // of tags and groups, in lower case
}

const groupMark = "group " // no tag has a space

var protocolNumbers = map[string]uint16{"icmp": numberICMP, "tcp": numberTCP, "udp": numberUDP, "esp": 50, "ah": 51}

// formOf is the form of a rule of a group that guards a network with the addresses own.
func formOf(r network.Rule, own []netip.Prefix) form {
	f := form{certain: len(r.Doubts) == 0, ends: [2]ruleEnd{endOf(r.Sources, r.SourceASGs, own), endOf(r.Destinations, r.DestinationASGs, own)}}
	source, destination := portValues(space.SourcePort, r.SourcePorts), portValues(space.Port, r.DestinationPorts)
	number, one := protocolNumbers[strings.ToLower(r.Protocol)]
	ported := number == numberTCP || number == numberUDP
	if !one {
		f.ported = [][]space.Interval{{space.Numbers(numberTCP, numberTCP), space.Numbers(numberUDP, numberUDP)}, source, destination}
	}
	if ported {
		f.ported = [][]space.Interval{{space.Numbers(number, number)}, source, destination}
		return f
	}
	if !isEvery(space.SourcePort, source) || !isEvery(space.Port, destination) {
		return f
	}
	f.others = []space.Interval{space.Numbers(0, numberTCP-1), space.Numbers(numberTCP+1, numberUDP-1), space.Numbers(numberUDP+1, 255)}
	if one {
		f.others = []space.Interval{space.Numbers(number, number)}
	}
	return f
}

func isEvery(f space.Field, list []space.Interval) bool {
	return len(list) == 1 && list[0] == space.Whole(f)[0]
}

// portValues are ports; none is every port, and so is 1-65535.
func portValues(f space.Field, list []network.PortRange) []space.Interval {
	out := make([]space.Interval, 0, len(list))
	for _, p := range list {
		out = append(out, space.Numbers(p.First, p.Last))
	}
	out = space.Union(out)
	if len(list) == 0 || len(out) == 1 && out[0].First.Number() <= 1 && out[0].Last.Number() == 65535 {
		return space.Whole(f)
	}
	return out
}

func endOf(terms []string, groups []arm.ID, own []netip.Prefix) ruleEnd {
	var e ruleEnd
	var known []netip.Prefix
	for _, s := range terms {
		if s == "*" {
			return ruleEnd{known: space.Whole(space.Source)}
		}
		if p, ok := prefixOf(s); ok {
			known = append(known, p)
			continue
		}
		e.names = append(e.names, strings.ToLower(s))
	}
	for _, id := range groups {
		e.names = append(e.names, groupMark+id.Key())
	}
	if slices.Contains(e.names, "virtualnetwork") {
		known = append(known, own...)
	}
	e.known = space.Union(space.Prefixes(known))
	return e
}

// endPart is the addresses of a side, or one name on it.
type endPart struct {
	name   string
	values []space.Interval
}

func (e ruleEnd) parts() []endPart {
	var out []endPart
	if len(e.known) > 0 {
		out = append(out, endPart{values: e.known})
	}
	for _, n := range e.names {
		out = append(out, endPart{n, space.Whole(space.Source)})
	}
	return out
}

// has reports whether a side has all the addresses that a name stands for: it names
// them, or a tag of which they are those of one region, or has every address.
func (e ruleEnd) has(name string) bool {
	return isEvery(space.Source, e.known) || slices.ContainsFunc(e.names, func(mine string) bool {
		return mine == name || !strings.HasPrefix(name, groupMark) && strings.HasPrefix(name, mine+".")
	})
}

// covers reports whether a rule is certain to match all of some blocks by itself.
func (f *form) covers(blocks []block) bool {
	if !f.certain {
		return false
	}
	for _, b := range blocks {
		if c, ok := f.within(&b); !ok || !c.contains(b) {
			return false
		}
	}
	return true
}
