package floorplan

import (
	"cmp"
	"math"
	"slices"
)

// column is a stack of blocks. Lines cross it only in the gaps: gap i is above
// block i, the last one below all.
type column struct {
	x, width int
	side     bool // what is outside, and the services: crossed by no line
	blocks   []*block
	gaps     []gap
	bottom   int
}

type gap struct {
	y    int      // of the first lane
	nets []string // one lane each, from above
}

const (
	margin   = 44
	laneStep = 11
	topRoom  = 18 // above the blocks, where no line crosses
)

func (g *gap) height() int { return max(blockGap, 26+(len(g.nets)-1)*laneStep) }

// lane is the place of a net's line in a gap.
func (g *gap) lane(net string) int { return g.y + slices.Index(g.nets, net)*laneStep }

// breakColumns sets layers of blocks in columns so that the whole comes near to
// the shape of a sheet: least is the height that the services take anyway.
func breakColumns(layered [][]*block, least int) []*column {
	tallest, total := 0, 0
	for _, layer := range layered {
		for _, b := range layer {
			tallest, total = max(tallest, b.h+blockGap), total+b.h+blockGap
		}
	}
	const sheet = 1.45 // A3, with room for the panels below
	var best []*column
	bestOff := math.Inf(1)
	for step := range 24 {
		limit := tallest + (total-tallest)*step/23
		cols, high := breakAt(layered, limit)
		wide := 600 + len(cols)*(roomWidth+90)
		off := math.Abs(math.Log(float64(wide) / float64(max(high, least)+260) / sheet))
		if off < bestOff-1e-9 {
			best, bestOff = cols, off
		}
	}
	return best
}

// breakAt makes columns of about one height for each layer, none higher than limit
// where it can be.
func breakAt(layered [][]*block, limit int) (cols []*column, high int) {
	for _, layer := range layered {
		sum := 0
		for _, b := range layer {
			sum += b.h + blockGap
		}
		if sum == 0 {
			continue
		}
		n := (sum + limit - 1) / max(limit, 1)
		most := sum
		for lo := sum / n; lo < most; { // the least height that n columns can have
			half := (lo + most) / 2
			if len(fill(layer, half)) <= n {
				most = half
			} else {
				lo = half + 1
			}
		}
		for _, c := range fill(layer, most) {
			cols = append(cols, c)
			high = max(high, c.height())
		}
	}
	return cols, high
}

// fill sets blocks in columns of at most a height; a higher block has its own.
func fill(layer []*block, most int) []*column {
	var out []*column
	for _, b := range layer {
		if n := len(out); n > 0 && out[n-1].height()+b.h+blockGap <= most {
			out[n-1].blocks = append(out[n-1].blocks, b)
			continue
		}
		out = append(out, &column{width: roomWidth, blocks: []*block{b}})
	}
	return out
}

func (c *column) height() int {
	h := 0
	for _, b := range c.blocks {
		h += b.h + blockGap
	}
	return h
}

// stack sets the blocks of the rooms' columns below each other.
func (s *scene) stack() {
	top := 0
	for _, c := range s.columns {
		if len(c.gaps) != len(c.blocks)+1 {
			c.gaps = make([]gap, len(c.blocks)+1)
		}
		if n := len(c.gaps[0].nets); n > 0 && !c.side {
			top = max(top, topRoom+n*laneStep)
		}
	}
	for _, c := range s.columns {
		if !c.side {
			c.stack(s.top + top)
		}
	}
	s.beside(s.columns[0], s.top+top)
	s.beside(s.columns[len(s.columns)-1], s.top+top)
}

func (c *column) stack(y int) {
	c.gaps[0].y = y - topRoom - (len(c.gaps[0].nets)-1)*laneStep
	for i, b := range c.blocks {
		b.y = y
		y += b.h
		g := &c.gaps[i+1]
		g.y = y + (g.height()-(len(g.nets)-1)*laneStep)/2
		y += g.height()
	}
	c.bottom = y
	if last := c.gaps[len(c.blocks)]; len(c.blocks) > 0 && len(last.nets) == 0 {
		c.bottom = c.blocks[len(c.blocks)-1].bottom()
	}
}

// beside sets the blocks of a side column each near what it is joined to.
func (s *scene) beside(c *column, top int) {
	type wish struct{ sum, n int }
	want := map[*block]*wish{}
	note := func(at, other pin) {
		if at.port.block.col == other.port.block.col || s.columns[other.port.block.col].side {
			return
		}
		w := want[at.port.block]
		if w == nil {
			w = &wish{}
			want[at.port.block] = w
		}
		w.sum += other.y() - at.port.dy(at.net)
		w.n++
	}
	for _, w := range s.wires {
		if w.group != nil {
			continue // the map stays as it is when findings are drawn on it
		}
		if s.columns[w.from.port.block.col] == c {
			note(w.from, w.to)
		}
		if s.columns[w.to.port.block.col] == c {
			note(w.to, w.from)
		}
	}
	wished := func(b *block) int {
		if w := want[b]; w != nil {
			return w.sum / w.n
		}
		return math.MaxInt32
	}
	slices.SortStableFunc(c.blocks, func(a, b *block) int { return cmp.Compare(wished(a), wished(b)) })
	const between = 16
	y := top
	for _, b := range c.blocks {
		b.y = y
		if w := wished(b); w != math.MaxInt32 {
			b.y = max(y, w)
		}
		y = b.y + b.h + between
	}
	// What has been pushed below the rooms moves up again as far as there is room.
	floor := top
	for _, b := range c.blocks {
		floor += b.h + between
	}
	for _, other := range s.columns {
		if !other.side {
			floor = max(floor, other.bottom+between)
		}
	}
	for i := len(c.blocks) - 1; i >= 0; i-- {
		b := c.blocks[i]
		b.y = min(b.y, floor-b.h-between)
		floor = b.y
	}
	c.bottom = top
	for _, b := range c.blocks {
		c.bottom = max(c.bottom, b.bottom())
	}
}
