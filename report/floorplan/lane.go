package floorplan

import (
	"cmp"
	"slices"
)

// run is a net's part in one gutter: where it meets the left and the right side.
type run struct {
	net         string
	wide        bool // has a number on it
	left, right []int
	top, bottom int
	set         bool
	lane        int
}

func (r *run) add(y int, right bool) {
	if right {
		r.right = append(r.right, y)
	} else {
		r.left = append(r.left, y)
	}
	if !r.set {
		r.top, r.bottom, r.set = y, y, true
	}
	r.top, r.bottom = min(r.top, y), max(r.bottom, y)
}

func (r *run) holds(y int) bool { return r.top <= y && y <= r.bottom }

// crossings counts how often two runs cross with a to the left of b; lines that
// would lie on each other count heavily.
func crossings(a, b *run) int {
	n := 0
	for _, y := range b.left {
		if a.holds(y) {
			n++
		}
		for _, other := range a.right {
			if apart(y, other) < 3 {
				n += 50
			}
		}
	}
	for _, y := range a.right {
		if b.holds(y) {
			n++
		}
	}
	return n
}

// setLanes orders the runs of a gutter so that few lines cross, and gives each a
// lane; runs that do not overlap may share one.
func setLanes(runs []*run) gutter {
	runs = slices.DeleteFunc(runs, func(r *run) bool { return r.top == r.bottom }) // straight on
	slices.SortStableFunc(runs, func(a, b *run) int { return cmp.Compare(b.top+b.bottom, a.top+a.bottom) })
	for range len(runs) {
		swapped := false
		for i := 1; i < len(runs); i++ {
			if crossings(runs[i], runs[i-1]) < crossings(runs[i-1], runs[i]) {
				runs[i], runs[i-1] = runs[i-1], runs[i]
				swapped = true
			}
		}
		if !swapped {
			break
		}
	}
	lanes := 0
	for i, r := range runs {
		for _, before := range runs[:i] {
			if before.top <= r.bottom+bend && r.top <= before.bottom+bend {
				r.lane = max(r.lane, before.lane+1)
			}
		}
		lanes = max(lanes, r.lane+1)
	}
	steps := make([]int, lanes)
	for _, r := range runs {
		steps[r.lane] = max(steps[r.lane], laneStep)
		if r.wide {
			steps[r.lane] = 20
		}
	}
	g := gutter{lane: map[string]int{}}
	x := gutterEdge
	for i, step := range steps {
		x += step / 2
		for _, r := range runs {
			if r.lane == i {
				g.lane[r.net] = x
			}
		}
		x += step - step/2
	}
	g.width = x + gutterEdge
	return g
}
