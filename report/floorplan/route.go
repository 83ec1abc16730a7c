package floorplan

import (
	"cmp"
	"fmt"
	"slices"
)

// gutter is the room between two columns, in which lines go up and down.
type gutter struct {
	x, width int
	lane     map[string]int // net -> x from the gutter's left
}

const (
	gutterEdge = 26 // beside the first and the last lane
	bend       = 7  // radius
)

// layOut gives every block and line its place: first roughly, to choose the gaps
// that lines take, then for good.
func (s *scene) layOut() {
	s.top = 112
	if s.plan.Tally != nil {
		s.top += 24
	}
	s.stack()
	taken := map[string]bool{}
	for _, w := range s.wires {
		s.chooseGaps(w, taken)
	}
	s.fillGaps()
	s.stack()
	s.lanes()
	x := margin
	for i, c := range s.columns {
		c.x = x
		if len(c.blocks) > 0 {
			x += c.width
		}
		for _, b := range c.blocks {
			b.x = c.x
			b.place()
		}
		if i < len(s.gutters) {
			s.gutters[i].x = x
			x += s.gutters[i].width
		}
		s.h = max(s.h, c.bottom)
	}
	s.w = x + margin
	for _, w := range s.wires {
		s.trace(w)
	}
}

// ends are a wire's pins from the left gutter to the right one.
func (w *wire) ends() (a, b pin) {
	if w.from.gutter() > w.to.gutter() {
		return w.to, w.from
	}
	return w.from, w.to
}

// newGap is how far up or down a net goes to keep to a gap that it takes already.
const newGap = 220

// chooseGaps finds the way across the columns between a wire's ends that goes up
// and down least. taken are the gaps that each net has in each column.
func (s *scene) chooseGaps(w *wire, taken map[string]bool) {
	if w.beside {
		return
	}
	a, b := w.ends()
	extra := func(col, k int) int {
		key := fmt.Sprint(w.net, " ", col)
		switch {
		case !taken[key] || taken[fmt.Sprint(key, " ", k)]:
			return 0
		case w.group != nil:
			return 100 * newGap // a flow has one trunk
		}
		return newGap
	}
	type way struct{ cost, from int }
	var table [][]way
	for col := a.gutter() + 1; col <= b.gutter(); col++ {
		row := make([]way, len(s.columns[col].gaps))
		for k := range row {
			y := s.columns[col].gaps[k].y
			if len(table) == 0 {
				row[k] = way{cost: apart(y, a.y()) + extra(col, k)}
				continue
			}
			row[k].cost = -1
			for j, before := range table[len(table)-1] {
				c := before.cost + apart(y, s.columns[col-1].gaps[j].y) + extra(col, k)
				if row[k].cost < 0 || c < row[k].cost {
					row[k] = way{c, j}
				}
			}
		}
		table = append(table, row)
	}
	if len(table) == 0 {
		return
	}
	last, best := table[len(table)-1], 0
	end := func(k int) int { return last[k].cost + apart(s.columns[b.gutter()].gaps[k].y, b.y()) }
	for k := range last {
		if end(k) < end(best) {
			best = k
		}
	}
	w.gaps = make([]int, len(table))
	for i := len(table) - 1; i >= 0; i-- {
		w.gaps[i] = best
		key := fmt.Sprint(w.net, " ", a.gutter()+1+i)
		taken[key], taken[fmt.Sprint(key, " ", best)] = true, true
		best = table[i][best].from
	}
}

func apart(a, b int) int {
	if a < b {
		return b - a
	}
	return a - b
}

// fillGaps gives each net that takes a gap a lane in it, in the order in which
// they come.
func (s *scene) fillGaps() {
	type use struct{ sum, n int }
	uses := map[*gap]map[string]*use{}
	for _, w := range s.wires {
		a, _ := w.ends()
		y := 0
		if !w.beside {
			y = a.y()
		}
		for i, k := range w.gaps {
			g := &s.columns[a.gutter()+1+i].gaps[k]
			if uses[g] == nil {
				uses[g] = map[string]*use{}
			}
			u := uses[g][w.net]
			if u == nil {
				u = &use{}
				uses[g][w.net] = u
				g.nets = append(g.nets, w.net)
			}
			u.sum, u.n = u.sum+y, u.n+1
			y = g.y
		}
	}
	for g, of := range uses {
		slices.SortStableFunc(g.nets, func(a, b string) int {
			return cmp.Compare(of[a].sum*of[b].n, of[b].sum*of[a].n)
		})
	}
}

// heights are where a wire is at each gutter's two sides, from the left: pairs of
// the height at which it comes in and that at which it goes on.
func (s *scene) heights(w *wire) []int {
	a, b := w.ends()
	out := []int{a.y()}
	for i, k := range w.gaps {
		y := s.columns[a.gutter()+1+i].gaps[k].lane(w.net)
		out = append(out, y, y)
	}
	return append(out, b.y())
}

// lanes orders the nets in each gutter.
func (s *scene) lanes() {
	s.gutters = make([]gutter, len(s.columns)-1)
	nets := make([]map[string]*run, len(s.gutters))
	order := make([][]*run, len(s.gutters))
	for _, w := range s.wires {
		if w.beside {
			continue
		}
		a, b := w.ends()
		ys := s.heights(w)
		for g := a.gutter(); g <= b.gutter(); g++ {
			if nets[g] == nil {
				nets[g] = map[string]*run{}
			}
			r := nets[g][w.net]
			if r == nil {
				r = &run{net: w.net, wide: w.group != nil}
				nets[g][w.net] = r
				order[g] = append(order[g], r)
			}
			i := 2 * (g - a.gutter())
			// At the ends the side is the pin's; in between lines come from the left
			// and go to the right.
			r.add(ys[i], g == a.gutter() && !a.right)
			r.add(ys[i+1], g != b.gutter() || !b.right)
		}
	}
	for g := range s.gutters {
		s.gutters[g] = setLanes(order[g])
		switch {
		case len(s.columns[g].blocks) == 0 || len(s.columns[g+1].blocks) == 0:
			s.gutters[g].width = 0
			if len(order[g]) > 0 {
				s.gutters[g] = setLanes(order[g])
			}
		default:
			s.gutters[g].width = max(s.gutters[g].width, 64)
		}
	}
}

// trace makes the points of a wire.
func (s *scene) trace(w *wire) {
	a, b := w.ends()
	if w.beside {
		w.points = []point{{a.x(), a.y()}, {b.x(), b.y()}}
		return
	}
	ys := s.heights(w)
	w.points = []point{{a.x(), a.y()}}
	for g := a.gutter(); g <= b.gutter(); g++ {
		i := 2 * (g - a.gutter())
		if ys[i] != ys[i+1] || a.right == b.right && a.gutter() == b.gutter() {
			x := s.gutters[g].x + s.gutters[g].lane[w.net]
			w.points = append(w.points, point{x, ys[i]}, point{x, ys[i+1]})
		}
	}
	w.points = append(w.points, point{b.x(), b.y()})
	if w.from != a {
		slices.Reverse(w.points)
	}
}
