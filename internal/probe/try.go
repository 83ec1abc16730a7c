package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/service"
)

// Try is one thing to do.
type Try struct {
	Host     string     `json:"host"`
	Service  string     `json:"service"`
	Called   bool       `json:"called"` // Call is to be made
	Call     check.Call `json:"call"`
	Identity bool       `json:"identity"` // the place has a managed identity
}

// Seen is how far a try got.
type Seen struct {
	Host   string        `json:"host"`
	Code   string        `json:"code"`            // of the DNS answer
	Addrs  []netip.Addr  `json:"addresses"`       // that the name resolved to
	Met    check.Meeting `json:"met"`             // as the proof names it; "" where it got somewhere that no proof predicts
	Detail string        `json:"detail"`          // what happened there
	Took   time.Duration `json:"took"`            // nanoseconds
	TLS    string        `json:"tls,omitempty"`   // version
	Status int           `json:"status,omitzero"` // of the last HTTP answer
}

// Prober tries from the network namespace that its process is in.
type Prober struct {
	Resolver netip.AddrPort // DNS server that is asked
	Roots    *x509.CertPool // that certificates must lead to
	Patience time.Duration  // for a connection; what an NSG drops is never answered
}

// parallel bounds how many tries run at once.
const parallel = 16

// All does every try and returns what each met, in the same order.
func (p Prober) All(ctx context.Context, tries []Try) []Seen {
	out := make([]Seen, len(tries))
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, t := range tries {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			start := time.Now()
			out[i] = p.one(ctx, t)
			out[i].Host, out[i].Took = t.Host, time.Since(start)
		})
	}
	wg.Wait()
	return out
}

func (p Prober) one(ctx context.Context, t Try) Seen {
	seen := p.resolve(ctx, t.Host)
	if len(seen.Addrs) == 0 {
		seen.Met, seen.Detail = check.MeetNoName, seen.Code
		return seen
	}
	conn, err := p.dial(ctx, seen.Addrs[0])
	if err != nil {
		seen.Met, seen.Detail = check.MeetUnreachable, reason(err)
		return seen
	}
	conn.Close()

	c := newCaller(p, t.Host, seen.Addrs[0])
	defer c.close()
	return c.call(ctx, t, seen)
}

// resolve asks for A records as the place's own resolver gives them.
func (p Prober) resolve(ctx context.Context, host string) Seen {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA)
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	answer, _, err := new(dns.Client).ExchangeContext(ctx, q, p.Resolver.String())
	if err != nil {
		return Seen{Code: "no answer from " + p.Resolver.String() + ": " + reason(err)}
	}
	seen := Seen{Code: dns.RcodeToString[answer.Rcode]}
	for _, rr := range answer.Answer {
		if a, ok := rr.(*dns.A); ok {
			if addr, ok := netip.AddrFromSlice(a.A.To4()); ok {
				seen.Addrs = append(seen.Addrs, addr)
			}
		}
	}
	return seen
}

func (p Prober) dial(ctx context.Context, addr netip.Addr) (net.Conn, error) {
	d := net.Dialer{Timeout: p.Patience}
	return d.DialContext(ctx, "tcp", netip.AddrPortFrom(addr, 443).String())
}

// reason is an error's innermost text: "connection refused", "i/o timeout".
func reason(err error) string {
	var t net.Error
	if errors.As(err, &t) && t.Timeout() {
		return "no answer"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// caller makes HTTP calls to one host at one address.
type caller struct {
	client *http.Client
	host   string
}

func newCaller(p Prober, host string, addr netip.Addr) caller {
	return caller{host: host, client: &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx, addr) },
			TLSClientConfig: &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c caller) close() { c.client.CloseIdleConnections() }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// answer is what came of a request, read to its end.
type answer struct {
	status int
	text   string // of the status, as "403 Forbidden"
	tls    string // version
	body   []byte
}

func (c caller) do(req *http.Request) (answer, error) {
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return answer{status: resp.StatusCode, text: resp.Status, tls: tls.VersionName(resp.TLS.Version), body: body}, err
}

// call makes the defined call, first without a token, then with one.
func (c caller) call(ctx context.Context, t Try, seen Seen) Seen {
	call := t.Call
	if !t.Called {
		call = check.Call{Method: http.MethodGet, Path: "/"}
	}
	got, err := c.send(ctx, call, "")
	if closed(err) {
		seen.Met, seen.Detail = check.MeetUnreachable, "the connection was closed before an answer: a firewall's application rules do so"
		return seen
	}
	if err != nil {
		seen.Detail = "TLS or HTTP failed: " + reason(err)
		return seen
	}
	seen.TLS, seen.Status, seen.Detail = got.tls, got.status, got.text
	switch {
	case got.status == http.StatusForbidden:
		seen.Met, seen.Detail = check.MeetRefused, got.text+" before any identity was given"
	case got.status >= 500 || got.status == http.StatusMisdirectedRequest:
	case !t.Called:
		seen.Met = check.MeetAdmitted
	case call.Auth == check.AuthNone:
		seen.Met = check.MeetAllowed
	case !t.Identity || call.Auth == check.AuthOther:
		seen.Met, seen.Detail = check.MeetForbidden, got.text+" without an identity"
	default:
		return c.callAs(ctx, t, call, seen)
	}
	return seen
}

// closed reports a connection that ended without a word. Services answer what they
// refuse.
func closed(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// callAs makes the call with the place's managed identity.
func (c caller) callAs(ctx context.Context, t Try, call check.Call, seen Seen) Seen {
	token, err := c.token(ctx, t, call)
	if err != nil {
		seen.Met, seen.Detail = check.MeetForbidden, err.Error()
		return seen
	}
	got, err := c.send(ctx, call, token)
	if err != nil {
		seen.Detail = "HTTP failed: " + reason(err)
		return seen
	}
	seen.Status, seen.Detail = got.status, got.text
	switch {
	case got.status < 300:
		seen.Met = check.MeetAllowed
	case got.status == http.StatusForbidden || got.status == http.StatusUnauthorized:
		seen.Met = check.MeetForbidden
	}
	return seen
}

func (c caller) send(ctx context.Context, call check.Call, token string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, call.Method, "https://"+c.host+call.Path, nil)
	if err != nil {
		return answer{}, err
	}
	for name, value := range call.Header {
		req.Header.Set(name, value)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.do(req)
}

// metadata is where a machine gets its managed identity's tokens.
var metadata = "http://" + service.Metadata.String() + "/metadata/identity/oauth2/token"

// token is what the service takes: an Entra token, or for a registry one of the
// registry's own that the Entra token was exchanged for.
func (c caller) token(ctx context.Context, t Try, call check.Call) (string, error) {
	entra, err := identityToken(ctx, call.Audience)
	if err != nil || t.Service != "registry" {
		return entra, err
	}
	token, err := c.exchange(ctx, entra)
	if err != nil {
		return "", fmt.Errorf("exchanging the token at the registry: %w", err)
	}
	return token, nil
}
