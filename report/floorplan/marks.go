package floorplan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// marks puts the findings' numbers on the map: on the lines of flows, and on the
// things that decide.
func (d *drawing) marks() {
	numbered := map[string]bool{}
	for _, w := range d.s.wires {
		if w.group != nil && !numbered[w.net] {
			numbered[w.net] = true
			d.number(d.freeSpot(w.points), w.group)
		}
	}
	on := map[rect][]*group{}
	var order []rect
	mark := func(r rect, g *group) {
		if !slices.Contains(on[r], g) {
			if len(on[r]) == 0 {
				order = append(order, r)
			}
			on[r] = append(on[r], g)
		}
	}
	for _, g := range d.s.groups {
		for _, f := range g.findings {
			if w := d.s.peerAt[f.Resource.Key()]; w != nil {
				p := middle(w.points)
				mark(rect{p.x - 4, p.y - 20, 8, 0}, g)
				continue
			}
			for _, id := range []arm.ID{f.Resource, f.From} {
				if id == Internet || f.From != "" && id.Within(f.To) {
					continue // no place of ours; where a flow leads to the arrow says
				}
				if r, ok := d.s.boxOf(id); ok {
					mark(r, g)
				}
			}
		}
	}
	for _, r := range order {
		d.ring(r, on[r])
	}
}

// freeSpot is a place on a line where no other number is.
func (d *drawing) freeSpot(points []point) point {
	best := middle(points)
	for _, share := range []int{50, 35, 65, 20, 80} {
		p := along(points, share)
		box := rect{p.x - 9, p.y - 9, 18, 18}
		if !slices.ContainsFunc(d.nums, func(o rect) bool { return overlap(o, box) }) {
			best = p
			break
		}
	}
	d.nums = append(d.nums, rect{best.x - 9, best.y - 9, 18, 18})
	return best
}

// along is a place on the longest part of a line, in hundredths of it.
func along(points []point, share int) point {
	at, length := 1, -1
	for i := 1; i < len(points); i++ {
		if n := apart(points[i-1].x, points[i].x) + apart(points[i-1].y, points[i].y); n > length {
			at, length = i, n
		}
	}
	a, b := points[at-1], points[at]
	return point{a.x + (b.x-a.x)*share/100, a.y + (b.y-a.y)*share/100}
}

func overlap(a, b rect) bool {
	return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

// boxOf is the box in which an id is drawn, or the nearest of what it is within.
func (s *scene) boxOf(id arm.ID) (rect, bool) {
	for _, c := range s.columns {
		for _, b := range c.blocks {
			for _, sub := range b.subnets {
				for _, p := range sub.pills {
					if slices.ContainsFunc(p.ids, id.Equal) {
						return p.rect, true
					}
				}
				if sub.subnet.ID.Equal(id) && id != "" {
					return sub.rect, true
				}
			}
		}
	}
	b, at := s.find(id)
	switch {
	case b == nil:
		return rect{}, false
	case at.chip != nil:
		return at.chip.rect, true
	}
	return b.rect, true
}

func (d *drawing) ring(r rect, groups []*group) {
	class := "ring"
	if !slices.ContainsFunc(groups, func(g *group) bool { return !g.first().Unknown }) {
		class += " unsure"
	}
	if r.h > 0 {
		d.f(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="7"/>`, class, r.x-2, r.y-2, r.w+4, r.h+4)
	}
	x := r.right() - 4
	for i, g := range groups {
		if i == 4 && len(groups) > 5 {
			d.text(x-8, r.y+4, "small end tfall", "+"+strconv.Itoa(len(groups)-4))
			break
		}
		d.number(point{x, r.y}, g)
		x -= 19
	}
}

// number is a group's number in a disc.
func (d *drawing) number(p point, g *group) {
	class := "fall"
	if g.first().Unknown {
		class = "doubtful"
	}
	s := strconv.Itoa(g.number)
	d.f(`<g><title>%s</title><rect class="%s" x="%d" y="%d" width="18" height="18" rx="9"/><text class="onbadge onfall" x="%d" y="%d">%s</text></g>`,
		esc(g.first().Rule+": "+strings.TrimSpace(g.first().Title)), class, p.x-9, p.y-9, p.x, p.y+4, s)
}
