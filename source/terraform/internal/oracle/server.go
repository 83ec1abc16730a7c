package oracle

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Server is an endpoint that runs: a proxy on the loopback that takes every
// connection to itself, whatever host it is meant for. A client needs the proxy's
// address and the authority's certificate, and then meets Azure's own names.
type Server struct {
	Endpoint *Endpoint

	ca      *authority
	proxy   *http.Server
	tls     *http.Server
	address string
}

// Start runs an endpoint until Close.
func Start(e *Endpoint) (*Server, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening: %w", err), front.Close())
	}
	s := &Server{Endpoint: e, ca: ca, address: front.Addr().String()}
	s.tls = &http.Server{
		Handler: e, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: ca.leaf},
	}
	s.proxy = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: tunnel(back.Addr().String())}
	go func() { _ = s.tls.ServeTLS(back, "", "") }() // ends at Close
	go func() { _ = s.proxy.Serve(front) }()
	return s, nil
}

// Proxy is the proxy's URL.
func (s *Server) Proxy() string { return "http://" + s.address }

// Authority is the certificate to trust, as PEM.
func (s *Server) Authority() []byte { return s.ca.pem }

// Close ends the server and its connections.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.proxy.Shutdown(ctx); err != nil {
		return fmt.Errorf("ending the proxy: %w", err)
	}
	if err := s.tls.Close(); err != nil {
		return fmt.Errorf("ending the endpoint: %w", err)
	}
	return nil
}

// tunnel answers CONNECT with a connection to one address.
func tunnel(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT is answered here", http.StatusMethodNotAllowed)
			return
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		done := make(chan struct{}, 2)
		for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
			go func() {
				_, _ = io.Copy(pair[0], pair[1])
				done <- struct{}{}
			}()
		}
		<-done
	})
}
