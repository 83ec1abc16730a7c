package floorplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// Measures of the drawing, in pixels.
const (
	roomWidth    = 308
	roomPad      = 12
	roomHead     = 56
	subnetPad    = 9
	subnetHead   = 26
	pillHeight   = 17
	pillGap      = 5
	chipHeight   = 38
	chipGap      = 6
	blockGap     = 30 // between blocks of a column, at least
	serviceWidth = 286
	serviceHead  = 46
	doorHeight   = 20
	outsideWidth = 176
	outsideHead  = 48

	mostChips    = 14 // of a subnet, before they are taken together
	mostServices = 30
	mostSubnets  = 14
)

type rect struct{ x, y, w, h int }

func (r rect) right() int  { return r.x + r.w }
func (r rect) bottom() int { return r.y + r.h }

// block is a box of a column: a room, a service or something outside. Its parts
// have places relative to the drawing once the column is laid.
type block struct {
	rect
	col     int
	room    *Room
	service *serviceBox
	outside *Outside
	subnets []*subnetBox
	ids     []arm.ID // what is drawn as this block itself
}

type subnetBox struct {
	rect
	dy     int // below the room's top
	subnet Subnet
	more   int // how many more subnets it stands for
	pills  []pill
	chips  []*chip
}

type pill struct {
	rect
	dx, dy int // from the subnet's corner
	text   string
	title  string
	class  string
	ids    []arm.ID
}

// chip is a tenant, or several of a kind.
type chip struct {
	rect
	dy      int
	name    string
	detail  string
	title   string
	kind    string
	dashed  bool // a private endpoint that is not approved
	members []Tenant
}

// serviceBox is a service, or several of a kind.
type serviceBox struct {
	Service
	members []Service
	doors   []string
}

// roomBlock measures a room.
func (sc *scene) roomBlock(r *Room, order map[string]int) *block {
	b := &block{room: r, ids: []arm.ID{r.ID}}
	b.w = roomWidth
	y := roomHead
	subnets := collapseSubnets(r.Subnets)
	for _, s := range subnets {
		s.dy = y
		s.w = roomWidth - 2*roomPad
		s.measure(order, sc.most)
		y += s.h + roomPad
		b.subnets = append(b.subnets, s)
	}
	b.h = y
	if len(subnets) == 0 {
		b.h = roomHead + 4
	}
	return b
}

// elsewhereBlock measures the tenants that have no subnet.
func (sc *scene) elsewhereBlock(tenants []Tenant, order map[string]int) *block {
	r := &Room{Name: "In no subnet of this estate", Kind: "elsewhere", Subnets: []Subnet{{Outside: true, Tenants: tenants}}}
	b := sc.roomBlock(r, order)
	b.ids = nil
	return b
}

// collapseSubnets takes empty subnets together where a room has too many.
func collapseSubnets(list []Subnet) []*subnetBox {
	var out []*subnetBox
	var empty *subnetBox
	for _, s := range list {
		if len(list) > mostSubnets && len(s.Tenants) == 0 {
			if empty != nil {
				empty.more++
				continue
			}
			empty = &subnetBox{subnet: s}
			out = append(out, empty)
			continue
		}
		out = append(out, &subnetBox{subnet: s})
	}
	if empty != nil && empty.more > 0 {
		empty.subnet = Subnet{Name: fmt.Sprintf("%d subnets with nothing in them", empty.more+1)}
	}
	return out
}

func (s *subnetBox) measure(order map[string]int, most int) {
	y := subnetHead
	if s.subnet.ID == "" && s.more == 0 {
		y = subnetPad
	}
	s.pills = pillsOf(s.subnet)
	y = s.placePills(y)
	s.chips = collapse(s.subnet.Tenants, order, most)
	for _, c := range s.chips {
		c.dy = y
		c.w, c.h = s.w-2*subnetPad, chipHeight
		y += chipHeight + chipGap
	}
	if len(s.chips) > 0 {
		y += subnetPad - chipGap
	}
	s.h = max(y, subnetHead+4)
}

// placePills sets the pills in lines below the head.
func (s *subnetBox) placePills(y int) int {
	x := subnetPad
	for i := range s.pills {
		p := &s.pills[i]
		p.text = clip(p.text, s.w-2*subnetPad-12, 9.5, plain)
		p.w, p.h = width(p.text, 9.5, plain)+12, pillHeight
		if x+p.w > s.w-subnetPad && x > subnetPad {
			x = subnetPad
			y += pillHeight + pillGap
		}
		p.dx, p.dy = x, y
		x += p.w + pillGap
	}
	if len(s.pills) > 0 {
		y += pillHeight + pillGap + 3
	}
	return y
}

// nextHops are the next hop types of a route in fewer words.
var nextHops = map[string]string{
	string(network.HopAppliance): "appliance", string(network.HopGateway): "gateway",
	string(network.HopVNetLocal): "network", string(network.HopNone): "nowhere",
}

func pillsOf(s Subnet) []pill {
	var out []pill
	add := func(class, text, title string, ids ...arm.ID) {
		out = append(out, pill{class: class, text: text, title: title, ids: ids})
	}
	if s.NSG != "" {
		add("nsg", "NSG "+s.NSG.Name(), "network security group "+s.NSG.Name(), s.NSG)
	}
	if s.Routes != "" {
		text := "routes " + s.Routes.Name()
		if s.DefaultRoute != "" {
			text = "0/0 → " + cmp.Or(nextHops[s.DefaultRoute], s.DefaultRoute)
		}
		add("route", text, "route table "+s.Routes.Name(), s.Routes)
	}
	if s.NAT != "" {
		add("nat", "NAT "+s.NAT.Name(), "NAT gateway "+s.NAT.Name(), s.NAT)
	}
	for _, d := range s.Delegations {
		add("deleg", "for "+d, "delegated to "+d)
	}
	if n := len(s.ServiceEndpoints); n > 0 {
		short := make([]string, n)
		for i, e := range s.ServiceEndpoints {
			short[i] = strings.TrimPrefix(e, "Microsoft.")
		}
		add("deleg", "endpoints "+strings.Join(short, ", "), "service endpoints "+strings.Join(s.ServiceEndpoints, ", "))
	}
	return out
}

// place sets a block's parts where the block is.
func (b *block) place() {
	for _, s := range b.subnets {
		s.x, s.y = b.x+roomPad, b.y+s.dy
		for i := range s.pills {
			s.pills[i].x, s.pills[i].y = s.x+s.pills[i].dx, s.y+s.pills[i].dy
		}
		for _, c := range s.chips {
			c.x, c.y = s.x+subnetPad, s.y+c.dy
		}
	}
}

// collapse makes chips of tenants: one each, or one for several of a kind where
// there are too many to read.
func collapse(tenants []Tenant, order map[string]int, most int) []*chip {
	list := slices.Clone(tenants)
	slices.SortStableFunc(list, func(a, b Tenant) int {
		if rank(a) != 2 || rank(b) != 2 || a.Endpoint == nil || b.Endpoint == nil {
			return 0
		}
		return order[a.Endpoint.Target.Key()] - order[b.Endpoint.Target.Key()]
	})
	for _, by := range []func(Tenant) string{
		func(t Tenant) string { return string(t.ID) },
		func(t Tenant) string { // endpoints of one service, machines of one kind
			if t.Endpoint != nil {
				return t.Kind + " " + t.Endpoint.Target.Key()
			}
			return t.Kind
		},
		func(t Tenant) string { // endpoints of one kind of service
			if t.Endpoint != nil {
				return t.Kind + " " + t.Endpoint.Target.Type()
			}
			return t.Kind
		},
	} {
		if out := together(list, by); len(out) <= most {
			return out
		}
	}
	return together(list, func(t Tenant) string { return t.Kind })
}

func together(list []Tenant, by func(Tenant) string) []*chip {
	at := map[string]*chip{}
	var out []*chip
	for _, t := range list {
		key := by(t)
		c, ok := at[key]
		if !ok {
			c = &chip{kind: t.Kind}
			at[key] = c
			out = append(out, c)
		}
		c.members = append(c.members, t)
	}
	for _, c := range out {
		c.describe()
	}
	return out
}

func (c *chip) describe() {
	first := c.members[0]
	c.dashed = first.Endpoint != nil && !first.Endpoint.Approved
	if n := len(c.members); n > 1 {
		c.name = "×" + count(n, c.kind)
		c.detail = first.Name + " … " + c.members[n-1].Name
		names := make([]string, n)
		for i, t := range c.members {
			names[i] = t.Name
		}
		c.title = count(n, c.kind) + ": " + strings.Join(names, ", ")
		return
	}
	c.name, c.detail = first.Name, c.kind
	if first.Size != "" {
		c.detail += ", " + first.Size
	}
	if len(first.Attached) > 0 {
		c.detail += ", attached to " + first.Attached[0].Parent().Name()
	}
	if e := first.Endpoint; e != nil {
		c.detail = "endpoint"
		if e.Group != "" {
			c.detail = e.Group + " endpoint"
		}
		if !e.Approved {
			c.detail += ", not approved"
		}
	}
	if a := shownAddresses(first.Addresses); a != "" {
		c.detail += " · " + a
	}
	c.title = c.kind + " " + first.Name
	if len(first.Addresses) > 0 {
		c.title += " at " + strings.Join(first.Addresses, ", ")
	}
}

// shownAddresses is the first address and how many more there are.
func shownAddresses(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s +%d", list[0], len(list)-1)
}
