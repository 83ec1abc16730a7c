package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

// Link is how a node reaches the cloud.
type Link struct {
	client   *http.Client
	metadata *http.Client
	imds     string

	mu     sync.Mutex
	tokens map[string]token
}

type token struct {
	text    string
	expires time.Time
}

// LinkConfig says where the node's DNS and metadata are and whom it trusts.
type LinkConfig struct {
	Resolver netip.AddrPort // 168.63.129.16:53
	Metadata string         // http://169.254.169.254
	Roots    string         // PEM file of the certificates to trust
	// Dial connects to a host by its name; nil resolves it with Resolver.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// NewLink prepares the link; it calls nobody yet.
func NewLink(c LinkConfig) (*Link, error) {
	pem, err := os.ReadFile(c.Roots)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.Roots)
	}
	dial := c.Dial
	if dial == nil {
		dial = dialer(c.Resolver)
	}
	return &Link{
		client: &http.Client{Transport: &http.Transport{
			Proxy: nil, DialContext: dial, ForceAttemptHTTP2: true,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 8,
		}},
		metadata: &http.Client{Transport: &http.Transport{Proxy: nil}, Timeout: 10 * time.Second},
		imds:     c.Metadata,
		tokens:   map[string]token{},
	}, nil
}

// Client makes calls from the node's address.
func (l *Link) Client() *http.Client { return l.client }

// dialer resolves names with the node's resolver only: the machine that the
// process runs on has another, which knows nothing of private endpoints.
func dialer(resolver netip.AddrPort) func(ctx context.Context, network, addr string) (net.Conn, error) {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, resolver.String())
	}}
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if _, err := netip.ParseAddr(host); err == nil {
			return d.DialContext(ctx, network, addr)
		}
		addrs, err := r.LookupNetIP(ctx, "ip4", host+".") // the dot keeps search domains out
		if err != nil {
			return nil, fmt.Errorf("resolving %s: %w", host, err)
		}
		var errs []error
		for _, a := range addrs {
			conn, err := d.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
}

// early is how long before its end a token is not used any more.
const early = 5 * time.Minute

// Token is the node's access token for a resource, from the metadata service.
func (l *Link) Token(ctx context.Context, resource string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.tokens[resource]; ok && time.Until(t.expires) > early {
		return t.text, nil
	}
	t, err := l.fetchToken(ctx, resource)
	if err != nil {
		return "", fmt.Errorf("getting a token for %s from the metadata service: %w", resource, err)
	}
	l.tokens[resource] = t
	return t.text, nil
}

func (l *Link) fetchToken(ctx context.Context, resource string) (token, error) {
	q := url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.imds+"/metadata/identity/oauth2/token?"+q.Encode(), nil)
	if err != nil {
		return token{}, err
	}
	req.Header.Set("Metadata", "true")
	resp, err := l.metadata.Do(req)
	if err != nil {
		return token{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return token{}, err
	}
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresOn   json.Number `json:"expires_on"`
		Error       string      `json:"error"`
		Description string      `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK {
		return token{}, fmt.Errorf("%s: %s %s", resp.Status, answer.Error, answer.Description)
	}
	seconds, err := strconv.ParseInt(answer.ExpiresOn.String(), 10, 64)
	if err != nil || answer.AccessToken == "" {
		return token{}, errors.New("the answer has no token")
	}
	return token{answer.AccessToken, time.Unix(seconds, 0)}, nil
}
