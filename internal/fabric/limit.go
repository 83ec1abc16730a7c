package fabric

import (
	"net"
	"sync"
)

// limited is a listener that closes connections beyond a number for one address
// and beyond one for all: no machine takes the service from the others.
type limited struct {
	net.Listener
	each, all int

	mu    sync.Mutex
	open  map[string]int
	total int
}

func limit(l net.Listener, each, all int) net.Listener {
	return &limited{Listener: l, each: each, all: all, open: map[string]int{}}
}

// Accept waits for a connection that is within the limits.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if l.enter(host) {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		c.Close()
	}
}

func (l *limited) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host] >= l.each || l.total >= l.all {
		return false
	}
	l.open[host]++
	l.total++
	return true
}

func (l *limited) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[host]--; l.open[host] == 0 {
		delete(l.open, host)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
