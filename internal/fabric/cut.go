package fabric

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/network"
)

// cut ends the connections that routers have let begin and whose groups would
// drop them now; their next packet is then one that begins a connection. All
// others go on untouched.
func (a *application) cut(ctx context.Context) error {
	return a.each(ctx, func(s *space) bool { return len(s.closing) > 0 }, func(s *space) error {
		n, err := s.cut()
		if err != nil {
			return fmt.Errorf("ending connections that are no longer allowed: %w", err)
		}
		if n > 0 {
			a.done.add(true, "connection", s.full, fmt.Sprint(n))
		}
		return nil
	})
}

func (s *space) cut() (n uint, err error) {
	var handle *netlink.Handle
	err = within(s.fd, func() error {
		count, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
		if err != nil || strings.TrimSpace(string(count)) == "0" {
			return err // the kernel looks through a table of all namespaces: not for nothing
		}
		handle, err = netlink.NewHandle(unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil || handle == nil {
		return 0, err
	}
	defer handle.Close()
	families := []netlink.InetFamily{unix.AF_INET}
	if s.Filter6 != nil {
		families = append(families, unix.AF_INET6)
	}
	for _, family := range families {
		more, err := s.cutFamily(handle, family)
		if n += more; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *space) cutFamily(handle *netlink.Handle, family netlink.InetFamily) (n uint, err error) {
	for try := 0; ; try++ {
		more, err := handle.ConntrackDeleteFilters(netlink.ConntrackTable, family, newForbidden(s))
		n += more
		if err == nil || try == 5 || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return n, err
		}
	}
}

// forbidden finds connections that no longer may be.
type forbidden struct {
	outbound, inbound map[netip.Addr][]gate // by the interface's own address
	own               []netip.Addr          // the router's: what is for itself the groups do not see
}

func newForbidden(s *space) forbidden {
	f := forbidden{map[netip.Addr][]gate{}, map[netip.Addr][]gate{}, s.Loopback}
	for _, g := range s.closing {
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
