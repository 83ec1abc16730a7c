package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// routeTable is a table of user-defined routes.
type routeTable struct {
	id     arm.ID
	routes []userRoute
	doubts Doubts // of routes that cannot be read
	// blocksGateways: the routes of virtual network gateways are not taken.
	blocksGateways bool
}

// userRoute is one route as written.
type userRoute struct {
	name        string
	part        string         // where it stands in its table's document
	destination string         // prefix or service tag
	prefixes    []netip.Prefix // what it stands for
	rank        int            // between routes of equal prefix the lower wins
	hop         NextHop
	address     netip.Addr
	via         arm.ID // whose address the next hop is, where the document only says that
	doubts      Doubts
}

// Ranks of user-defined routes whose prefixes are equal.
const (
	rankPrefix = iota
	rankRegionalTag
	rankTag
	rankRegionalCloud
	rankCloud
)

const (
	aboutHop    = "nextHopType"
	aboutRoutes = "routes"
)

func (b *builder) routeTables() {
	for _, r := range b.e.OfType(typeRouteTable) {
		t := routeTable{id: r.ID}
		d := b.read(r, &t.doubts)
		for i, o := range d.objects(aboutRoutes, "route") {
			t.routes = append(t.routes, o.userRoute(i))
		}
		t.blocksGateways = d.as(aboutRoutes).flag("disableBgpRoutePropagation", false)
		b.checkDuplicates(r, t)
		b.t.tables[r.ID.Key()] = t
	}
}

func (d document) userRoute(i int) userRoute {
	u := userRoute{name: nameOf(d.o, i), part: d.part}
	d.doubts = &u.doubts
	u.destination = d.as(aboutPrefix).text("properties.addressPrefix")
	u.hop = NextHop(d.oneOf(aboutHop, "properties.nextHopType", string(HopAppliance), string(HopGateway), string(HopVNetLocal), string(HopInternet), string(HopNone)))
	if id, ok := d.b.addressOf(d.o, "properties.nextHopIpAddress"); ok {
		u.via = id
	} else if s := d.as(aboutHop).text("properties.nextHopIpAddress"); s != "" {
		a, err := parseAddr(s)
		if err != nil {
			d.malformed(aboutHop, "next hop %v", err)
		}
		u.address = a
	}
	if _, unknown := u.doubts.About(aboutHop); u.hop == HopAppliance && !u.address.IsValid() && u.via == "" && !unknown {
		d.malformed(aboutHop, "a route to a VirtualAppliance needs nextHopIpAddress")
	}
	if _, unknown := u.doubts.About(aboutPrefix); !unknown {
		d.resolveDestination(&u)
	}
	return u
}

func (d document) resolveDestination(u *userRoute) {
	if p, err := parsePrefix(u.destination); err == nil {
		u.prefixes = []netip.Prefix{p}
		return
	}
	if !looksLikeTag(u.destination) {
		d.malformed(aboutPrefix, "%q is not an address prefix; write it as in 10.0.0.0/16", u.destination)
		return
	}
	prefixes, ok := service.Tag(u.destination)
	if !ok {
		u.doubts = append(u.doubts, Doubt{About: aboutPrefix, Within: worldwide,
			Reason: fmt.Sprintf("route %s: %s", u.name, unlisted(u.destination))})
		return
	}
	u.prefixes, u.rank = prefixes, tagRank(u.destination)
}

func tagRank(tag string) int {
	tag = strings.ToLower(tag)
	cloud := tag == "azurecloud" || strings.HasPrefix(tag, "azurecloud.")
	regional := strings.Contains(tag, ".") && !strings.HasPrefix(tag, "azurefrontdoor.")
	switch {
	case cloud && regional:
		return rankRegionalCloud
	case cloud:
		return rankCloud
	case regional:
		return rankRegionalTag
	}
	return rankTag
}

func (b *builder) checkDuplicates(r arm.Resource, t routeTable) {
	for i, u := range t.routes {
		if slices.ContainsFunc(t.routes[:i], func(v userRoute) bool {
			return u.destination != "" && strings.EqualFold(v.destination, u.destination)
		}) {
			b.problemAt(r, u.part, "route %s: the table has a route for %s already; leave one out", u.name, u.destination)
		}
	}
}

// table is the route table of a subnet, empty where it has none.
func (t *Topology) table(subnet arm.ID) routeTable {
	s, _ := t.Subnet(subnet)
	table := t.tables[s.RouteTable.Key()]
	if d, ok := s.Doubts.About(aboutTable); ok {
		table.doubts = append(slices.Clone(table.doubts), d)
	}
	return table
}
