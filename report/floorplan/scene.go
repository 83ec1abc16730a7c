package floorplan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// scene is a plan with every box and line at its place.
type scene struct {
	plan    *Plan
	columns []*column // outside, rooms, services
	wires   []*wire
	groups  []*group // of findings
	w, h    int
	most    int // chips of a subnet
	top     int // of the drawing of the rooms

	roomAt    map[string]*block
	chipAt    map[string][]spot
	serviceAt map[string]*block
	outsideAt map[string]*block
	peerAt    map[string]*wire // by the key of each half's document
	ports     map[portKey]*port
	gutters   []gutter
}

// spot is where a chip is.
type spot struct {
	chip *chip
	in   *subnetBox
	room *block
}

// newScene lays a plan out.
func newScene(p *Plan) *scene {
	s := &scene{
		plan: p, roomAt: map[string]*block{}, chipAt: map[string][]spot{}, ports: map[portKey]*port{},
		serviceAt: map[string]*block{}, outsideAt: map[string]*block{}, peerAt: map[string]*wire{},
	}
	order := map[string]int{}
	for i, v := range p.Services {
		order[v.ID.Key()] = i
	}
	tenants := len(p.tenants())
	s.most = mostChips
	for _, more := range []int{60, 150} { // a map of many rooms says less of each
		if tenants > more {
			s.most = s.most * 6 / 10
		}
	}
	s.groups = groupFindings(p.Findings)
	s.build(order)
	s.wire()
	s.layOut()
	return s
}

func (s *scene) build(order map[string]int) {
	outside := &column{width: outsideWidth, side: true}
	for i := range s.plan.Outside {
		o := &s.plan.Outside[i]
		b := &block{outside: o, ids: []arm.ID{o.ID}}
		b.w, b.h = outsideWidth, outsideHead+14*min(len(o.Spaces), 3)
		outside.blocks = append(outside.blocks, b)
		s.outsideAt[o.ID.Key()] = b
	}
	services := &column{width: serviceWidth, side: true}
	for _, v := range collapseServices(s.plan.Services) {
		b := &block{service: v}
		b.w, b.h = serviceWidth, v.height()
		for _, m := range v.members {
			b.ids = append(b.ids, m.ID)
			s.serviceAt[m.ID.Key()] = b
		}
		services.blocks = append(services.blocks, b)
	}
	var layered [][]*block
	for _, layer := range layers(s.plan) {
		var blocks []*block
		for _, i := range layer {
			b := s.roomBlock(&s.plan.Rooms[i], order)
			s.roomAt[s.plan.Rooms[i].ID.Key()] = b
			blocks = append(blocks, b)
		}
		layered = append(layered, blocks)
	}
	least := 0
	for _, b := range services.blocks {
		least += b.h + blockGap/2
	}
	rooms := breakColumns(layered, least)
	if len(s.plan.Elsewhere) > 0 {
		b := s.elsewhereBlock(s.plan.Elsewhere, order)
		if len(rooms) == 0 {
			rooms = append(rooms, &column{width: roomWidth})
		}
		c := slices.MinFunc(rooms, func(a, b *column) int { return cmp.Compare(a.height(), b.height()) })
		c.blocks = append(c.blocks, b)
	}
	s.columns = append([]*column{outside}, rooms...)
	s.columns = append(s.columns, services)
	for i, c := range s.columns {
		for _, b := range c.blocks {
			s.note(b, i)
		}
	}
}

// note remembers which column a block is in, and where its chips are.
func (s *scene) note(b *block, column int) {
	b.col = column
	for _, sub := range b.subnets {
		for _, c := range sub.chips {
			for _, t := range c.members {
				for _, id := range append([]arm.ID{t.ID}, t.Attached...) {
					s.chipAt[id.Key()] = append(s.chipAt[id.Key()], spot{c, sub, b})
				}
			}
		}
	}
}

func (v *serviceBox) height() int {
	h := serviceHead
	if v.Note != "" {
		h += 14
	}
	if len(v.doors) > 0 {
		h += doorHeight*len(v.doors) + 4
	}
	return h
}

// collapseServices takes services of a kind together where there are too many.
func collapseServices(list []Service) []*serviceBox {
	var out []*serviceBox
	at := map[string]*serviceBox{}
	for _, v := range list {
		key := v.ID.Key()
		if len(list) > mostServices {
			key = v.Kind + " " + string(v.Access)
		}
		b, ok := at[key]
		if !ok {
			b = &serviceBox{Service: v}
			at[key] = b
			out = append(out, b)
		}
		b.members = append(b.members, v)
		for _, d := range v.Doors {
			if !slices.Contains(b.doors, d) {
				b.doors = append(b.doors, d)
			}
		}
	}
	for _, b := range out {
		slices.Sort(b.doors)
		if n := len(b.members); n > 1 {
			b.Name, b.Note, b.Outside = "×"+count(n, b.Kind), "", false
			b.Kind = b.members[0].Name + " … " + b.members[n-1].Name
		}
	}
	return out
}

// group is findings that one change mends: one number on the map.
type group struct {
	number   int
	findings []Finding
}

func (g *group) first() Finding { return g.findings[0] }

// groupFindings keeps the order of the first of each group; what falls goes
// before what is unknown.
func groupFindings(list []Finding) []*group {
	var out []*group
	at := map[string]*group{}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Finding) int { return cmp.Compare(btoi(a.Unknown), btoi(b.Unknown)) })
	for _, f := range sorted {
		key := fmt.Sprint(f.Unknown, " ", cmp.Or(f.Remedy, f.Reason))
		g, ok := at[key]
		if !ok {
			g = &group{number: len(out) + 1}
			at[key] = g
			out = append(out, g)
		}
		g.findings = append(g.findings, f)
	}
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
