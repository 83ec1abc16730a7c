package cloud

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
)

// ServeLoopback answers ARM, the token service and the cloud's description at
// one address, for clients on the host. It returns when l is closed, or with nil
// when the cloud is.
func (c *Cloud) ServeLoopback(l net.Listener) error {
	names := []string{"localhost", "127.0.0.1", "::1"}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	names = append(names, host)
	for _, n := range names {
		c.audiences.serve("https://" + net.JoinHostPort(n, port))
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := strings.ToLower(hello.ServerName)
			if name == "" { // an address is not sent as a name
				name, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
			} else if name != "localhost" {
				return nil, errors.New("only localhost and its addresses are served here")
			}
			return c.ca.Certificate(name)
		},
	}
	err = c.front.loopback(c.loopbackHandler(), config).Serve(tls.NewListener(l, config))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (c *Cloud) loopbackHandler() http.Handler {
	arm, login, graph := c.ARM(), c.Login(), c.Graph()
	return c.work.measured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isLogin(r.URL.Path) {
			login.ServeHTTP(w, r)
			return
		}
		if isGraph(r.URL.Path) {
			graph.ServeHTTP(w, r)
			return
		}
		arm.ServeHTTP(w, r)
	}))
}

// loopback makes a server that is closed with the front.
func (f *front) loopback(h http.Handler, config *tls.Config) *http.Server {
	s := newServer(f.c.log, h)
	s.TLSConfig = config
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = append(f.servers, s)
	return s
}
