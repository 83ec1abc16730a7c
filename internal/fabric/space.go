package fabric

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// linkGroup marks the first ends of the fabric's cables, which can then be
	// removed all at once.
	linkGroup = 7
	// ourRoutes is the protocol number of the fabric's routes: others are not touched.
	ourRoutes = 77
)

// space is a namespace that is open for changes.
type space struct {
	Space
	full  string // name with the cloud's prefix
	fd    int
	nl    *netlink.Handle
	links map[string]netlink.Link

	six     bool     // has addresses of IPv6
	hadSix  bool     // has had some
	fresh   bool     // made just now
	closing []gate   // which may drop what has begun
	plugged []string // first ends of cables that were made just now
}

func (s *space) open() error {
	fd, err := openNamespace(s.full)
	if err != nil {
		return err
	}
	s.fd = fd
	return within(fd, func() (err error) {
		s.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
}

func (s *space) close() {
	if s.nl != nil {
		s.nl.Close()
	}
	if s.fd >= 0 {
		unix.Close(s.fd)
	}
}

// again repeats a dump that the kernel says was overtaken by a change.
func again[T any](dump func() (T, error)) (T, error) {
	for try := 0; ; try++ {
		out, err := dump()
		if err == nil || try == 5 || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
}

// list reads the namespace's interfaces.
func (s *space) list() error {
	links, err := again(s.nl.LinkList)
	if err != nil {
		return fmt.Errorf("listing interfaces: %w", err)
	}
	s.links = make(map[string]netlink.Link, len(links))
	for _, l := range links {
		s.links[l.Attrs().Name] = l
	}
	return nil
}

// owns reports whether an interface is one of the fabric's: in a machine, whose
// processes may make some of their own, those with the fabric's names.
func (s *space) owns(l netlink.Link) bool {
	if l.Type() != "veth" {
		return false
	}
	n, isNumbered := strings.CutPrefix(l.Attrs().Name, machineLink)
	_, err := strconv.Atoi(n)
	return s.Filter != nil || isNumbered && err == nil
}

// plug makes a veth pair between this namespace and another.
func (s *space) plug(l Link, to *space) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Group, attrs.Flags = l.A.Name, linkGroup, net.FlagUp
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: l.B.Name, PeerNamespace: netlink.NsFd(to.fd)}
	if err := s.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("connecting %s to %s of %s: %w", l.A.Name, l.B.Name, to.full, err)
	}
	s.plugged = append(s.plugged, l.A.Name)
	return nil
}

func (s *space) up(name string) error {
	link := s.links[name]
	if link.Attrs().Flags&net.FlagUp != 0 || !s.owns(link) && name != "lo" {
		return nil
	}
	if err := s.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("bringing %s up: %w", name, err)
	}
	return nil
}

// segment is how much TCP may hand over at once, as one packet that is never cut
// into pieces on its way between two namespaces: the most that Linux takes ("BIG TCP",
// documentation of Linux 6.3).
const segment = 8 * 65535

// widen lets a cable take large segments. A kernel that knows none does without.
func (s *space) widen(name string) {
	if link := s.links[name]; s.owns(link) && link.Attrs().GSOIPv4MaxSize != segment {
		_ = s.nl.LinkSetGSOIPv4MaxSize(link, segment)
	}
}

// down is a first end that does not carry packets yet, or "".
func (s *space) down() string {
	for _, name := range s.plugged {
		if link := s.links[name]; link != nil && link.Attrs().OperState != netlink.OperUp {
			return name
		}
	}
	return ""
}

func (s *space) unlink(name string) error {
	err := s.nl.LinkDel(s.links[name])
	delete(s.links, name)
	if err != nil && !errors.Is(err, unix.ENODEV) { // it went with its other end
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return nil
}

// unplug removes all cables whose first end is in a namespace, and those of a
// machine one by one.
func unplug(full string) error {
	s := &space{full: full, fd: -1}
	err := s.open()
	defer s.close()
	if errors.Is(err, os.ErrNotExist) {
		return nil // a name without a namespace
	}
	if err != nil {
		return err
	}
	group := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	group.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	group.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(linkGroup)))
	err = within(s.fd, func() error {
		_, err := group.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
	if err != nil && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("removing the cables of %s: %w", full, err)
	}
	if err := s.list(); err != nil {
		return err
	}
	for name, link := range s.links {
		if link.Type() == "veth" {
			if err := s.unlink(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// addresses brings the addresses of the interfaces to what is wanted.
func (s *space) addresses(want map[string][]string, done *recorder) error {
	list, err := again(func() ([]netlink.Addr, error) { return s.nl.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return fmt.Errorf("listing addresses: %w", err)
	}
	if err := s.version6(want, list, done); err != nil {
		return err
	}
	byIndex := map[int]string{}
	for name, l := range s.links {
		byIndex[l.Attrs().Index] = name
	}
	have := map[string][]string{}
	for _, addr := range list {
		name, text := byIndex[addr.LinkIndex], addr.IPNet.String()
		link := s.links[name]
		if slices.Contains(want[name], text) {
			have[name] = append(have[name], text)
			continue
		}
		if link == nil || addr.IP.IsLoopback() || !s.owns(link) && s.Filter == nil {
			continue
		}
		if addr.IP.To4() == nil && !s.speaks6(want[name]) {
			continue // it went as the interface lost IPv6
		}
		if err := s.nl.AddrDel(link, &addr); err != nil {
			return fmt.Errorf("removing %s from %s: %w", text, name, err)
		}
		done.add(true, "address", s.full, text+" "+name)
	}
	for name, texts := range want {
		for _, text := range texts {
			if slices.Contains(have[name], text) {
				continue
			}
			if s.links[name] == nil {
				return fmt.Errorf("there is no interface %s for the address %s", name, text)
			}
			addr, err := netlink.ParseAddr(text)
			if err != nil {
				return fmt.Errorf("the address %s of %s: %w", text, name, err)
			}
			if addr.IP.To4() == nil {
				addr.Flags = unix.IFA_F_NODAD // nobody else is on the cable
			}
			if err := s.nl.AddrAdd(s.links[name], addr); err != nil {
				return fmt.Errorf("giving %s to %s: %w", text, name, err)
			}
			done.add(false, "address", s.full, text+" "+name)
		}
	}
	return nil
}
