package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/probe"
)

// Client talks to a running daemon over its socket.
type Client struct {
	State State
	http  *http.Client
	dir   string
}

// ErrNotRunning says that no cloud runs in a folder.
var ErrNotRunning = errors.New("no cloud is running")

// Dial finds the daemon that runs the cloud in dir.
func Dial(dir string) (*Client, error) {
	data, err := os.ReadFile(stateFile(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the cloud belongs to root: run this with sudo (%w)", err)
	case err != nil:
		return nil, err
	}
	c := &Client{dir: dir, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socketFile(dir))
		},
	}}}
	if err := json.Unmarshal(data, &c.State); err != nil {
		return nil, fmt.Errorf("reading %s: %w", stateFile(dir), err)
	}
	conn, err := net.Dial("unix", socketFile(dir))
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the cloud is another user's: %w", err)
	}
	if err != nil {
		return nil, ErrNotRunning // it was killed
	}
	defer conn.Close()
	c.State.PID, err = peer(conn) // the daemon may know itself by another number
	return c, err
}

// Dir is the cloud's folder.
func (c *Client) Dir() string { return c.dir }

// DevOps is an HTTP client and the base URL of the DevOps organisation's host.
func (c *Client) DevOps() (*http.Client, string) { return c.http, "http://cloister/devops" }

// do makes a call and decodes the answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://cloister"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the cloud's daemon: %w", err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, refusal(resp)
	}
	return resp, nil
}

// Status asks how the cloud is.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.do(ctx, http.MethodGet, "/status", nil, &s)
}

// Estate asks for the documents as the cloud keeps them.
func (c *Client) Estate(ctx context.Context) (*arm.Estate, error) {
	resp, err := c.send(ctx, http.MethodGet, "/estate", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return arm.ReadEstate(resp.Body)
}

// Work is what the control plane has done for clients on the host.
func (c *Client) Work(ctx context.Context) (w cloud.Work, err error) {
	return w, c.do(ctx, http.MethodGet, "/work", nil, &w)
}

// SetProject makes the DevOps project and imports its repository.
func (c *Client) SetProject(ctx context.Context, p Project) (t Tokens, err error) {
	return t, c.do(ctx, http.MethodPost, "/project", p, &t)
}

// Variables asks for the values of Terraform variables that the cloud has given out:
// the token with which agents join the pool.
func (c *Client) Variables(ctx context.Context) (vars map[string]string, err error) {
	return vars, c.do(ctx, http.MethodGet, "/variables", nil, &vars)
}

// Probe tries every place by every service, and hands over each place's cells as
// they come.
func (c *Client) Probe(ctx context.Context, each func([]probe.Comparison)) error {
	return follow(ctx, c, http.MethodPost, "/probe", "the probe's results", func(cells []probe.Comparison) error {
		each(cells)
		return nil
	})
}

// Down asks the daemon to take everything down, and returns when it has agreed.
func (c *Client) Down(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/down", nil, nil)
}
