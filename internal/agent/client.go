package agent

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const (
	maxAnswer      = 32 << 20
	requestTimeout = 30 * time.Second
	pollTimeout    = 90 * time.Second
	apiVersion     = "7.1"
)

// client calls an organisation. token gives what stands after Authorization.
type client struct {
	base  string // of the organisation, without a slash at the end
	http  *http.Client
	token func(ctx context.Context) (string, error)
}

func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 4
	transport.ResponseHeaderTimeout = pollTimeout
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a redirect would take the token elsewhere
	}}
}

// serverError is an answer that says no.
type serverError struct {
	Status  int
	Type    string
	Message string
}

func (e *serverError) Error() string {
	return fmt.Sprintf("the organisation answered %d: %s", e.Status, e.Message)
}

// isStatus says that err is an answer of one of the statuses.
func isStatus(err error, statuses ...int) bool {
	var e *serverError
	if !errors.As(err, &e) {
		return false
	}
	for _, s := range statuses {
		if e.Status == s {
			return true
		}
	}
	return false
}

// isFinal says that asking again will not help: the organisation refused, or a file
// of this machine is at fault.
func isFinal(err error) bool {
	var file *fs.PathError
	if errors.As(err, &file) {
		return true
	}
	var e *serverError
	return errors.As(err, &e) && e.Status >= 400 && e.Status < 500 &&
		e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooManyRequests
}

// call sends in as JSON, or as it is when it is a string, and reads JSON into out
// when there is some; found is false for no content.
func (c *client) call(ctx context.Context, timeout time.Duration, method, path string, in, out any) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := c.request(ctx, method, path, in)
	if err != nil {
		return false, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return false, err
	}
	if resp.StatusCode >= 300 {
		var p wire.Problem
		_ = json.Unmarshal(text, &p) // without it the status has to do
		if p.Message == "" {
			p.Message = http.StatusText(resp.StatusCode)
		}
		return false, &serverError{resp.StatusCode, p.TypeKey, p.Message}
	}
	if resp.StatusCode == http.StatusNoContent || out == nil {
		return false, nil
	}
	return true, json.Unmarshal(text, out)
}

func (c *client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	contentType := "application/json"
	switch in := in.(type) {
	case nil:
	case string:
		body, contentType = strings.NewReader(in), "application/octet-stream"
	default:
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+separator+"api-version="+apiVersion, body)
	if err != nil {
		return nil, err
	}
	authorization, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "cloister-agent/"+Version())
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	return req, nil
}

// retry calls again, with growing pauses, until it works, the answer is final or
// ctx ends.
func retry(ctx context.Context, do func() error) error {
	pause := 200 * time.Millisecond
	for {
		err := do()
		if err == nil || isFinal(err) {
			return err
		}
		if !sleep(ctx, pause) {
			return err
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// assertion is a client whose tokens come from the agent's key.
type assertion struct {
	credentials
	key  *rsa.PrivateKey
	http *http.Client

	mu      sync.Mutex
	token   string
	expires time.Time
}

func (a *assertion) authorization(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && time.Until(a.expires) > time.Minute {
		return "Bearer " + a.token, nil
	}
	t, err := a.fetch(ctx)
	if err != nil {
		return "", err
	}
	a.token, a.expires = t.AccessToken, time.Now().Add(time.Duration(t.ExpiresIn)*time.Second)
	return "Bearer " + a.token, nil
}

func (a *assertion) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token = ""
}

func (a *assertion) fetch(ctx context.Context) (wire.Token, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: a.key}, nil)
	if err != nil {
		return wire.Token{}, err
	}
	now := time.Now()
	signed, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: a.ClientID, Subject: a.ClientID, Audience: jwt.Audience{a.AuthorizationURL}, ID: uuid.NewString(),
		NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Serialize()
	if err != nil {
		return wire.Token{}, err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {signed},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.AuthorizationURL, strings.NewReader(form.Encode()))
	if err != nil {
		return wire.Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := a.http.Do(req)
	if err != nil {
		return wire.Token{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return wire.Token{}, err
	}
	if resp.StatusCode != http.StatusOK {
		var p wire.Problem
		_ = json.Unmarshal(text, &p)
		return wire.Token{}, &serverError{resp.StatusCode, p.TypeKey, p.Message}
	}
	var t wire.Token
	return t, json.Unmarshal(text, &t)
}
