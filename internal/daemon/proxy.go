package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The proxy lets a client on the host speak to the cloud under its public names, as
// somebody on the internet does: it takes CONNECT (RFC 9110, section 9.3.6) and
// nothing else, to port 443 of host names that public DNS has, and its connections
// begin in the outsider's namespace. So it leads nowhere that the outsider could not
// go, and no address of the host or of a private network can be asked for.
type proxy struct {
	resolve func(host string) []netip.Addr
	dial    func(ctx context.Context, address string) (net.Conn, error)
}

const (
	proxyDialTime = 10 * time.Second
	proxyIdle     = 10 * time.Minute
)

// serveProxy serves the proxy on the host until ctx ends, and returns its address.
func (d *Daemon) serveProxy(ctx context.Context) (string, error) {
	l, err := hostListener("", proxyFD)
	if err != nil {
		return "", fmt.Errorf("opening the proxy: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, Handler: proxy{
		resolve: func(host string) []netip.Addr { return d.view().names.Resolve("", host).Addrs },
		dial: func(ctx context.Context, address string) (net.Conn, error) {
			return d.fabric.Dial(ctx, d.fabric.OutsiderNamespace(), "tcp", address)
		},
	}}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("serving the proxy", "error", err)
		}
	}()
	return l.Addr().String(), nil
}

func (p proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy takes CONNECT only", http.StatusMethodNotAllowed)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil || port != "443" {
		http.Error(w, "this proxy leads to port 443 only", http.StatusForbidden)
		return
	}
	addrs := p.resolve(host)
	if len(addrs) == 0 {
		http.Error(w, host+" is not a name of this cloud: nothing leaves the machine (put it into NO_PROXY to reach it yourself)", http.StatusForbidden)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), proxyDialTime)
	defer cancel()
	there, err := p.dial(ctx, netip.AddrPortFrom(addrs[0], 443).String())
	if err != nil {
		http.Error(w, "connecting to "+host+": "+err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	join(here, buffered, there)
}

// join carries both ways until both are done, or nothing has moved for long.
func join(here net.Conn, early io.Reader, there net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { carry(there, here, early) })
	wg.Go(func() { carry(here, there, there) })
	wg.Wait()
}

// carry copies from a connection, read through r, and then closes the other's
// writing side.
func carry(to, from net.Conn, r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		_ = from.SetReadDeadline(time.Now().Add(proxyIdle))
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				_ = from.Close() // nobody listens any more
				return
			}
		}
		if err != nil {
			break
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
