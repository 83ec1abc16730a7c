package fabric

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What a machine tries that has every right within its own namespace: the
// networks hold without its help.

// datagram is a UDP packet with any source address.
func datagram(from, to netip.Addr, port uint16) []byte {
	b := make([]byte, 28, 32)
	b[0], b[8], b[9] = 0x45, 64, protoUDP
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	binary.BigEndian.PutUint16(b[20:], 5353)
	binary.BigEndian.PutUint16(b[22:], port)
	binary.BigEndian.PutUint16(b[24:], 12)
	return append(b, "out!"...)
}

// listenFor counts the packets that reach a port until the test ends.
func listenFor(t *testing.T, f *Fabric, space, at string) func() bool {
	t.Helper()
	c, err := f.ListenPacket(t.Context(), space, "udp4", at)
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

func TestRawSocketsDoNotLie(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
	arrives := listenFor(t, f, worker, "10.2.0.4:99")
	for _, from := range []string{"10.1.0.4", "10.1.0.5", "10.1.0.1", "10.2.0.4", "168.63.129.16", "0.0.0.0", "127.0.0.1", "192.0.2.10"} {
		err := f.Within(jump, func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			to := addr("10.2.0.4")
			_ = unix.Sendto(fd, datagram(addr(from), to, 99), 0, &unix.SockaddrInet4{Addr: to.As4()}) // its own kernel may refuse too
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		own := from == "10.1.0.4"
		// A source of zero is filled in by the machine's kernel with its own.
		if got := arrives(); got != (own || from == "0.0.0.0") {
			t.Errorf("as %s a packet arrived: %v", from, got)
		}
	}
}

// Routes of its own lead a machine nowhere else: they end at its router.
func TestOwnRoutesLeadNowhere(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	p := h.plan()
	f := build(t, p)
	worker, remote := namespaceOf(t, f, nicID("worker")), namespaceOf(t, f, nicID("remote"))
	arrives := listenFor(t, f, remote, "10.3.0.4:99")
	var vias []netip.Addr
	for _, l := range p.Links {
		vias = append(append(vias, l.A.Addrs...), l.B.Addrs...)
	}
	for _, via := range vias {
		err := f.Within(worker, func() error {
			handle, err := netlink.NewHandle()
			if err != nil {
				return err
			}
			defer handle.Close()
			eth, err := handle.LinkByName("eth0")
			if err != nil {
				return err
			}
			_ = handle.RouteReplace(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: ipNet(prefix("10.3.0.0/16")), Gw: via.AsSlice(), Flags: int(netlink.FLAG_ONLINK)})
			c, err := net.Dial("udp4", "10.3.0.4:99")
			if err == nil {
				_, _ = c.Write([]byte("out!"))
				c.Close()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if arrives() {
		t.Error("a packet came through a network that is not peered")
	}
}

// A machine that says by ARP that it has another's address gets nothing of it.
func TestARPTakesNothing(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	stolen := listenFor(t, f, jump, "0.0.0.0:99")
	arrives := listenFor(t, f, agent, "10.1.0.5:99")
	err := f.Within(jump, func() error {
		eth, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for _, operation := range []byte{1, 2} { // a request and an answer that nobody asked for (RFC 826)
			b := append(append([]byte{255, 255, 255, 255, 255, 255}, eth.HardwareAddr...), 8, 6, 0, 1, 8, 0, 6, 4, 0, operation)
			b = append(append(append(b, eth.HardwareAddr...), 10, 1, 0, 5), 255, 255, 255, 255, 255, 255, 10, 1, 0, 5)
			if err := unix.Sendto(fd, b, 0, &unix.SockaddrLinklayer{Ifindex: eth.Index}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Dial(t.Context(), worker, "udp4", "10.1.0.5:99")
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

// A machine that switches IPv6 on speaks it to nobody.
func TestNoIPv6OnTheCable(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump, agent := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent"))
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		t.Skip("the kernel has no IPv6")
	}
	for space, own := range map[string]string{jump: "fd00::4/64", agent: "fd00::5/64"} {
		err := f.Within(space, func() error {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("0"), 0); err != nil {
				return err
			}
			handle, err := netlink.NewHandle()
			if err != nil {
				return err
			}
			defer handle.Close()
			eth, err := handle.LinkByName("eth0")
			if err != nil {
				return err
			}
			parsed, err := netlink.ParseAddr(own)
			if err != nil {
				return err
			}
			parsed.Flags = unix.IFA_F_NODAD
			if err := handle.AddrAdd(eth, parsed); err != nil {
				return err
			}
			// A router advertisement of its own (RFC 4861, 4.2), to all nodes.
			c, err := net.ListenPacket("ip6:58", "::")
			if err != nil {
				return err
			}
			defer c.Close()
			_, _ = c.WriteTo([]byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0}, &net.IPAddr{IP: net.ParseIP("ff02::1"), Zone: "eth0"})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := f.Within(jump, func() error {
		c, err := net.DialTimeout("tcp6", "[fd00::5]:22", patience)
		if err == nil {
			c.Close()
		}
		if err == nil || errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("the other machine answered by IPv6: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Plan().Spaces {
		if s.Role != RoleRouter {
			continue
		}
		err := f.Within(f.full(s.Name), func() error {
			if b, err := os.ReadFile("/proc/thread-self/net/if_inet6"); err == nil && len(b) > 0 {
				t.Errorf("the router %s has taken IPv6 addresses:\n%s", s.Name, b)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Where a subnet has no way out, neither pings nor names carry anything out.
func TestNoTunnelByPingsOrNames(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	jump := namespaceOf(t, f, nicID("jump"))
	arrived := listenFor(t, f, f.OutsiderNamespace(), "0.0.0.0:53")
	resolver := listenFor(t, f, f.InternetNamespace(), internetResolver.String()+":53")
	for _, to := range []string{"192.0.2.10", internetResolver.String(), "198.51.100.9", "169.254.169.254"} {
		err := f.Within(jump, func() error {
			if c, err := net.Dial("udp4", to+":53"); err == nil {
				_, _ = c.Write([]byte("out!"))
				c.Close()
			}
			c, err := net.DialIP("ip4:icmp", nil, &net.IPAddr{IP: net.ParseIP(to)})
			if err != nil {
				return nil // there is not even a route
			}
			defer c.Close()
			if ping(c, patience) {
				t.Errorf("%s answered a ping", to)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if arrived() || resolver() {
		t.Error("a datagram left the networks")
	}
}
