package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/network"
)

// cut ends the connections that a router has let begin and whose groups would
// drop them now; their next packet is then one that begins a connection. All
// others go on untouched.
func (a *application) cut(s *space) error {
	if len(s.gates) == 0 {
		return nil
	}
	var handle *netlink.Handle
	err := within(s.fd, func() (err error) {
		handle, err = netlink.NewHandle(unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		return fmt.Errorf("reaching the connections: %w", err)
	}
	defer handle.Close()
	n, err := handle.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, newForbidden(s))
	if err != nil {
		return fmt.Errorf("ending connections that are no longer allowed: %w", err)
	}
	if n > 0 {
		a.done.add(true, "connection", s.full, fmt.Sprint(n))
	}
	return nil
}

// forbidden finds connections that no longer may be.
type forbidden struct {
	outbound, inbound map[netip.Addr][]gate // by the interface's own address
	own               []netip.Addr          // the router's: what is for itself the groups do not see
}

func newForbidden(s *space) forbidden {
	f := forbidden{map[netip.Addr][]gate{}, map[netip.Addr][]gate{}, s.Loopback}
	for _, g := range s.gates {
		of := f.inbound
		if g.direction == network.Outbound {
			of = f.outbound
		}
		for _, a := range g.guest.addrs {
			of[a] = append(of[a], g)
		}
	}
	return f
}

// MatchConntrackFlow implements netlink's filter of connections: groups see the
// source before it is translated, and the destination afterwards, which is where
// the replies come from.
func (f forbidden) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	p := packet{
		from: addrOf(flow.Forward.SrcIP), to: addrOf(flow.Reverse.SrcIP), protocol: flow.Forward.Protocol,
		sourcePort: flow.Forward.SrcPort, destPort: flow.Reverse.SrcPort,
	}
	if slices.Contains(f.own, p.to) {
		return false
	}
	forbids := func(g gate) bool { return g.forbids(p) }
	return slices.ContainsFunc(f.outbound[p.from], forbids) || slices.ContainsFunc(f.inbound[p.to], forbids)
}
