package floorplan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// marks puts the findings' numbers on the map: on the lines of flows, and on the
// things that decide.
func (d *drawing) marks() {
	numbered, named := map[string]bool{}, map[int]bool{}
	for _, w := range d.s.wires {
		if w.group != nil && !numbered[w.net] {
			numbered[w.net] = true
			p := d.freeSpot(w)
			d.number(p, w.group)
			named[w.group.number] = named[w.group.number] || d.name(w, p)
		}
	}
	onPeering := map[string]bool{}
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
				if key := fmt.Sprintf("%p %d", w, g.number); !onPeering[key] {
					onPeering[key] = true
					d.number(d.freeSpot(w), g)
				}
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

// freeSpot is a place on a line where a sign can be: on no other sign, and where it
// can be on no other line and no box.
func (d *drawing) freeSpot(w *wire) point {
	best, least := middle(w.points), -1
	for _, p := range spots(w.points) {
		box := rect{p.x - 10, p.y - 10, 20, 20}
		if slices.ContainsFunc(d.nums, func(o rect) bool { return overlap(o, box) }) {
			continue
		}
		if n := d.busy(w, box); least < 0 || n < least {
			best, least = p, n
		}
		if least == 0 {
			break
		}
	}
	d.nums = append(d.nums, rect{best.x - 10, best.y - 10, 20, 20})
	return best
}

// name writes a flow's rule on its line beside the number at p, where there is
// room; it reports whether there is.
func (d *drawing) name(w *wire, p point) bool {
	rule := w.group.first().Rule
	box := rect{p.x + 10, p.y - 5, width(rule, 9.5, bold) + 10, 10}
	onLine := false
	for i := 1; i < len(w.points); i++ {
		a, b := w.points[i-1], w.points[i]
		onLine = onLine || a.y == p.y && b.y == p.y && min(a.x, b.x) < p.x && box.right()+bend < max(a.x, b.x)
	}
	if !onLine || d.busy(w, box) > 0 || slices.ContainsFunc(d.nums[:len(d.nums)-1], func(o rect) bool { return overlap(o, box) }) {
		return false
	}
	d.nums = append(d.nums, box)
	d.rect(box, "paper", 0)
	class := "tiny tfall"
	if w.group.first().Unknown {
		class = "tiny tdoubt"
	}
	d.text(box.x+5, p.y+3, class, rule)
	return true
}

// busy counts what a sign would be on beside its own line.
func (d *drawing) busy(w *wire, box rect) int {
	n := 0
	for _, other := range d.s.wires {
		if other.net == w.net {
			continue
		}
		for i := 1; i < len(other.points); i++ {
			a, b := other.points[i-1], other.points[i]
			if overlap(box, rect{min(a.x, b.x), min(a.y, b.y), apart(a.x, b.x) + 1, apart(a.y, b.y) + 1}) {
				n++
			}
		}
	}
	for _, c := range d.s.columns {
		for _, b := range c.blocks {
			if overlap(box, b.rect) {
				n += 2
			}
		}
	}
	return n
}

// spots are places along a line, those on its longest parts first.
func spots(points []point) []point {
	parts := make([]int, 0, len(points))
	for i := 1; i < len(points); i++ {
		parts = append(parts, i)
	}
	long := func(i int) int { return apart(points[i-1].x, points[i].x) + apart(points[i-1].y, points[i].y) }
	slices.SortStableFunc(parts, func(a, b int) int { return long(b) - long(a) })
	var out []point
	for _, i := range parts {
		a, b := points[i-1], points[i]
		for _, share := range []int{50, 40, 60, 30, 70, 20, 80, 10, 90} {
			out = append(out, point{a.x + (b.x-a.x)*share/100, a.y + (b.y-a.y)*share/100})
		}
	}
	return out
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
