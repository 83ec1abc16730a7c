package fabric

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/service"
)

// What a machine with addresses of IPv6 tries that has every right within its own
// namespace.

// datagram6 is a UDP packet of IPv6 with any source address (RFC 8200, RFC 768).
func datagram6(from, to netip.Addr, port uint16) []byte {
	payload := []byte("out!")
	udp := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(udp, 5353)
	binary.BigEndian.PutUint16(udp[2:], port)
	binary.BigEndian.PutUint16(udp[4:], uint16(8+len(payload)))
	udp = append(udp, payload...)
	pseudo := append(append(append([]byte{}, from.AsSlice()...), to.AsSlice()...), 0, 0, 0, byte(len(udp)), 0, 0, 0, protoUDP)
	binary.BigEndian.PutUint16(udp[6:], checksum(append(pseudo, udp...)))
	b := make([]byte, 40)
	b[0], b[6], b[7] = 0x60, protoUDP, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(udp)))
	copy(b[8:], from.AsSlice())
	copy(b[24:], to.AsSlice())
	return append(b, udp...)
}

// checksum is the internet's (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// send6 puts an IPv6 packet on the cable to a machine's router.
func send6(t *testing.T, f *Fabric, space string, packet []byte, to net.HardwareAddr) {
	t.Helper()
	err := f.Within(space, func() error {
		eth, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		frame := append(append(append([]byte{}, to...), eth.HardwareAddr...), 0x86, 0xdd)
		return unix.Sendto(fd, append(frame, packet...), 0, &unix.SockaddrLinklayer{Ifindex: eth.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// routerAddress is the hardware address of the router's end of a machine's cable.
func routerAddress(t *testing.T, f *Fabric, vnet, name string) net.HardwareAddr {
	t.Helper()
	var out net.HardwareAddr
	space, _ := f.RouterNamespace(id("virtualNetworks", vnet))
	err := f.Within(space, func() error {
		link, err := net.InterfaceByName(linkName(guestPrefix, nicID(name)))
		if err == nil {
			out = link.HardwareAddr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func listenFor6(t *testing.T, f *Fabric, space, at string) func() bool {
	t.Helper()
	c, err := f.ListenPacket(t.Context(), space, "udp6", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return func() bool {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, _, err := c.ReadFrom(make([]byte, 64))
		return err == nil
	}
}

func TestIPv6PacketsDoNotLie(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().dual().plan())
	jump, worker, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker")), namespaceOf(t, f, nicID("agent"))
	router := routerAddress(t, f, "hub", "jump")
	arrives := map[string]func() bool{"fd00:2::4": listenFor6(t, f, worker, "[fd00:2::4]:99"), "fd00:1::5": listenFor6(t, f, agent, "[fd00:1::5]:99")}
	for to, arrived := range arrives {
		for _, from := range []string{"fd00:1::5", "fd00:1::1", "fd00:1::99", "fd00:2::4", "fe80::1", "fe80::1234:5678:9abc", "::", "::1", "::ffff:10.1.0.4", "2001:db8::10", "ff02::1", "fd00:1::4"} {
			send6(t, f, jump, datagram6(addr(from), addr(to), 99), router)
			if got := arrived(); got != (from == "fd00:1::4") {
				t.Errorf("as %s a packet arrived at %s: %v", from, to, got)
			}
		}
	}
}

// A machine finds its gateway and nobody else: neither link-local addresses nor
// multicast lead to the others of its subnet, and an advertisement of its own is
// heard by no router and no machine.
func TestIPv6StaysOnTheCable(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().dual().plan())
	jump, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent"))
	router := routerAddress(t, f, "hub", "jump")
	arrives := listenFor6(t, f, agent, "[::]:99")
	for _, link := range []string{jump, agent} { // each gives itself a link-local address, and listens to routers
		err := f.Within(link, func() error {
			for _, setting := range []string{"accept_ra", "autoconf"} {
				if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/"+setting, []byte("1"), 0); err != nil {
					return err
				}
			}
			h, err := netlink.NewHandle()
			if err != nil {
				return err
			}
			defer h.Close()
			eth, err := h.LinkByName("eth0")
			if err != nil {
				return err
			}
			own, err := netlink.ParseAddr(map[string]string{jump: "fe80::4/64", agent: "fe80::5/64"}[link])
			if err != nil {
				return err
			}
			own.Flags = unix.IFA_F_NODAD
			return h.AddrAdd(eth, own)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{"ff02::1", "ff05::1", "fe80::5"} {
		for _, hw := range []net.HardwareAddr{router, {0x33, 0x33, 0, 0, 0, 1}} {
			for _, from := range []string{"fe80::4", "fd00:1::4"} {
				send6(t, f, jump, datagram6(addr(from), addr(to), 99), hw)
			}
		}
	}
	if arrives() {
		t.Error("a packet came to the other machine of the subnet")
	}
	// A router advertisement with a prefix (RFC 4861, 4.2 and 4.6.2), from the gateway's
	// own address and from the machine's.
	for _, from := range []string{"fe80::4", "fe80::1234:5678:9abc", "fd00:1::4"} {
		ra := []byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
		ra = append(ra, addr("fd66::").AsSlice()...)
		src, dst := addr(from), addr("ff02::1")
		pseudo := append(append(append([]byte{}, src.AsSlice()...), dst.AsSlice()...), 0, 0, 0, byte(len(ra)), 0, 0, 0, protoICMP6)
		binary.BigEndian.PutUint16(ra[2:], checksum(append(pseudo, ra...)))
		b := make([]byte, 40)
		b[0], b[5], b[6], b[7] = 0x60, byte(len(ra)), protoICMP6, 255
		copy(b[8:], src.AsSlice())
		copy(b[24:], dst.AsSlice())
		send6(t, f, jump, append(b, ra...), net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1})
	}
	time.Sleep(patience / 4)
	hub, _ := f.RouterNamespace(id("virtualNetworks", "hub"))
	for _, space := range []string{agent, hub} {
		err := f.Within(space, func() error {
			for _, file := range []string{"if_inet6", "ipv6_route"} {
				b, err := os.ReadFile("/proc/thread-self/net/" + file)
				if err != nil {
					return err
				}
				if strings.Contains(string(b), "fd66") {
					t.Errorf("%s has taken what was advertised:\n%s", space, b)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A machine that advertises another's address gets nothing of it (RFC 4861, 4.4).
func TestNeighbourAdvertisementTakesNothing(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().dual().plan())
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	stolen, arrives := listenFor6(t, f, jump, "[::]:99"), listenFor6(t, f, agent, "[fd00:1::5]:99")
	for _, target := range []string{"fd00:1::5", "fe80::1234:5678:9abc"} {
		err := f.Within(jump, func() error {
			c, err := net.ListenPacket("ip6:58", "fd00:1::4")
			if err != nil {
				return err
			}
			defer c.Close()
			p := ipv6.NewPacketConn(c)
			if err := p.SetHopLimit(255); err != nil {
				return err
			}
			eth, err := net.InterfaceByName("eth0")
			if err != nil {
				return err
			}
			na := append([]byte{neighbourAdvertisement, 0, 0, 0, 0x20, 0, 0, 0}, addr(target).AsSlice()...)
			na = append(append(na, 2, 1), eth.HardwareAddr...)
			_, err = c.WriteTo(na, &net.IPAddr{IP: net.ParseIP("fe80::1234:5678:9abc"), Zone: "eth0"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := f.Dial(t.Context(), worker, "udp6", "[fd00:1::5]:99")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("mine"))
	if !arrives() {
		t.Error("the packet did not come to whose address it is")
	}
	if stolen() {
		t.Error("the packet came to who only said so")
	}
}

// Public addresses of IPv6: one's own lets out and in, and nobody else's does.
func TestInternetByIPv6(t *testing.T) {
	t.Parallel()
	h := twoNetworks().dual()
	for i, n := range h.nics {
		if n.ID == nicID("jump") {
			h.nics[i].PublicAddr6, h.nics[i].PublicTo6 = addr("2001:db8:0:c::1"), addr("fd00:1::4")
		}
	}
	f := build(t, h.plan())
	jump, agent, worker, outsider := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker")), f.OutsiderNamespace()
	echo(t, f, outsider, ":443")
	echo(t, f, jump, ":443")
	out := fmt.Sprintf("[%s]:443", service.Outsider6)
	for _, c := range []struct{ name, from, to, want string }{
		{"out under its own address", jump, out, "2001:db8:0:c::1 at 2001:db8::10"},
		{"in", outsider, "[2001:db8:0:c::1]:443", "2001:db8::10 at fd00:1::4"},
		{"its own public address", jump, "[2001:db8:0:c::1]:443", "2001:db8:0:c::1 at fd00:1::4"},
	} {
		if got := seenAs(t, f, c.from, c.to); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	attempts{
		{"without a public address", agent, out, noRoute},
		{"in another network", worker, out, noRoute},
		{"to a public one without one", worker, "[2001:db8:0:c::1]:443", noRoute},
		{"nobody's public address", outsider, "[2001:db8:0:c::2]:443", noRoute},
		{"a private address", outsider, "[fd00:1::4]:443", noRoute},
	}.try(t, f)
}

// A network that gets IPv6, and loses it, changes in nothing else; what it loses
// carries no packet any more.
func TestFromIPv4ToDualAndBack(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	repeat(t, f, worker, ":443")
	kept, err := f.Dial(t.Context(), jump, "tcp4", "10.2.0.4:443")
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	lives := func(when string) {
		t.Helper()
		if !exchange(kept, []byte("still there"), patience) {
			t.Errorf("%s, a connection of IPv4 has ended", when)
		}
	}
	four := attempts{{"IPv4", jump, "10.1.0.5:22", refused}}
	changes := apply(t, f, twoNetworks().dual().plan())
	for _, c := range changes {
		if c.Removed || c.Kind == "namespace" || c.Kind == "link" {
			t.Errorf("becoming dual: %s", c)
		}
	}
	lives("as a dual network")
	append(four, attempts{{"IPv6", jump, "[fd00:1::5]:22", refused}, {"over the peering", worker, "[fd00:1::4]:22", refused}}...).try(t, f)
	if again := apply(t, f, twoNetworks().dual().plan()); len(again) > 0 {
		t.Errorf("dual a second time: %v", again)
	}
	for _, c := range apply(t, f, twoNetworks().plan()) {
		if c.Kind == "namespace" || c.Kind == "link" {
			t.Errorf("losing IPv6: %s", c)
		}
	}
	lives("without IPv6")
	four.try(t, f)
	if got := connect(f, jump, "[fd00:1::5]:22"); got == refused || got == open {
		t.Errorf("without IPv6: %s", got)
	}
	for _, space := range []string{jump, agent} {
		if err := f.Within(space, func() error {
			if b, err := os.ReadFile("/proc/thread-self/net/if_inet6"); err == nil && strings.Contains(string(b), "eth0") {
				t.Errorf("%s still has:\n%s", space, b)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if again := apply(t, f, twoNetworks().plan()); len(again) > 0 {
		t.Errorf("without IPv6 a second time: %v", again)
	}
}
