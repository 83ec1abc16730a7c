package sieve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	nameTime = 5 * time.Second  // to say the name
	dialTime = 10 * time.Second // to reach the server
	idleTime = 4 * time.Minute  // Azure Firewall's own for TCP
	atOnce   = 1024             // connections
)

// Decision is what became of one connection.
type Decision struct {
	Time   time.Time      `json:"time"`
	Source netip.AddrPort `json:"source"`
	To     netip.AddrPort `json:"to"` // that the client dialled
	Scheme string         `json:"scheme,omitempty"`
	Host   string         `json:"host,omitempty"`
	Rule   int            `json:"rule"` // of the rules, -1 for none
	Allow  bool           `json:"allow"`
}

// Proxy takes connections that were meant for others.
type Proxy struct {
	Rules []Rule
	// Resolve gives the addresses of a name; Dial connects to one.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	Log     func(Decision)
}

// Serve takes connections until the listener is closed.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) error {
	var open sync.WaitGroup
	defer open.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	room := make(chan struct{}, atOnce)
	for {
		room <- struct{}{}
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("taking a connection: %w", err)
		}
		open.Go(func() {
			defer func() { <-room }()
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			p.serve(ctx, c.(*net.TCPConn))
		})
	}
}

// serve is one connection. One that is not allowed is reset.
func (p *Proxy) serve(ctx context.Context, c *net.TCPConn) {
	defer c.Close()
	_ = c.SetLinger(0)
	to, err := original(c)
	if err != nil {
		return
	}
	source := c.RemoteAddr().(*net.TCPAddr).AddrPort()
	_ = c.SetReadDeadline(time.Now().Add(nameTime))
	o, err := read(c)
	d := Decision{Time: time.Now(), Source: source, To: to, Scheme: o.scheme, Host: o.host, Rule: -1}
	if err == nil {
		d.Rule = decide(p.Rules, asked{source.Addr().Unmap(), to, o.scheme, o.host})
		d.Allow = d.Rule >= 0 && p.Rules[d.Rule].Allow
	}
	p.Log(d)
	if !d.Allow {
		return
	}
	server, err := p.connect(ctx, o.host, to)
	if err != nil {
		return
	}
	defer server.Close()
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetLinger(-1)
	if o.request != nil {
		p.one(c, server, o)
		return
	}
	if _, err := server.Write(o.said); err == nil {
		join(c, server)
	}
}

// one passes one request on, and its answer back.
func (p *Proxy) one(c, server net.Conn, o opening) {
	go func() {
		o.request.Close = true
		_ = o.request.Write(server) // the answer says what came of it
	}()
	_, _ = io.Copy(c, idle{server})
}

// connect reaches the host by an address that its name has, the one that was
// dialled where it is among them. Without a name it is what was dialled.
func (p *Proxy) connect(ctx context.Context, host string, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return p.Dial(ctx, to)
	}
	addrs, err := p.Resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	if !slices.Contains(addrs, to.Addr()) {
		to = netip.AddrPortFrom(addrs[0], to.Port())
	}
	return p.Dial(ctx, to)
}

// join carries bytes both ways until both ends have nothing more to say.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(way[1], idle{way[0]})
			if half, ok := way[1].(interface{ CloseWrite() error }); ok && err == nil {
				_ = half.CloseWrite()
				return
			}
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
}

// idle is a connection that ends when nothing is said for long.
type idle struct{ net.Conn }

func (i idle) Read(b []byte) (int, error) {
	_ = i.SetReadDeadline(time.Now().Add(idleTime))
	return i.Conn.Read(b)
}

// original is where a connection that the kernel has redirected was going
// (netfilter's SO_ORIGINAL_DST, whose answer is a sockaddr_in).
func original(c *net.TCPConn) (netip.AddrPort, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	var to netip.AddrPort
	var got error
	err = raw.Control(func(fd uintptr) {
		var m *unix.IPv6Mreq
		if m, got = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, unix.SO_ORIGINAL_DST); got == nil {
			b := m.Multiaddr
			to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3]))
		}
	})
	return to, errors.Join(err, got)
}
