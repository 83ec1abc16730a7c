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
	list, err := again(func() ([]netlink.Route, error) {
		return s.nl.RouteListFiltered(netlink.FAMILY_V4, filter, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	names := map[int]string{}
	for name, l := range s.links {
		names[l.Attrs().Index] = name
	}
	out := make(map[routeKey]Route, len(list))
	for _, k := range list {
		r := Route{Table: k.Table, Metric: k.Priority, Dst: prefixOf(k.Dst), Dev: names[k.LinkIndex], Via: addrOf(k.Gw), Src: addrOf(k.Src)}
		for t, n := range routeTypes {
			if n == k.Type {
				r.Type = t
			}
		}
		out[r.key()] = r
	}
	return out, nil
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
		Table: r.Table, Priority: r.Metric, Type: routeTypes[r.Type], Protocol: ourRoutes, Family: netlink.FAMILY_V4,
		Dst: ipNet(r.Dst), Scope: netlink.SCOPE_UNIVERSE,
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
	if r.Mark != 0 {
		return fmt.Sprintf("%d: mark 0x%x table %d", r.Priority, r.Mark, r.Table)
	}
	return fmt.Sprintf("%d: from %s table %d", r.Priority, r.From, r.Table)
}

// rules brings the policy rules of the fabric's own priorities to the plan.
func (s *space) rules(done *recorder) error {
	list, err := again(func() ([]netlink.Rule, error) { return s.nl.RuleList(netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("listing rules: %w", err)
	}
	have := map[Rule]bool{}
	for _, k := range list {
		if k.Priority < firstRule || k.Priority >= 2*firstRule {
			continue
		}
		r := Rule{Priority: k.Priority, Mark: int(k.Mark), Table: k.Table}
		if k.Src != nil {
			r.From = prefixOf(k.Src)
		}
		have[r] = true
	}
	want := map[Rule]bool{}
	for _, r := range s.Rules {
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
	k.Family, k.Priority, k.Table, k.Mark = netlink.FAMILY_V4, r.Priority, r.Table, uint32(r.Mark)
	if r.From.IsValid() {
		k.Src = ipNet(r.From)
	}
	return k
}
