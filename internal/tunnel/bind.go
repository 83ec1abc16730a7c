package tunnel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"golang.zx2c4.com/wireguard/conn"
)

// sockets is a conn.Bind over sockets that somebody else opens: in another network
// namespace, or in several. An answer leaves by the socket that its question came
// in by.
type sockets struct {
	open []func() (net.PacketConn, error)

	mu  sync.RWMutex
	now []net.PacketConn
}

var _ conn.Bind = (*sockets)(nil)

// endpoint is where a peer is, and by which socket it is reached.
type endpoint struct {
	to     netip.AddrPort
	socket int
}

func (e *endpoint) ClearSrc()           {}
func (e *endpoint) SrcToString() string { return "" }
func (e *endpoint) DstToString() string { return e.to.String() }
func (e *endpoint) DstIP() netip.Addr   { return e.to.Addr() }
func (e *endpoint) SrcIP() netip.Addr   { return netip.Addr{} }

func (e *endpoint) DstToBytes() []byte {
	b, err := e.to.MarshalBinary()
	if err != nil {
		return nil
	}
	return b
}

// Open implements conn.Bind. The port is the sockets' own.
func (s *sockets) Open(uint16) ([]conn.ReceiveFunc, uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		return nil, 0, conn.ErrBindAlreadyOpen
	}
	var out []conn.ReceiveFunc
	var port uint16
	for i, open := range s.open {
		c, err := open()
		if err != nil {
			for _, c := range s.now {
				c.Close()
			}
			s.now = nil
			return nil, 0, err
		}
		s.now = append(s.now, c)
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok && i == 0 {
			port = uint16(a.Port)
		}
		out = append(out, receive(c, i))
	}
	return out, port, nil
}

func receive(c net.PacketConn, socket int) conn.ReceiveFunc {
	return func(packets [][]byte, sizes []int, eps []conn.Endpoint) (int, error) {
		n, from, err := c.ReadFrom(packets[0])
		if err != nil {
			return 0, err
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			return 0, fmt.Errorf("a packet came from %T", from)
		}
		at := udp.AddrPort()
		sizes[0], eps[0] = n, &endpoint{to: netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), socket: socket}
		return 1, nil
	}
}

// Close implements conn.Bind.
func (s *sockets) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, c := range s.now {
		errs = append(errs, c.Close())
	}
	s.now = nil
	return errors.Join(errs...)
}

// SetMark implements conn.Bind; no packet is marked.
func (s *sockets) SetMark(uint32) error { return nil }

// BatchSize implements conn.Bind.
func (s *sockets) BatchSize() int { return 1 }

// Send implements conn.Bind.
func (s *sockets) Send(packets [][]byte, to conn.Endpoint) error {
	e, ok := to.(*endpoint)
	if !ok {
		return conn.ErrWrongEndpointType
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e.socket >= len(s.now) {
		return net.ErrClosed
	}
	for _, p := range packets {
		if _, err := s.now[e.socket].WriteTo(p, net.UDPAddrFromAddrPort(e.to)); err != nil {
			return err
		}
	}
	return nil
}

// ParseEndpoint implements conn.Bind: a configured peer is reached by the first
// socket.
func (s *sockets) ParseEndpoint(text string) (conn.Endpoint, error) {
	to, err := netip.ParseAddrPort(text)
	return &endpoint{to: to}, err
}
