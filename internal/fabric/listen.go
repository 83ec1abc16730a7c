package fabric

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// inside runs fn in a namespace of this cloud, by its full name.
func inside(name string, fn func() error) error {
	fd, err := openNamespace(name)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return within(fd, fn)
}

// literal refuses host names: they would be resolved outside of the namespace.
func literal(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address // of a network without ports
	}
	if host == "" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return fmt.Errorf("the address %q is not literal: %w", address, err)
	}
	return nil
}

// Listen opens a listener inside a namespace. It stays there for ever, whoever
// accepts from it.
func (f *Fabric) Listen(ctx context.Context, namespace, network, address string) (net.Listener, error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	var l net.Listener
	err := inside(namespace, func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listening in %s at %s: %w", namespace, address, err)
	}
	return l, nil
}

// ListenPacket opens a packet socket inside a namespace.
func (f *Fabric) ListenPacket(ctx context.Context, namespace, network, address string) (net.PacketConn, error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	var c net.PacketConn
	err := inside(namespace, func() (err error) {
		c, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listening in %s at %s: %w", namespace, address, err)
	}
	return c, nil
}

// Dial connects from inside a namespace to a literal address.
func (f *Fabric) Dial(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	if err := literal(address); err != nil {
		return nil, err
	}
	var c net.Conn
	err := inside(namespace, func() (err error) {
		c, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("connecting from %s to %s: %w", namespace, address, err)
	}
	return c, nil
}

// Within runs fn on a thread that is in the namespace: sockets that it opens and
// processes that it starts belong there. fn must not hand its work to other
// goroutines.
func (f *Fabric) Within(namespace string, fn func() error) error {
	if err := inside(namespace, fn); err != nil {
		return fmt.Errorf("in the network namespace %s: %w", namespace, err)
	}
	return nil
}
