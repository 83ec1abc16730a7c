package floorplan

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// DOT writes a plan in Graphviz's language: networks and subnets are clusters,
// lines to a network end at its border (compound=true). Findings are not in it.
//
// Source: Graphviz, "DOT Language".
func DOT(w io.Writer, p *Plan) error {
	d := &dotWriter{anchor: map[string]string{}, cluster: map[string]string{}, node: map[string]string{}}
	d.f("digraph estate {")
	d.f("  graph [label=%s, labelloc=t, fontsize=20, rankdir=LR, compound=true, fontname=\"Helvetica\"];", quoted(p.heading()))
	d.f("  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];")
	d.f("  edge [fontname=\"Helvetica\", fontsize=9];")
	for _, o := range p.Outside {
		d.leaf("  ", o.ID, o.Name, o.Kind, "shape=oval")
	}
	for _, r := range p.Rooms {
		d.room(r)
	}
	for _, t := range p.Elsewhere {
		d.leaf("  ", t.ID, t.Name, t.Kind, "style=dashed")
	}
	for _, s := range p.Services {
		d.leaf("  ", s.ID, s.Name, strings.TrimSuffix(s.Kind+", "+string(s.Access), ", "), "shape=component")
	}
	for _, z := range p.Zones {
		d.leaf("  ", z.ID, z.Name, "private DNS zone", "shape=note")
	}
	for _, e := range p.jsonEdges() {
		d.edge(e)
	}
	d.f("}")
	if _, err := w.Write(d.out.Bytes()); err != nil {
		return fmt.Errorf("writing the map: %w", err)
	}
	return nil
}

type dotWriter struct {
	out     bytes.Buffer
	n       int
	node    map[string]string // by key of id
	anchor  map[string]string // a node in a network, by key of the network
	cluster map[string]string
}

func (d *dotWriter) f(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

func (d *dotWriter) leaf(indent string, id arm.ID, name, detail, attributes string) {
	d.n++
	node := fmt.Sprintf("n%d", d.n)
	if _, ok := d.node[id.Key()]; !ok {
		d.node[id.Key()] = node
	}
	d.f("%s%s [label=%s, tooltip=%s, %s];", indent, node, quoted(name+"\n"+detail), quoted(string(id)), attributes)
}

func (d *dotWriter) room(r Room) {
	d.n++
	name := fmt.Sprintf("cluster_%d", d.n)
	d.cluster[r.ID.Key()] = name
	d.f("  subgraph %s {", name)
	d.f("    label=%s; style=bold;", quoted(strings.TrimSpace(r.Name+"\n"+strings.Join(r.Space, ", "))))
	d.n++
	anchor := fmt.Sprintf("n%d", d.n)
	d.anchor[r.ID.Key()] = anchor
	d.f("    %s [shape=point, style=invis, width=0, label=\"\"];", anchor)
	for _, s := range r.Subnets {
		d.n++
		d.f("    subgraph cluster_%d {", d.n)
		d.f("      label=%s; style=\"rounded,filled\"; fillcolor=\"#f3f1ec\";", quoted(strings.TrimSpace(s.Name+"\n"+strings.Join(s.Prefixes, ", "))))
		for _, t := range s.Tenants {
			d.leaf("      ", t.ID, t.Name, strings.TrimSpace(t.Kind+" "+strings.Join(t.Addresses, ", ")), "color=\"#44515f\"")
		}
		if len(s.Tenants) == 0 {
			d.n++
			d.f("      n%d [shape=point, style=invis, width=0, label=\"\"];", d.n)
		}
		d.f("    }")
	}
	d.f("  }")
}

func (d *dotWriter) edge(e jsonEdge) {
	attributes := map[string]string{
		"peering":  "dir=none, penwidth=2.5",
		"endpoint": "color=\"#11708f\"",
		"link":     "style=dotted, arrowhead=none, color=\"#66717e\"",
		"record":   "style=dashed, arrowhead=none, color=\"#66717e\", constraint=false",
		"way":      "style=dashed, dir=none",
	}[e.Kind]
	if e.Kind == "peering" && e.State != PeeringConnected {
		attributes = "style=dashed, color=\"#a65300\", label=" + quoted(string(e.State))
	}
	if e.Kind == "endpoint" {
		attributes += ", label=" + quoted(e.Group)
	}
	from, fromOK := d.end(e.From, "ltail", &attributes)
	to, toOK := d.end(e.To, "lhead", &attributes)
	if fromOK && toOK {
		d.f("  %s -> %s [%s];", from, to, attributes)
	}
}

// end is the node of an id; of a network it is the anchor, and the edge is cut at
// the network's border.
func (d *dotWriter) end(id arm.ID, border string, attributes *string) (string, bool) {
	if anchor, ok := d.anchor[id.Key()]; ok {
		*attributes += fmt.Sprintf(", %s=%s", border, d.cluster[id.Key()])
		return anchor, true
	}
	node, ok := d.node[id.Key()]
	return node, ok
}

// quoted is a string of DOT: quotation marks and backslashes escaped, lines broken.
func quoted(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
