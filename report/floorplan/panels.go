package floorplan

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostListed bounds the findings that the map lists; all are in the text report.
const mostListed = 40

// findings lists what the numbers on the map stand for. It returns where the next
// panel begins.
func (d *drawing) findings(y int) int {
	groups := d.s.groups
	if len(groups) == 0 {
		return y
	}
	d.text(margin, y, "head", "FINDINGS")
	y += 14
	columns := max(1, (d.w-2*margin)/620)
	colWidth := (d.w - 2*margin - (columns-1)*24) / columns
	shown := groups[:min(len(groups), mostListed)]
	heights := make([]int, len(shown))
	for i, g := range shown {
		heights[i] = 42 + 15*len(reason(g, colWidth)) + 15*len(remedy(g, colWidth))
	}
	bottom := y
	for first := 0; first < len(shown); first += columns {
		row := 0
		for i := first; i < min(first+columns, len(shown)); i++ {
			row = max(row, heights[i])
			d.finding(shown[i], margin+(i-first)*(colWidth+24), y, colWidth)
		}
		y += row + 8
		bottom = y
	}
	if n := len(groups) - len(shown); n > 0 {
		d.text(margin, bottom+10, "small", fmt.Sprintf("and %d more: cloister check lists all", n))
		bottom += 22
	}
	return bottom + 30
}

func reason(g *group, w int) []string { return wrapText(sentence(g.first().Reason), w-34, 12, 3) }

func remedy(g *group, w int) []string {
	if g.first().Remedy == "" {
		return nil
	}
	return wrapText("To mend it, "+g.first().Remedy, w-34, 10.8, 2)
}

// sentence begins with a capital.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if word, _, _ := strings.Cut(s, " "); strings.ContainsAny(word, "_.-0123456789") || strings.ToLower(word) != word {
		return s // begins with a name
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

func (d *drawing) finding(g *group, x, y, w int) {
	f := g.first()
	d.number(point{x + 9, y + 12}, g)
	state := "falls"
	if f.Unknown {
		state = "not known"
	}
	rule := f.Rule
	if f.Severity != "" {
		rule += " · " + f.Severity
	}
	rule += " · " + state
	if n := len(g.findings); n > 1 {
		rule += fmt.Sprintf(" · %d requirements", n)
	}
	class := "small tfall"
	if f.Unknown {
		class = "small tdoubt"
	}
	d.text(x+28, y+10, class, clipEnd(rule, w-30-width(f.Where, 10.5, mono), 10.5))
	if room := w - 30 - width(rule, 10.5, bold) - 10; room > 60 {
		d.text(x+w, y+10, "mono end", clip(f.Where, room, 10.5, mono))
	}
	d.text(x+28, y+26, "mid", clipEnd(f.Title, w-40, 13.2))
	y += 42
	for _, l := range reason(g, w) {
		d.text(x+28, y, "", l)
		y += 15
	}
	for _, l := range remedy(g, w) {
		d.text(x+28, y, "small", l)
		y += 15
	}
}

// zones is the table of private DNS zones: in which rooms each answers.
func (d *drawing) zones(y int) int {
	list := d.s.plan.Zones
	if len(list) == 0 {
		return y
	}
	const rowHeight, gutterWidth = 27, 36
	d.text(margin, y, "head", "PRIVATE DNS ZONES, AND THE NETWORKS IN WHICH THEY ANSWER")
	y += 12
	columns := min(max(1, (d.w-2*margin)/600), (len(list)+2)/3)
	colWidth := (d.w - 2*margin - (columns-1)*gutterWidth) / columns
	rows := (len(list) + columns - 1) / columns
	heights := make([]int, rows)
	for i, z := range list {
		heights[i%rows] = max(heights[i%rows], rowHeight, d.badgeLines(z, colWidth)*24+5)
	}
	top, bottom := y, y
	for i, z := range list {
		if i%rows == 0 {
			y = top
		}
		x := margin + i/rows*(colWidth+gutterWidth)
		d.zone(z, rect{x, y, colWidth, heights[i%rows]})
		y += heights[i%rows]
		bottom = max(bottom, y)
	}
	return bottom + 42
}

// zoneShares are where in a zone's row it says whose records it keeps, and where it
// answers.
func (d *drawing) zoneShares(w int) (records, links int) {
	most := 0
	for _, z := range d.s.plan.Zones {
		most = max(most, len(z.Links))
	}
	return w * 45 / 100, w - min(max(most, 4)*28+50, w*40/100)
}

// perLine is how many badges stand beside each other; at the end there is room for
// two numbers of findings.
func (d *drawing) perLine(w int) int {
	_, links := d.zoneShares(w)
	return max((w-links-44)/28, 1)
}

func (d *drawing) badgeLines(z Zone, w int) int {
	per := d.perLine(w)
	return (len(z.Links) + per - 1) / per
}

func (d *drawing) zone(z Zone, r rect) {
	d.open("private DNS zone " + z.Name)
	d.f(`<path class="rule" d="M%d %dh%d"/>`, r.x, r.y, r.w)
	records, links := d.zoneShares(r.w)
	d.text(r.x, r.y+18, "mid", clip(z.Name, records-10, 12.5, bold))
	d.text(r.x+records, r.y+18, "small", z.keeps(links-records-12))
	perLine := d.perLine(r.w)
	for i, l := range z.Links {
		key := "?"
		if b := d.s.roomAt[l.Room.Key()]; b != nil {
			key = b.room.Key
		}
		d.badge(r.x+links+12+i%perLine*28, r.y+14+i/perLine*24, key)
	}
	if len(z.Links) == 0 {
		d.text(r.x+links, r.y+18, "small tdoubt", "linked to no network")
	}
	d.zoneMarks(z, r.right(), r.y+14)
	d.close()
}

// keeps says whose records a zone holds, of as many as fit.
func (z Zone) keeps(room int) string {
	var names []string
	for _, e := range z.Endpoints {
		names = append(names, e.Name())
	}
	if z.Records > 0 {
		names = append(names, count(z.Records, "record set"))
	}
	if len(names) == 0 {
		return "no records"
	}
	for n := len(names); n > 0; n-- {
		s := strings.Join(names[:n], ", ")
		if n < len(names) {
			s += fmt.Sprintf(" and %d more", len(names)-n)
		}
		if width(s, 10.5, plain) <= room {
			return s
		}
	}
	return count(len(names), "endpoint")
}

// zoneMarks puts the numbers of findings that a zone decides at the end of its row.
func (d *drawing) zoneMarks(z Zone, x, y int) {
	done := map[int]bool{}
	for _, g := range d.s.groups {
		for _, f := range g.findings {
			if f.Resource != "" && f.Resource.Within(z.ID) && !done[g.number] && len(done) < 2 {
				done[g.number] = true
				d.number(point{x - 10, y}, g)
				x -= 21
			}
		}
	}
}

// legend says what the signs mean, of those that are on the map.
func (d *drawing) legend(y int) int {
	signs := d.signs()
	if len(signs) == 0 {
		return y
	}
	d.f(`<path class="rule" d="M%d %dh%d"/>`, margin, y-18, d.w-2*margin)
	x := margin
	next := func(sign func(x, y int) int, label string) {
		w := width(label, 10.5, plain)
		if x+60+w > d.w-margin {
			x, y = margin, y+24
		}
		x = sign(x, y) + 8
		d.text(x, y+4, "small", label)
		x += w + 22
	}
	line := func(class string) func(x, y int) int {
		return func(x, y int) int {
			d.f(`<path class="wire %s" d="M%d %dh34"/>`, class, x, y)
			return x + 34
		}
	}
	box := func(class string) func(x, y int) int {
		return func(x, y int) int {
			d.rect(rect{x, y - 8, 26, 16}, class, 4)
			return x + 26
		}
	}
	for _, s := range signs {
		switch {
		case s.line:
			next(line(s.class), s.label)
		case s.class == "badge":
			next(func(x, y int) int { d.badge(x+10, y, "A"); return x + 20 }, s.label)
		case s.class == "number":
			next(func(x, y int) int { d.number(point{x + 9, y}, d.s.groups[0]); return x + 18 }, s.label)
		default:
			next(box(s.class), s.label)
		}
	}
	return y + 36
}

type sign struct {
	class, label string
	line         bool
}

func (d *drawing) signs() []sign {
	p := d.s.plan
	var out []sign
	add := func(has bool, s sign) {
		if has {
			out = append(out, s)
		}
	}
	class := map[string]bool{}
	for _, w := range d.s.wires {
		class[w.class] = true
		if f := strings.Fields(w.class); f[0] == "link" {
			class["link"] = true
			class["pending"] = class["pending"] || len(f) > 2
		}
	}
	ghosts := false
	for _, r := range p.Rooms {
		ghosts = ghosts || r.Outside
	}
	add(len(p.Rooms) > 0, sign{class: "badge", label: "virtual network"})
	add(len(p.Rooms) > 0, sign{class: "subnet", label: "subnet"})
	add(ghosts, sign{class: "ghost", label: "referred to, not in this estate"})
	add(class["peer"], sign{class: "peer", label: "peering", line: true})
	add(class["peer bad"], sign{class: "peer bad", label: "peering that carries nothing, or is not known to", line: true})
	add(class["link"], sign{class: "link storage", label: "private endpoint to its service", line: true})
	add(class["pending"], sign{class: "link storage pending", label: "connection not approved", line: true})
	add(class["way"], sign{class: "way", label: "public address or gateway", line: true})
	add(class["flow"], sign{class: "flow", label: "flow that falls", line: true})
	add(class["flow doubt"], sign{class: "flow doubt", label: "flow not known before deployment", line: true})
	add(len(d.s.groups) > 0, sign{class: "number", label: "finding"})
	for _, a := range []struct {
		access       Access
		class, label string
	}{
		{AccessClosed, "closed", "only private endpoints let in"}, {AccessSelected, "selected", "selected networks let in"},
		{AccessOpen, "open", "open to the internet"}, {AccessUnknown, "unknown", "access not known"},
	} {
		has := false
		for _, v := range p.Services {
			has = has || v.Access == a.access
		}
		add(has, sign{class: a.class, label: a.label})
	}
	return out
}
