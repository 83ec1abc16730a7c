package fabric

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var routeTypes = map[RouteType]int{
	Unicast: unix.RTN_UNICAST, Unreachable: unix.RTN_UNREACHABLE, Throw: unix.RTN_THROW, Local: unix.RTN_LOCAL,
}

// routeKey is what the kernel tells routes apart by.
type routeKey struct {
	table, metric int
	dst           netip.Prefix
}

func (r Route) key() routeKey { return routeKey{r.Table, r.Metric, r.Dst} }

func (r Route) String() string {
	out := fmt.Sprintf("%s %s table %d", r.Type, r.Dst, r.Table)
	if r.Via.IsValid() {
		out += " via " + r.Via.String()
	}
	if r.Dev != "" {
		out += " dev " + r.Dev
	}
	return out
}

// routes brings the routing tables to the plan; routes that are not the
// fabric's stay as they are.
func (s *space) routes(done *recorder) error {
	have, err := s.listRoutes()
	if err != nil {
		return err
	}
	want := map[routeKey]bool{}
	for _, r := range s.Routes {
		if want[r.key()] {
			continue // documents may give an address twice: the first has it
		}
		want[r.key()] = true
		old, exists := have[r.key()]
		if exists && old == r {
			continue
		}
		kernel, err := s.kernelRoute(r)
		if err != nil {
			return err
		}
		if exists {
			err = s.nl.RouteReplace(kernel)
		} else {
			err = s.nl.RouteAdd(kernel)
		}
		if err != nil {
			return fmt.Errorf("adding the route %s: %w", r, err)
		}
		done.add(false, "route", s.full, r.String())
	}
	for key, r := range have {
		if want[key] {
			continue
		}
		kernel, err := s.kernelRoute(r)
		if err != nil {
			return err
		}
		if err := s.nl.RouteDel(kernel); err != nil {
			return fmt.Errorf("removing the route %s: %w", r, err)
		}
		done.add(true, "route", s.full, r.String())
	}
	return nil
}

// listRoutes reads the fabric's routes of all tables.
func (s *space) listRoutes() (map[routeKey]Route, error) {
	filter := &netlink.Route{Protocol: ourRoutes, Table: unix.RT_TABLE_UNSPEC}
	var list []netlink.Route
	for _, family := range s.families() {
		some, err := again(func() ([]netlink.Route, error) {
			return s.nl.RouteListFiltered(family, filter, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			return nil, fmt.Errorf("listing routes: %w", err)
		}
		list = append(list, some...)
	}
	names := map[int]string{}
	for name, l := range s.links {
		names[l.Attrs().Index] = name
	}
	out := make(map[routeKey]Route, len(list))
	for _, k := range list {
		r := Route{Table: k.Table, Metric: k.Priority, Dst: prefixOf(k.Dst), Dev: names[k.LinkIndex], Via: addrOf(k.Gw), Src: addrOf(k.Src)}
		if k.Family == netlink.FAMILY_V6 {
			r.fromSix(k)
		}
		for t, n := range routeTypes {
			if n == k.Type {
				r.Type = t
			}
		}
		out[r.key()] = r
	}
	return out, nil
}

// usualMetric is what the kernel gives a route of IPv6 that asks for none.
const usualMetric = 1024

// fromSix puts down a route of IPv6 as the plan does: the kernel names the device
// lo where nothing is sent.
func (r *Route) fromSix(k netlink.Route) {
	if k.Dst == nil {
		r.Dst = all6
	}
	if r.Metric == usualMetric {
		r.Metric = 0
	}
	if k.Type != unix.RTN_UNICAST && k.Type != unix.RTN_LOCAL {
		r.Dev = ""
	}
}

// families are the versions of IP that a namespace has anything of.
func (s *space) families() []int {
	if s.six || s.hadSix {
		return []int{netlink.FAMILY_V4, netlink.FAMILY_V6}
	}
	return []int{netlink.FAMILY_V4}
}

func familyOf(six bool) int {
	if six {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}

func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addrOf(n.IP), bits)
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

func (s *space) kernelRoute(r Route) (*netlink.Route, error) {
	k := &netlink.Route{
		Table: r.Table, Priority: r.Metric, Type: routeTypes[r.Type], Protocol: ourRoutes, Family: familyOf(r.Dst.Addr().Is6()),
		Dst: ipNet(r.Dst), Scope: netlink.SCOPE_UNIVERSE,
	}
	if k.Family == netlink.FAMILY_V6 && k.Priority == 0 {
		k.Priority = usualMetric
	}
	if r.Dev != "" {
		link, ok := s.links[r.Dev]
		if !ok {
			return nil, fmt.Errorf("the route %s needs the interface %s, which is not there", r, r.Dev)
		}
		k.LinkIndex = link.Attrs().Index
	}
	switch {
	case r.Via.IsValid():
		k.Gw, k.Flags = r.Via.AsSlice(), int(netlink.FLAG_ONLINK)
	case r.Type == Unicast:
		k.Scope = netlink.SCOPE_LINK
	case r.Type == Local:
		k.Scope = netlink.SCOPE_HOST
	}
	if r.Src.IsValid() {
		k.Src = r.Src.AsSlice()
	}
	return k, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func (r Rule) String() string {
	if r.Six && r.Mark != 0 {
		return fmt.Sprintf("%d: mark 0x%x table %d, IPv6", r.Priority, r.Mark, r.Table)
	}
	if r.Mark != 0 {
		return fmt.Sprintf("%d: mark 0x%x table %d", r.Priority, r.Mark, r.Table)
	}
	return fmt.Sprintf("%d: from %s table %d", r.Priority, r.From, r.Table)
}

// rules brings the policy rules of the fabric's own priorities to the plan.
func (s *space) rules(done *recorder) error {
	var list []netlink.Rule
	for _, family := range s.families() {
		some, err := again(func() ([]netlink.Rule, error) { return s.nl.RuleList(family) })
		if err != nil {
			return fmt.Errorf("listing rules: %w", err)
		}
		list = append(list, some...)
	}
	have := map[Rule]bool{}
	for _, k := range list {
		if k.Priority < firstRule || k.Priority >= 2*firstRule {
			continue
		}
		r := Rule{Priority: k.Priority, Mark: int(k.Mark), Table: k.Table, Six: k.Family == netlink.FAMILY_V6}
		if k.Src != nil {
			r.From = prefixOf(k.Src)
		}
		have[r] = true
	}
	want := map[Rule]bool{}
	for _, r := range s.Rules {
		r.Six = r.isSix()
		want[r] = true
		if have[r] {
			continue
		}
		if err := s.nl.RuleAdd(kernelRule(r)); err != nil {
			return fmt.Errorf("adding the rule %s: %w", r, err)
		}
		done.add(false, "rule", s.full, r.String())
	}
	for r := range have {
		if want[r] {
			continue
		}
		if err := s.nl.RuleDel(kernelRule(r)); err != nil {
			return fmt.Errorf("removing the rule %s: %w", r, err)
		}
		done.add(true, "rule", s.full, r.String())
	}
	return nil
}

func kernelRule(r Rule) *netlink.Rule {
	k := netlink.NewRule()
	k.Family, k.Priority, k.Table, k.Mark = familyOf(r.Six), r.Priority, r.Table, uint32(r.Mark)
	if r.From.IsValid() {
		k.Src = ipNet(r.From)
	}
	return k
}
