package floorplan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// SVG draws a plan. The drawing stands alone: it has no scripts, and refers to no
// font, image or style outside itself.
func SVG(w io.Writer, p *Plan) error {
	s := newScene(p)
	d := &drawing{s: s, w: max(s.w, 980)}
	s.center(d.w)
	d.heading()
	d.walls()
	d.lines()
	d.contents()
	d.marks()
	y := d.findings(max(s.h, s.top) + 48)
	y = d.zones(y)
	y = d.legend(y)
	var head bytes.Buffer
	fmt.Fprintf(&head, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="map-title map-desc">`+"\n",
		d.w, y, d.w, y)
	fmt.Fprintf(&head, "<title id=\"map-title\">%s</title>\n<desc id=\"map-desc\">%s</desc>\n", esc(p.heading()), esc(p.summary()))
	fmt.Fprintf(&head, "<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", style, d.w, y)
	for _, part := range [][]byte{head.Bytes(), d.out.Bytes(), []byte("</svg>\n")} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("writing the map: %w", err)
		}
	}
	return nil
}

func (p *Plan) heading() string {
	if p.Title == "" {
		return "Network map"
	}
	return p.Title
}

// summary counts what the map shows.
func (p *Plan) summary() string {
	subnets, endpoints, tenants := 0, 0, 0
	for _, r := range p.Rooms {
		subnets += len(r.Subnets)
		for _, s := range r.Subnets {
			for _, t := range s.Tenants {
				if t.Endpoint != nil {
					endpoints++
					continue
				}
				tenants++
			}
		}
	}
	parts := []string{count(len(p.Rooms), "virtual network")}
	for _, c := range []struct {
		n   int
		one string
	}{
		{subnets, "subnet"}, {tenants, "resource"}, {endpoints, "private endpoint"}, {len(p.Services), "service"},
		{len(p.Peerings), "peering"}, {len(p.Zones), "private DNS zone"},
	} {
		if c.n > 0 {
			label := count(c.n, c.one)
			if c.one == "resource" {
				label += " in them"
			}
			parts = append(parts, label)
		}
	}
	return strings.Join(parts, " · ")
}

// drawing gathers the elements of the map.
type drawing struct {
	out  bytes.Buffer
	s    *scene
	w    int
	nums []rect // of numbers on lines, so that none is on another
}

func (d *drawing) f(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

func (d *drawing) rect(r rect, class string, radius int) {
	d.f(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, class, r.x, r.y, r.w, r.h, radius)
}

func (d *drawing) text(x, y int, class, s string) {
	d.f(`<text class="%s" x="%d" y="%d">%s</text>`, class, x, y, esc(s))
}

// open and close put a tooltip around what is between them.
func (d *drawing) open(title string) { d.f(`<g><title>%s</title>`, esc(title)) }
func (d *drawing) close()            { d.f(`</g>`) }

// center sets the drawing in the middle of a wider sheet.
func (s *scene) center(w int) {
	dx := (w - s.w) / 2
	if dx <= 0 {
		return
	}
	for _, c := range s.columns {
		for _, b := range c.blocks {
			b.x += dx
			b.place()
		}
	}
	for _, wire := range s.wires {
		for i := range wire.points {
			wire.points[i].x += dx
		}
	}
}

func (d *drawing) heading() {
	s, p := d.s, d.s.plan
	d.text(margin, 58, "title", clip(p.heading(), d.w-2*margin, 27, bold))
	d.text(margin, 82, "sub", p.summary())
	if t := p.Tally; t != nil {
		class, what := "sub thold", fmt.Sprintf("All %s hold", count(t.Holds, "requirement"))
		total := t.Holds + t.Falls + t.Unknown + t.Off
		switch {
		case total == 0:
			class, what = "sub", "Nothing was required of it"
		case t.Falls > 0:
			class, what = "sub tfall", fmt.Sprintf("%d of %s fall", t.Falls, count(total, "requirement"))
		case t.Unknown > 0:
			class, what = "sub tdoubt", fmt.Sprintf("No requirement falls, %d of %d cannot be known before deployment", t.Unknown, total)
		}
		if t.Falls > 0 && t.Unknown > 0 {
			what += fmt.Sprintf(", %d cannot be known before deployment", t.Unknown)
		}
		if t.Off > 0 {
			what += fmt.Sprintf(" (%d switched off)", t.Off)
		}
		d.text(margin, 104, class, what)
	}
	if len(p.Rooms)+len(p.Services)+len(p.Elsewhere) == 0 {
		d.text(margin, s.top+20, "mid", "There is no virtual network and no service in this estate.")
	}
}

// walls draws what lines run over: rooms and subnets.
func (d *drawing) walls() {
	for _, c := range d.s.columns {
		for _, b := range c.blocks {
			if b.room == nil {
				continue
			}
			class := "room"
			if b.room.Outside || b.room.ID == "" {
				class = "ghost"
			}
			d.rect(b.rect, class, 10)
			for _, s := range b.subnets {
				class := "subnet"
				if s.subnet.Outside {
					class += " ghost"
				}
				d.rect(s.rect, class, 6)
			}
		}
	}
}

// contents draws what stands on the walls' ground.
func (d *drawing) contents() {
	for _, c := range d.s.columns {
		for _, b := range c.blocks {
			switch {
			case b.room != nil:
				d.room(b)
			case b.service != nil:
				d.service(b)
			default:
				d.outside(b)
			}
		}
	}
}

func (d *drawing) room(b *block) {
	r := b.room
	d.open(strings.TrimSpace(r.Kind + " " + r.Name))
	x := b.x + 14
	if r.Key != "" {
		d.badge(b.x+25, b.y+23, r.Key)
		x = b.x + 44
	}
	room := b.right() - 14 - x
	d.text(x, b.y+22, "name", clip(r.Name, room, 14.5, bold))
	detail := r.Location
	switch {
	case r.ID == "":
		detail = "compute and endpoints that name none"
	case r.Outside:
		detail = "not in this estate"
	case r.Kind != "virtual network":
		detail = r.Kind + ", " + r.Location
	}
	if len(r.DNS) > 0 {
		detail += " · DNS " + shownAddresses(r.DNS)
	}
	space := shownAddresses(r.Space)
	spaceWidth := width(space, 10.5, mono)
	d.text(x, b.y+39, "small", clipEnd(detail, room-spaceWidth-8, 10.5))
	d.text(b.right()-14, b.y+39, "mono end", space)
	d.close()
	for _, s := range b.subnets {
		d.subnet(s)
	}
}

func (d *drawing) badge(x, y int, key string) {
	w := max(20, width(key, 11, bold)+10)
	d.rect(rect{x - w/2, y - 10, w, 20}, "badge", 10)
	d.text(x, y+4, "onbadge", key)
}

func (d *drawing) subnet(s *subnetBox) {
	if s.subnet.Name != "" {
		d.open("subnet " + s.subnet.Name)
		prefix := shownAddresses(s.subnet.Prefixes)
		room := s.w - 2*subnetPad - width(prefix, 10.5, mono) - 10
		name := s.subnet.Name
		if s.subnet.Outside {
			prefix = "not in this estate"
			room = s.w - 2*subnetPad - width(prefix, 10.5, mono) - 10
		}
		d.text(s.x+subnetPad, s.y+18, "mid", clip(name, room, 12.5, bold))
		d.text(s.right()-subnetPad, s.y+18, "mono end", prefix)
		d.close()
	}
	for _, p := range s.pills {
		d.open(p.title)
		d.rect(p.rect, "pill "+p.class, pillHeight/2)
		d.text(p.x+6, p.y+12, "tiny", p.text)
		d.close()
	}
	for _, c := range s.chips {
		d.chip(c)
	}
}

func (d *drawing) chip(c *chip) {
	d.open(c.title)
	class := "chip"
	if c.dashed {
		class += " pending"
	}
	if len(c.members) > 1 {
		d.rect(rect{c.x + 4, c.y + 3, c.w - 8, c.h}, class, 5)
	}
	d.rect(c.rect, class, 5)
	d.icon(c.x+8, c.y+10, c.kind)
	room := c.w - 34 - 10
	d.text(c.x+34, c.y+16, "mid", clip(c.name, room, 12.5, bold))
	d.text(c.x+34, c.y+30, "small", clipEnd(c.detail, room, 10.5))
	d.close()
}

func (d *drawing) service(b *block) {
	v := b.service
	title := v.Kind + " " + v.Name
	if len(v.members) > 1 {
		names := make([]string, len(v.members))
		for i, m := range v.members {
			names[i] = m.Name
		}
		title = v.Kind + ": " + strings.Join(names, ", ")
	}
	d.open(title)
	class := "box"
	if v.Outside {
		class = "ghost"
	}
	d.rect(b.rect, class, 6)
	d.f(`<path class="bar %s" d="M%d %dv%da6 6 0 0 1 -6 -6v-%da6 6 0 0 1 6 -6z"/>`, v.Family, b.x+6, b.y, b.h, b.h-12)
	state, stateClass := accessLabel(v.Service)
	pillWidth := width(state, 9.5, plain) + 14
	d.text(b.x+18, b.y+20, "mid", clip(v.Name, b.w-18-pillWidth-20, 12.5, bold))
	d.text(b.x+18, b.y+35, "small", clipEnd(v.Kind, b.w-32, 10.5))
	if state != "" {
		d.rect(rect{b.right() - pillWidth - 10, b.y + 8, pillWidth, pillHeight}, stateClass, pillHeight/2)
		d.text(b.right()-10-pillWidth/2, b.y+20, "tiny center t"+stateClass, state)
	}
	if v.Note != "" {
		d.text(b.x+18, b.y+49, "small", clipEnd(v.Note, b.w-30, 10.5))
	}
	for i, door := range v.doors {
		y := b.y + v.doorTop() + i*doorHeight + doorHeight/2
		d.f(`<circle class="dot %s" cx="%d" cy="%d" r="4"/>`, v.Family, b.x+3, y)
		d.text(b.x+18, y+4, "mono", clip(door, b.w-32, 10.5, mono))
	}
	d.close()
}

func accessLabel(v Service) (label, class string) {
	if v.Outside {
		return "not in this estate", "unknown"
	}
	switch v.Access {
	case AccessClosed:
		return "closed", "closed"
	case AccessSelected:
		return string(AccessSelected), "selected"
	case AccessOpen:
		return "open", "open"
	case AccessNone:
		return "", ""
	}
	return "not known", "unknown"
}

func (d *drawing) outside(b *block) {
	o := b.outside
	d.open(o.Kind + " " + o.Name)
	d.rect(b.rect, "box", 22)
	d.icon(b.x+14, b.y+15, o.Kind)
	d.text(b.x+40, b.y+21, "mid", clip(o.Name, b.w-54, 12.5, bold))
	label := o.Kind
	if o.ID == Internet {
		label = "everyone else"
	}
	d.text(b.x+40, b.y+36, "small", label)
	for i, space := range o.Spaces {
		if i == 3 {
			break
		}
		d.text(b.x+40, b.y+51+14*i, "mono", space)
	}
	d.close()
}
