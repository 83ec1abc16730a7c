package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Error is an error that ARM or the token service answered.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message) }

// NotFound reports whether err says that something does not exist.
func NotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// Config says where the cloud is and who calls.
type Config struct {
	Endpoint     string // of ARM and the token service: https://127.0.0.1:8443
	Tenant       string
	ClientID     string
	ClientSecret string
	HTTP         *http.Client // trusts the cloud's certificate authority
	APIVersion   string       // 2025-01-01 where ""
}

// Client calls ARM. Its methods may be called from several goroutines.
type Client struct {
	config Config

	mu      sync.Mutex
	token   string
	expires time.Time
}

// New makes a client. It calls nothing yet.
func New(c Config) *Client {
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.APIVersion == "" {
		c.APIVersion = "2025-01-01"
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	return &Client{config: c}
}

const maxAnswer = 64 << 20

// Token is an access token for ARM.
func (c *Client) Token(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && time.Until(c.expires) > time.Minute {
		return c.token, nil
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.config.ClientID}, "client_secret": {c.config.ClientSecret},
		"scope": {"https://management.azure.com/.default"},
	}
	address := c.config.Endpoint + "/" + url.PathEscape(c.config.Tenant) + "/oauth2/v2.0/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := c.send(req)
	if err != nil {
		return "", fmt.Errorf("asking for a token: %w", err)
	}
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
		Error   string `json:"error"`
		Text    string `json:"error_description"`
	}
	if err := json.Unmarshal(got.body, &answer); err != nil || got.status != http.StatusOK {
		return "", fmt.Errorf("asking for a token: %w", &Error{got.status, answer.Error, answer.Text})
	}
	c.token, c.expires = answer.Token, time.Now().Add(time.Duration(answer.Seconds)*time.Second)
	return c.token, nil
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (c *Client) send(req *http.Request) (answer, error) {
	resp, err := c.config.HTTP.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	return answer{resp.StatusCode, resp.Header, body}, err
}

// call makes a request to ARM. address is a path, or the absolute address that an
// earlier answer gave.
func (c *Client) call(ctx context.Context, method, address string, in any) (answer, error) {
	full, err := c.address(address)
	if err != nil {
		return answer{}, err
	}
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, full, body)
	if err != nil {
		return answer{}, err
	}
	token, err := c.Token(ctx)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	got, err := c.send(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, req.URL.Path, err)
	}
	if got.status >= http.StatusBadRequest {
		return answer{}, fmt.Errorf("%s %s: %w", method, req.URL.Path, errorOf(got.status, got.body))
	}
	return got, nil
}

// address completes a path. An absolute address is followed only to the cloud
// itself, since a token goes with it.
func (c *Client) address(address string) (string, error) {
	if strings.HasPrefix(address, "/") {
		address = c.config.Endpoint + (&url.URL{Path: path(address)}).EscapedPath() + query(address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(address, c.config.Endpoint+"/") {
		return "", fmt.Errorf("the cloud at %s refers to %s, which is not its own", c.config.Endpoint, u.Host)
	}
	q := u.Query()
	if q.Get("api-version") == "" {
		q.Set("api-version", c.config.APIVersion)
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

func path(address string) string { p, _, _ := strings.Cut(address, "?"); return p }

func query(address string) string {
	if _, q, ok := strings.Cut(address, "?"); ok {
		return "?" + q
	}
	return ""
}

func errorOf(status int, data []byte) error {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.Error.Code == "" {
		return &Error{status, http.StatusText(status), strings.TrimSpace(string(data[:min(len(data), 500)]))}
	}
	return &Error{status, answer.Error.Code, answer.Error.Message}
}
