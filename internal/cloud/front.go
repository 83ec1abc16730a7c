package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// front is where calls to the cloud's services arrive.
type front struct {
	c        *Cloud
	server   *http.Server // TLS
	internal *http.Server // calls from within the process
	pipe     *pipe
	tls      *tls.Config

	mu      sync.Mutex
	servers []*http.Server // all of them, to be closed
}

const (
	headerTimeout = 10 * time.Second // of the TLS handshake, too
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	closeTimeout  = 5 * time.Second
)

// door is where a call came in.
type door struct {
	endpoint arm.ID // the private endpoint, or "" for a public address
	trusted  arm.ID // the resource on whose behalf a call from within the process is made
	internal bool
}

type doorKey struct{}

func newFront(c *Cloud) *front {
	f := &front{c: c, pipe: newPipe()}
	f.tls = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: f.certificate,
	}
	f.server = newServer(c.log, http.HandlerFunc(f.dispatch))
	f.server.TLSConfig = f.tls
	f.server.BaseContext = func(l net.Listener) context.Context {
		d, _ := l.(*doorListener)
		return context.WithValue(context.Background(), doorKey{}, d.door)
	}
	f.internal = newServer(c.log, http.HandlerFunc(f.dispatch))
	f.internal.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		from, _ := conn.(*pipeConn)
		return context.WithValue(ctx, doorKey{}, door{internal: true, trusted: from.as})
	}
	f.servers = []*http.Server{f.server, f.internal}
	go func() {
		if err := f.internal.Serve(f.pipe); err != nil && !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("serving calls from within", "error", err)
		}
	}()
	return f
}

func newServer(log *slog.Logger, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// certificate certifies the host names that the cloud serves at this moment.
func (f *front) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if _, ok := f.c.snapshot().docs.hosts()[host]; !ok {
		return nil, fmt.Errorf("%q is not served here", host)
	}
	return f.c.ca.Certificate(host)
}

// doorListener is a TLS listener that knows which door it is.
type doorListener struct {
	net.Listener
	door door
}

// Serve answers calls that arrive at l: at the address of a private endpoint, or
// ("") at a public address of the cloud. It returns when l is closed, or with
// nil when the cloud is.
func (c *Cloud) Serve(l net.Listener, endpoint arm.ID) error {
	err := c.front.server.Serve(&doorListener{Listener: tls.NewListener(l, c.front.tls), door: door{endpoint: endpoint}})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (f *front) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// dispatch finds the service that a call is for, and says to it how it came.
func (f *front) dispatch(w http.ResponseWriter, r *http.Request) {
	d, _ := r.Context().Value(doorKey{}).(door)
	host := hostOf(r.Host)
	if r.TLS != nil && !strings.EqualFold(r.TLS.ServerName, host) {
		misdirected(w, "the connection was made for another host name")
		return
	}
	s := f.c.snapshot()
	found, ok := s.docs.hosts()[host]
	if !ok {
		misdirected(w, "the host name is not served here")
		return
	}
	if d.endpoint != "" && !behind(s, d.endpoint, found) {
		misdirected(w, "the private endpoint does not lead to this host name")
		return
	}
	call := Call{Endpoint: found.endpoint, Resource: found.resource, Source: f.source(s, d, found, r)}
	call.Admission = admission(s, found, call.Source)
	h := f.c.types.services[found.endpoint.Service]
	if h == nil {
		f.unserved(w, host, call)
		return
	}
	h.ServeHTTP(w, r.WithContext(WithCall(r.Context(), call)))
}

// unserved answers for a host whose documents are kept, and not run: its firewall
// is as closed as if they were.
func (f *front) unserved(w http.ResponseWriter, host string, call Call) {
	if call.Admission.Value != verdict.Yes {
		WriteError(w, Errorf(http.StatusForbidden, "Forbidden", "The resource behind %s does not let this caller in: %s.", host, call.Admission.Decisive().Reason))
		return
	}
	WriteError(w, Errorf(http.StatusNotFound, "ServiceNotAvailable", "No service answers at %s: its documents are kept, and not run.", host))
}

// hostOf is a Host header's name, without a port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func misdirected(w http.ResponseWriter, why string) {
	WriteError(w, Errorf(http.StatusMisdirectedRequest, "MisdirectedRequest", "The request cannot be answered here: %s.", why))
}

// behind reports whether a private endpoint leads to a host: its connection is
// approved, and its target's sub-resource covers the host.
func behind(s *snapshot, endpoint arm.ID, found served) bool {
	nic, ok := s.docs.topology().NIC(endpoint)
	if !ok || !nic.Approved {
		return false
	}
	if nic.Target.Equal(found.endpoint.Owner) && strings.EqualFold(nic.Group, found.endpoint.Group) {
		return true
	}
	scope, ok := s.docs.estate().Get(nic.Target)
	return ok && scope.IsType(service.TypeMonitorScope) && slices.ContainsFunc(service.Covered(s.docs.estate(), scope), func(ep service.Endpoint) bool {
		return strings.EqualFold(ep.Host, found.endpoint.Host)
	})
}

// source is who calls, as the service sees it.
func (f *front) source(s *snapshot, d door, found served, r *http.Request) network.Source {
	from := network.Source{Endpoint: d.endpoint, Trusted: d.trusted}
	if d.internal {
		return from
	}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		from.Addr = addr.Addr().Unmap()
	}
	if d.endpoint == "" {
		from.Subnet = serviceSubnet(s.docs.topology(), from.Addr, service.PublicAddr(found.endpoint))
	}
	return from
}

// serviceSubnet is the subnet whose service endpoint has carried a call to a
// public address, or "". Such a call arrives with the caller's private address.
func serviceSubnet(t *network.Topology, from, to netip.Addr) arm.ID {
	nic, ok := t.NICByAddr(from)
	if !ok {
		return ""
	}
	var best network.Route
	for _, route := range t.EffectiveRoutes(nic.Subnet) {
		if route.Prefix.Contains(to) && (!best.Prefix.IsValid() || route.Prefix.Bits() > best.Prefix.Bits()) {
			best = route
		}
	}
	if best.NextHop != network.HopService {
		return ""
	}
	return nic.Subnet
}

// admission asks the service's own firewall; a platform host has none.
func admission(s *snapshot, found served, from network.Source) verdict.Verdict {
	if found.endpoint.Resource == "" {
		return verdict.Verdict{Value: verdict.Yes, Steps: []verdict.Step{{
			At: "host " + found.endpoint.Host, Value: verdict.Yes, Reason: "a service that every subscription shares admits every address",
		}}}
	}
	return network.Admit(s.Estate(), found.resource, from)
}
