package tunnel

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
)

// Key is a private, public or preshared key. It prints as nothing: [Key.Base64] is
// for where it is meant to be seen.
type Key [32]byte

// String implements fmt.Stringer.
func (Key) String() string { return "(key)" }

// Base64 is how WireGuard's files write a key.
func (k Key) Base64() string { return base64.StdEncoding.EncodeToString(k[:]) }

func (k Key) hex() string { return hex.EncodeToString(k[:]) }

// NewKey makes a private key.
func NewKey() (Key, error) {
	var k Key
	_, err := rand.Read(k[:])
	return k, err
}

// Derive is the private or preshared key for a purpose under a secret.
func Derive(secret []byte, purpose string) Key {
	h := sha256.New()
	h.Write([]byte("cloister tunnel key\x00"))
	h.Write([]byte(purpose + "\x00"))
	h.Write(secret)
	return Key(h.Sum(nil))
}

// Public is a private key's public half (RFC 7748, section 6.1).
func (k Key) Public() Key {
	private, err := ecdh.X25519().NewPrivateKey(k[:])
	if err != nil { // only for a length that a Key cannot have
		return Key{}
	}
	return Key(private.PublicKey().Bytes())
}

// Peer is the other end.
type Peer struct {
	Public    Key
	Preshared Key            // zero for none
	Endpoint  netip.AddrPort // invalid for one that calls first
	Allowed   []netip.Prefix // its addresses: others are dropped, and these lead to it
}

// Config describes one end.
type Config struct {
	Device  string // name of the interface
	Private Key
	Addrs   []netip.Addr // of the interface
	Peers   []Peer
	// Keepalive makes this end call, and keep calling.
	Keepalive bool
	// Within runs a function in the namespace of the interface.
	Within func(func() error) error
	// Sockets open the sockets that the encrypted packets go by.
	Sockets []func() (net.PacketConn, error)
	Log     *slog.Logger
}

// mtu leaves room for WireGuard's headers (80 bytes over IPv6) in 1500.
const mtu = 1420

const keepalive = 25 // seconds, as WireGuard's documentation advises

// Tunnel is an end that runs.
type Tunnel struct{ device *device.Device }

// Open makes the interface, gives it its addresses, and a route to each peer's.
func Open(c Config) (*Tunnel, error) {
	var t tun.Device
	err := c.Within(func() (err error) {
		t, err = tun.CreateTUN(c.Device, mtu)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the tunnel's interface %s: %w", c.Device, err)
	}
	logger := &device.Logger{
		Verbosef: device.DiscardLogf,
		Errorf: func(format string, args ...any) {
			c.Log.Debug("tunnel", "interface", c.Device, "said", fmt.Sprintf(format, args...))
		},
	}
	d := device.NewDevice(t, &sockets{open: c.Sockets}, logger)
	for _, step := range []func() error{
		func() error { return d.IpcSet(c.text()) },
		d.Up,
		func() error { return c.Within(c.address) },
	} {
		if err := step(); err != nil {
			d.Close()
			return nil, fmt.Errorf("opening the tunnel %s: %w", c.Device, err)
		}
	}
	return &Tunnel{d}, nil
}

// Available reports whether this process can make a tunnel's interface.
func Available() bool {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// Close ends the tunnel; its interface and routes go with it.
func (t *Tunnel) Close() { t.device.Close() }

// text is the configuration in WireGuard's own words ("Cross-platform Userspace
// Implementation", wireguard.com/xplatform).
func (c Config) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "private_key=%s\nreplace_peers=true\n", c.Private.hex())
	for _, p := range c.Peers {
		fmt.Fprintf(&b, "public_key=%s\n", p.Public.hex())
		if p.Preshared != (Key{}) {
			fmt.Fprintf(&b, "preshared_key=%s\n", p.Preshared.hex())
		}
		if p.Endpoint.IsValid() {
			fmt.Fprintf(&b, "endpoint=%s\n", p.Endpoint)
		}
		if c.Keepalive {
			fmt.Fprintf(&b, "persistent_keepalive_interval=%d\n", keepalive)
		}
		for _, a := range p.Allowed {
			fmt.Fprintf(&b, "allowed_ip=%s\n", a)
		}
	}
	return b.String()
}

// address runs in the namespace of the interface.
func (c Config) address() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	link, err := h.LinkByName(c.Device)
	if err != nil {
		return err
	}
	var src net.IP
	for _, a := range c.Addrs {
		if err := h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, a.BitLen()))}); err != nil {
			return fmt.Errorf("giving it %s: %w", a, err)
		}
		if src == nil {
			src = a.AsSlice()
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return err
	}
	for _, p := range c.Peers {
		for _, dst := range p.Allowed {
			r := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(dst.Masked()), Scope: netlink.SCOPE_LINK, Src: src}
			if err := h.RouteReplace(r); err != nil {
				return fmt.Errorf("leading %s into it: %w", dst, err)
			}
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
