package floorplan

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

func TestMapOfRandomEstates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Read(nt.Random(t, nt.Everything), "random")
		checkScene(t, newScene(p))
		checkFormats(t, p)
	})
}

func TestMapOfRandomPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPlan(t)
		checkScene(t, newScene(p))
		checkFormats(t, p)
	})
}

// checkScene holds a layout against what a reader may expect of it.
func checkScene(t *rapid.T, s *scene) {
	var blocks []*block
	for _, c := range s.columns {
		blocks = append(blocks, c.blocks...)
	}
	for i, a := range blocks {
		for _, b := range blocks[:i] {
			if overlap(a.rect, b.rect) {
				t.Fatalf("boxes lie on each other: %v and %v", a.rect, b.rect)
			}
		}
		checkInside(t, a)
	}
	drawn := map[string]int{}
	for _, b := range blocks {
		for _, sub := range b.subnets {
			for _, c := range sub.chips {
				for _, m := range c.members {
					drawn[sub.subnet.ID.Key()+" "+m.ID.Key()]++
				}
			}
		}
	}
	want := map[string]int{}
	for _, r := range s.plan.Rooms {
		for _, sub := range r.Subnets {
			for _, m := range sub.Tenants {
				want[sub.ID.Key()+" "+m.ID.Key()]++
			}
		}
	}
	for _, m := range s.plan.Elsewhere {
		want[" "+m.ID.Key()]++
	}
	if fmt.Sprint(drawn) != fmt.Sprint(want) {
		t.Fatalf("drawn %v, want %v", drawn, want)
	}
	for _, w := range s.wires {
		checkWire(t, w, blocks)
	}
}

func checkInside(t *rapid.T, b *block) {
	for i, s := range b.subnets {
		if s.x <= b.x || s.right() >= b.right() || s.y < b.y+roomHead || s.bottom() >= b.bottom() {
			t.Fatalf("subnet %v is not within %v", s.rect, b.rect)
		}
		if i > 0 && b.subnets[i-1].bottom() >= s.y {
			t.Fatalf("subnets lie on each other")
		}
		low := s.y
		for _, p := range s.pills {
			if p.x < s.x || p.right() > s.right() || p.y < low {
				t.Fatalf("mark %v is not within %v", p.rect, s.rect)
			}
			low = max(low, p.y)
		}
		for j, c := range s.chips {
			if c.y < low || c.bottom() > s.bottom() || c.x <= s.x || c.right() >= s.right() {
				t.Fatalf("%v is not within subnet %v", c.rect, s.rect)
			}
			if j > 0 && s.chips[j-1].bottom() >= c.y {
				t.Fatalf("chips lie on each other")
			}
		}
	}
}

// checkWire: a line goes level or upright, begins and ends at its boxes, and goes
// through no other.
func checkWire(t *rapid.T, w *wire, blocks []*block) {
	first, last := w.points[0], w.points[len(w.points)-1]
	if first != (point{w.from.x(), w.from.y()}) || last != (point{w.to.x(), w.to.y()}) {
		t.Fatalf("line %q from %v to %v does not end at its pins", w.title, first, last)
	}
	for i := 1; i < len(w.points); i++ {
		a, b := w.points[i-1], w.points[i]
		if a.x != b.x && a.y != b.y {
			t.Fatalf("line %q goes aslant from %v to %v", w.title, a, b)
		}
		seg := rect{min(a.x, b.x), min(a.y, b.y), apart(a.x, b.x) + 1, apart(a.y, b.y) + 1}
		for _, other := range blocks {
			if other != w.from.port.block && other != w.to.port.block && overlap(seg, other.rect) {
				t.Fatalf("line %q from %v to %v goes through %v", w.title, a, b, other.rect)
			}
		}
	}
}

// checkFormats: each format is well formed, and the same each time.
func checkFormats(t *rapid.T, p *Plan) {
	for name, write := range map[string]func(io.Writer, *Plan) error{"svg": SVG, "dot": DOT, "json": JSON} {
		var a, b bytes.Buffer
		if err := errors.Join(write(&a, p), write(&b, p)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatalf("%s differs from one time to the next", name)
		}
		switch name {
		case "svg":
			checkXML(t, a.Bytes())
		case "json":
			checkJSON(t, a.Bytes())
		}
	}
}

func checkXML(t *rapid.T, data []byte) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if e, ok := tok.(xml.StartElement); ok && slices.Contains([]string{"script", "image", "use", "a", "foreignObject"}, e.Name.Local) {
			t.Fatalf("the map has an element %s", e.Name.Local)
		}
	}
}

func checkJSON(t *rapid.T, data []byte) {
	var m struct {
		Nodes []struct{ ID, Kind, Parent string }
		Edges []struct{ From, To string }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true}
	for _, n := range m.Nodes {
		known[arm.ID(n.ID).Key()] = true
		if n.Kind == "" || !known[arm.ID(n.Parent).Key()] {
			t.Fatalf("node %+v has no kind, or its parent does not go before it", n)
		}
	}
	for _, e := range m.Edges {
		if !known[arm.ID(e.From).Key()] || !known[arm.ID(e.To).Key()] {
			t.Fatalf("edge %+v leads to no node", e)
		}
	}
}

// randomPlan is up to thirty rooms with anything in them.
func randomPlan(t *rapid.T) *Plan {
	p := &Plan{Title: rapid.String().Draw(t, "title")}
	n := func(most int, what string) int { return rapid.IntRange(0, most).Draw(t, what) }
	name := rapid.StringMatching(`[a-zA-Z<&"' _.-]{1,40}`)
	for i := range n(40, "services") {
		family := rapid.SampledFrom([]string{"learning", "storage", "registry", "secrets", "data", "monitoring", "other"}).Draw(t, "family")
		p.Services = append(p.Services, Service{ID: nt.StorageID(fmt.Sprint("s", i)), Name: name.Draw(t, "service"), Kind: family, Family: family,
			Access: rapid.SampledFrom([]Access{AccessClosed, AccessSelected, AccessOpen, AccessUnknown}).Draw(t, "access"), Doors: []string{"blob", "file"}[:n(2, "doors")]})
	}
	tenant := func(i int) Tenant {
		x := Tenant{ID: nt.VMID(fmt.Sprint("vm", i)), Name: name.Draw(t, "tenant"), Kind: rapid.SampledFrom([]string{"virtual machine", "AKS cluster"}).Draw(t, "kind")}
		if len(p.Services) > 0 && n(1, "endpoint") == 1 {
			to := rapid.SampledFrom(p.Services).Draw(t, "target")
			x.ID, x.Kind = nt.EndpointID(fmt.Sprint("pe", i)), "private endpoint"
			x.Endpoint = &Endpoint{Target: to.ID, Approved: n(4, "approved") > 0}
			if len(to.Doors) > 0 {
				x.Endpoint.Group = rapid.SampledFrom(to.Doors).Draw(t, "group")
			}
		}
		return x
	}
	count := 0
	tenants := func(most int) (out []Tenant) {
		for range n(most, "tenants") {
			count++
			out = append(out, tenant(count))
		}
		return out
	}
	for i := range n(30, "rooms") {
		r := Room{ID: nt.VNetID(fmt.Sprint("v", i)), Key: roomKey(i), Name: name.Draw(t, "room"), Kind: "virtual network", Space: []string{"10.0.0.0/8"}}
		for j := range n(3, "subnets") {
			s := Subnet{ID: r.ID.Child("subnets", fmt.Sprint("s", j)), Name: name.Draw(t, "subnet"), Prefixes: []string{"10.0.0.0/24"}}
			for range n(4, "marks") {
				s.Delegations = append(s.Delegations, name.Draw(t, "mark"))
			}
			s.Tenants = tenants(rapid.SampledFrom([]int{0, 2, 30}).Draw(t, "most"))
			r.Subnets = append(r.Subnets, s)
		}
		p.Rooms = append(p.Rooms, r)
	}
	p.Elsewhere = tenants(2)
	for i := range p.Rooms {
		for j := range i {
			if n(len(p.Rooms), "peered") == 0 {
				p.Peerings = append(p.Peerings, Peering{A: p.Rooms[i].ID, B: p.Rooms[j].ID, State: rapid.SampledFrom([]PeeringState{PeeringConnected, PeeringOneSided}).Draw(t, "state")})
			}
		}
	}
	p.Outside = []Outside{{ID: Internet, Name: "Internet", Kind: "internet"}}[:n(1, "outside")]
	places := []arm.ID{Internet, nt.StorageID("nowhere")}
	for _, x := range p.tenants() {
		places = append(places, x.ID)
		if len(p.Outside) > 0 && n(9, "way") == 0 {
			p.Ways = append(p.Ways, Way{From: Internet, To: x.ID})
		}
	}
	for _, s := range p.Services {
		places = append(places, s.ID)
	}
	for _, r := range p.Rooms {
		places = append(places, r.ID)
	}
	for range n(12, "findings") {
		place := rapid.SampledFrom(places)
		p.Findings = append(p.Findings, Finding{Rule: "rule", Title: name.Draw(t, "finding"), Reason: name.Draw(t, "reason"), Unknown: n(3, "unknown") == 0,
			From: place.Draw(t, "from"), To: place.Draw(t, "to"), Door: "blob", Resource: place.Draw(t, "resource")})
	}
	for i := range n(9, "zones") {
		z := Zone{ID: nt.ID(service.TypePrivateDNSZone, fmt.Sprint("z", i)), Name: name.Draw(t, "zone")}
		for _, r := range p.Rooms {
			if n(2, "linked") > 0 {
				z.Links = append(z.Links, Link{Room: r.ID})
			}
		}
		p.Zones = append(p.Zones, z)
	}
	return p
}
