package floorplan

import (
	"fmt"
	"strings"
)

// lines draws the wires: what falls above all else. Peerings and flows have an edge
// in the colour of the paper, so that what they cross is seen to pass under them.
func (d *drawing) lines() {
	for _, pass := range []string{"way", "link", "peer", "flow"} {
		var nets []string
		of := map[string][]*wire{}
		for _, w := range d.s.wires {
			if strings.HasPrefix(w.class, pass) {
				if len(of[w.net]) == 0 {
					nets = append(nets, w.net)
				}
				of[w.net] = append(of[w.net], w)
			}
		}
		for _, net := range nets {
			if pass == "peer" || pass == "flow" {
				for _, w := range of[net] {
					d.f(`<path class="under" d="%s"/>`, path(w.points))
				}
			}
			for _, w := range of[net] {
				d.wire(w)
			}
		}
	}
}

func (d *drawing) wire(w *wire) {
	d.open(w.title)
	d.f(`<path class="wire %s" d="%s"/>`, w.class, path(w.points))
	switch {
	case w.group != nil:
		d.arrow(w)
	case strings.HasPrefix(w.class, "link"):
		d.f(`<circle class="dot %s" cx="%d" cy="%d" r="3.5"/>`, strings.Fields(w.class)[1], w.points[0].x, w.points[0].y)
	case w.class == "peer bad":
		p := d.freeSpot(w)
		d.f(`<circle class="paper" cx="%d" cy="%d" r="9"/><path class="wire cross" d="M%d %dl10 10m0 -10l-10 10"/>`, p.x, p.y, p.x-5, p.y-5)
	}
	d.close()
}

// arrow is at the end of a flow.
func (d *drawing) arrow(w *wire) {
	end, before := w.points[len(w.points)-1], w.points[len(w.points)-2]
	class := "arrow"
	if strings.Contains(w.class, "doubt") {
		class += " unsure"
	}
	dx := 8
	if before.x > end.x {
		dx = -8
	}
	d.f(`<path class="%s" d="M%d %dl%d -4.5v9z"/>`, class, end.x, end.y, -dx)
}

// path is a line through points with its corners rounded.
func path(points []point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", points[0].x, points[0].y)
	for i := 1; i < len(points)-1; i++ {
		p, a, c := points[i], points[i-1], points[i+1]
		r := min(bend, (apart(a.x, p.x)+apart(a.y, p.y))/2, (apart(c.x, p.x)+apart(c.y, p.y))/2)
		in, out := toward(p, a, r), toward(p, c, r)
		fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", in.x, in.y, p.x, p.y, out.x, out.y)
	}
	last := points[len(points)-1]
	fmt.Fprintf(&b, "L%d %d", last.x, last.y)
	return b.String()
}

// toward is the point at a distance from p in the direction of q, which is level
// with it or above or below.
func toward(p, q point, r int) point {
	switch {
	case q.x > p.x:
		return point{p.x + r, p.y}
	case q.x < p.x:
		return point{p.x - r, p.y}
	case q.y > p.y:
		return point{p.x, p.y + r}
	}
	return point{p.x, p.y - r}
}

// middle is the middle of the longest part of a line.
func middle(points []point) point {
	best, length := point{}, -1
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if n := apart(a.x, b.x) + apart(a.y, b.y); n > length {
			best, length = point{(a.x + b.x) / 2, (a.y + b.y) / 2}, n
		}
	}
	return best
}
