package providertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Front serves a provider's services over TLS at the host names of the host's
// documents.
type Front struct {
	Server *httptest.Server
	CAFile string // the certificate that its own are signed by

	host     *Host
	provider cloud.Provider

	mu      sync.Mutex
	refusal string
	source  network.Source
}

// Serve starts a front, which ends with the test; with it end the services that
// are io.Closers.
func Serve(t testing.TB, h *Host, p cloud.Provider) *Front {
	f := &Front{host: h, provider: p, source: network.Source{Addr: netip.MustParseAddr("203.0.113.9")}}
	f.Server = httptest.NewUnstartedServer(f)
	f.Server.EnableHTTP2 = true
	f.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	ca := newCA(t)
	f.CAFile = ca.file
	f.Server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: ca.certificate}
	f.Server.StartTLS()
	t.Cleanup(func() {
		f.Server.Close()
		for _, s := range p.Services {
			if c, ok := s.(io.Closer); ok {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	return f
}

// Refuse makes the firewall refuse every call with that reason, until it is "".
func (f *Front) Refuse(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusal = reason
}

// From sets where calls come from.
func (f *Front) From(s network.Source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.source = s
}

// ServeHTTP gives a request its Call and hands it to the service of its host.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(r.Host, ":")
	for _, ep := range service.All(f.host.Estate()) {
		if !strings.EqualFold(ep.Host, name) {
			continue
		}
		handler, ok := f.provider.Services[ep.Service]
		if !ok {
			break
		}
		resource, _ := f.host.Get(ep.Resource)
		call := cloud.Call{Endpoint: ep, Resource: resource}
		f.mu.Lock()
		call.Source = f.source
		step := verdict.Step{At: "firewall", Value: verdict.Yes, Reason: "admitted"}
		if f.refusal != "" {
			step.Value, step.Reason = verdict.No, f.refusal
		}
		f.mu.Unlock()
		call.Admission.Add(step)
		handler.ServeHTTP(w, r.WithContext(cloud.WithCall(r.Context(), call)))
		return
	}
	http.Error(w, "no service at "+name, http.StatusMisdirectedRequest)
}

// Client reaches the front at whatever host name it asks for.
func (f *Front) Client() *http.Client {
	pool := x509.NewCertPool()
	if pemData, err := os.ReadFile(f.CAFile); err != nil || !pool.AppendCertsFromPEM(pemData) {
		f.host.t.Fatal("reading the certificate authority: ", err)
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", f.Server.Listener.Addr().String())
		},
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}}
}

// authority makes certificates for the names that clients ask for.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string

	mu   sync.Mutex
	made map[string]*tls.Certificate
}

func newCA(t testing.TB) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "providertest"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, file: file, made: map[string]*tls.Certificate{}}
}

func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.made[hello.ServerName]; ok {
		return c, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.made) + 2)), DNSNames: []string{hello.ServerName},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	a.made[hello.ServerName] = c
	return c, nil
}
