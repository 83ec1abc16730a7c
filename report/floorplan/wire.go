package floorplan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

type point struct{ x, y int }

// wire is a line between two pins. Wires of one net may run on top of each other:
// they have an end in common.
type wire struct {
	net      string
	class    string
	title    string
	from, to pin
	points   []point
	gaps     []int // the gaps that it takes, in the columns between its gutters
	group    *group
	state    PeeringState
	halves   []arm.ID
	beside   bool // straight down, between neighbours of a column
}

// portKey names a place where lines end: a block's head, a door of a service or a
// chip, and the side of it.
type portKey struct {
	block *block
	chip  *chip
	door  string
	right bool
}

// port is such a place. Each net that ends there has a height of its own.
type port struct {
	block       *block
	left, right int // of what it belongs to, from the block's left
	base, step  int
	centred     bool
	nets        []string
}

func (p *port) dy(net string) int {
	i := slices.Index(p.nets, net)
	if p.centred { // the first in the middle, the others on both sides of it
		if i%2 == 1 {
			return p.base + (i+1)/2*p.step
		}
		return p.base - i/2*p.step
	}
	return p.base + i*p.step
}

// pin is a line's end at a port.
type pin struct {
	port  *port
	net   string
	right bool
}

func (p pin) y() int { return p.port.block.y + p.port.dy(p.net) }

func (p pin) x() int {
	if p.right {
		return p.port.block.x + p.port.right
	}
	return p.port.block.x + p.port.left
}

// gutter is the one that the line goes into.
func (p pin) gutter() int {
	if p.right {
		return p.port.block.col
	}
	return p.port.block.col - 1
}

func (s *scene) pin(k portKey, net string, make func() *port) pin {
	p, ok := s.ports[k]
	if !ok {
		p = make()
		p.block = k.block
		s.ports[k] = p
	}
	if !slices.Contains(p.nets, net) {
		p.nets = append(p.nets, net)
	}
	return pin{port: p, net: net, right: k.right}
}

// headPin is at the head of a block.
func (s *scene) headPin(b *block, right bool, net string) pin {
	return s.pin(portKey{block: b, right: right}, net, func() *port {
		if b.room != nil {
			return &port{right: b.w, base: 28, step: 8}
		}
		return &port{right: b.w, base: 23, step: 8, centred: true}
	})
}

func (s *scene) chipPin(at spot, right bool, net string) pin {
	return s.pin(portKey{block: at.room, chip: at.chip, right: right}, net, func() *port {
		left := roomPad + subnetPad
		return &port{left: left, right: left + at.chip.w, base: at.in.dy + at.chip.dy + chipHeight/2, step: 7, centred: true}
	})
}

// doorPin is at a service's door for a sub-resource; at its head where it has none
// of that name.
func (s *scene) doorPin(b *block, door, net string) pin {
	i := slices.Index(b.service.doors, door)
	if i < 0 {
		return s.headPin(b, false, net)
	}
	return s.pin(portKey{block: b, door: door}, net, func() *port {
		return &port{right: b.w, base: b.service.doorTop() + i*doorHeight + doorHeight/2, step: 6, centred: true}
	})
}

func (v *serviceBox) doorTop() int {
	if v.Note != "" {
		return serviceHead + 14
	}
	return serviceHead
}

func (s *scene) add(w *wire) *wire {
	s.wires = append(s.wires, w)
	return w
}

func (s *scene) wire() {
	s.peeringWires()
	s.endpointWires()
	s.wayWires()
	s.findingWires()
}

// peeringWires leave the room that has more peerings, so that those of a hub share
// a trunk.
func (s *scene) peeringWires() {
	degree := map[string]int{}
	for _, p := range s.plan.Peerings {
		degree[p.A.Key()]++
		degree[p.B.Key()]++
	}
	down := map[[2]*block]int{}
	for _, p := range s.plan.Peerings {
		a, b := s.roomAt[p.A.Key()], s.roomAt[p.B.Key()]
		if degree[p.B.Key()] > degree[p.A.Key()] {
			a, b = b, a
		}
		w := s.add(&wire{state: p.State, halves: p.Halves, class: "peer", title: p.title()})
		w.net = "peer " + a.room.ID.Key()
		if p.State != PeeringConnected {
			w.class, w.net = "peer bad", fmt.Sprint("peer ", p.State, a.room.ID.Key(), b.room.ID.Key())
		}
		for _, half := range p.Halves {
			s.peerAt[half.Key()] = w
		}
		if upper, lower, ok := s.neighbours(a, b); ok {
			w.beside = true
			n := down[[2]*block{upper, lower}]
			down[[2]*block{upper, lower}]++
			w.from = pin{port: &port{block: upper, left: roomWidth/2 + 14*n, base: upper.h, nets: []string{w.net}}, net: w.net}
			w.to = pin{port: &port{block: lower, left: roomWidth/2 + 14*n, nets: []string{w.net}}, net: w.net}
			continue
		}
		switch {
		case a.col < b.col:
			w.from, w.to = s.headPin(a, true, w.net), s.headPin(b, false, w.net)
		case a.col > b.col:
			w.from, w.to = s.headPin(a, false, w.net), s.headPin(b, true, w.net)
		default:
			w.from, w.to = s.headPin(a, true, w.net), s.headPin(b, true, w.net)
		}
	}
}

func (p Peering) title() string {
	t := fmt.Sprintf("peering %s – %s: %s", p.A.Name(), p.B.Name(), p.State)
	if p.State == PeeringOneSided {
		t = fmt.Sprintf("peering from %s to %s and none back: nothing passes", p.A.Name(), p.B.Name())
	}
	if p.Forwarded {
		t += ", forwarded traffic"
	}
	if p.Transit {
		t += ", gateway transit"
	}
	return t
}

// neighbours reports whether two blocks stand below each other.
func (s *scene) neighbours(a, b *block) (upper, lower *block, ok bool) {
	if a.col != b.col {
		return nil, nil, false
	}
	list := s.columns[a.col].blocks
	i, j := slices.Index(list, a), slices.Index(list, b)
	if i > j {
		i, j = j, i
	}
	return list[i], list[j], j == i+1
}

func (s *scene) endpointWires() {
	for _, c := range s.columns {
		for _, b := range c.blocks {
			for _, sub := range b.subnets {
				for _, chip := range sub.chips {
					s.chipWires(spot{chip, sub, b})
				}
			}
		}
	}
}

func (s *scene) chipWires(at spot) {
	drawn := map[string]bool{}
	for _, t := range at.chip.members {
		if t.Endpoint == nil || t.Endpoint.Target == "" {
			continue
		}
		to := s.serviceAt[t.Endpoint.Target.Key()]
		net := fmt.Sprintf("endpoint %s %s", to.ids[0].Key(), t.Endpoint.Group)
		if drawn[net] {
			continue
		}
		drawn[net] = true
		class := "link " + to.service.Family
		if !t.Endpoint.Approved {
			class += " pending"
		}
		s.add(&wire{net: net, class: class, title: fmt.Sprintf("%s leads to %s (%s)", t.Name, t.Endpoint.Target.Name(), t.Endpoint.Group),
			from: s.chipPin(at, true, net), to: s.doorPin(to, t.Endpoint.Group, net)})
	}
}

func (s *scene) wayWires() {
	drawn := map[string]bool{}
	for _, w := range s.plan.Ways {
		from, ok := s.outsideAt[w.From.Key()]
		if !ok {
			continue
		}
		for _, at := range s.chipAt[w.To.Key()] {
			net := "way " + w.From.Key()
			if key := fmt.Sprintf("%s %p", net, at.chip); !drawn[key] {
				drawn[key] = true
				s.add(&wire{net: net, class: "way", title: fmt.Sprintf("%s: %s – %s", w.Kind, from.outside.Name, at.chip.name),
					from: s.headPin(from, true, net), to: s.chipPin(at, false, net)})
			}
		}
	}
}

// mostFlows bounds the flows drawn of one group of findings: the list says how
// many there are.
const mostFlows = 16

func (s *scene) findingWires() {
	for _, g := range s.groups {
		drawn := map[string]bool{}
		for _, f := range inTurn(g.findings) {
			if f.From == "" || f.To == "" || len(drawn) >= mostFlows || s.peerAt[f.Resource.Key()] != nil && s.roomAt[f.From.Key()] != nil {
				continue // of a peering its own line says it
			}
			w := &wire{net: fmt.Sprintf("finding %d from %s", g.number, f.From.Key()), group: g, class: "flow", title: f.Rule + ": " + f.Title}
			if f.Unknown {
				w.class = "flow doubt"
			}
			key := f.From.Key() + " " + f.To.Key() + " " + f.Door
			if !drawn[key] && s.join(w, f) {
				drawn[key] = true
				s.add(w)
			}
		}
	}
}

// inTurn takes the first finding of each place, then the second of each, so that
// every place has its line where not all are drawn.
func inTurn(list []Finding) []Finding {
	turn := map[string]int{}
	order := make([]int, len(list))
	for i, f := range list {
		order[i] = turn[f.From.Key()]
		turn[f.From.Key()]++
	}
	at := make([]int, len(list))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return order[a] - order[b] })
	out := make([]Finding, len(list))
	for i, j := range at {
		out[i] = list[j]
	}
	return out
}

// join finds the ends of a finding's flow; ok is false where one is not on the map
// or both are one.
func (s *scene) join(w *wire, f Finding) bool {
	from, fromChip := s.find(f.From)
	to, toChip := s.find(f.To)
	if from == nil || to == nil || from == to && fromChip.chip == toChip.chip {
		return false
	}
	// What is outside is met from the right, a service from the left.
	right := from.service == nil && (from.outside != nil || from.col <= to.col)
	toRight := to.service == nil && (to.outside != nil || to.col <= from.col)
	if fromChip.chip != nil {
		w.from = s.chipPin(fromChip, right, w.net)
	} else {
		w.from = s.headPin(from, right, w.net)
	}
	switch {
	case to.service != nil:
		w.to = s.doorPin(to, f.Door, w.net)
	case toChip.chip != nil:
		w.to = s.chipPin(toChip, toRight, w.net)
	default:
		w.to = s.headPin(to, toRight, w.net)
	}
	return true
}

// find is where an id is drawn: a chip and its room, or a block.
func (s *scene) find(id arm.ID) (*block, spot) {
	for ; id != ""; id = id.Parent() {
		key := id.Key()
		if at := s.chipAt[key]; len(at) > 0 {
			return at[0].room, at[0]
		}
		for _, m := range []map[string]*block{s.serviceAt, s.roomAt, s.outsideAt} {
			if b, ok := m[key]; ok {
				return b, spot{}
			}
		}
		if !strings.Contains(key, "/providers/") {
			break
		}
	}
	return nil, spot{}
}
