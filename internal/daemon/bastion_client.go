package daemon

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Login asks, with a caller's token for Azure Resource Manager, for what an SSH
// client needs to log in to a machine.
func (c *Client) Login(ctx context.Context, token string, r LoginRequest) (LoginAnswer, error) {
	var out LoginAnswer
	return out, c.doAs(ctx, "/bastion/login", token, r, &out)
}

// doAs makes a call with a caller's token, and decodes the answer into out.
func (c *Client) doAs(ctx context.Context, path, token string, in, out any) error {
	req, err := requestAs(ctx, path, token, in)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("asking the cloud's daemon: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func requestAs(ctx context.Context, path, token string, in any) (*http.Request, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cloister"+path, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

func refusal(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what can be read of the message
	return errors.New(strings.TrimSpace(string(text)))
}

// Connect connects through Azure Bastion to a port of a machine.
func (c *Client) Connect(ctx context.Context, token string, r BastionRequest) (net.Conn, error) {
	req, err := requestAs(ctx, "/bastion/connect", token, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", bastionProtocol)
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socketFile(c.dir))
	if err != nil {
		return nil, fmt.Errorf("asking the cloud's daemon: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := req.Write(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("asking the cloud's daemon: %w", err)
	}
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, req) //nolint:bodyclose // the connection is handed on, or closed
	if err != nil {
		conn.Close()
		return nil, errors.Join(fmt.Errorf("asking the cloud's daemon: %w", err), ctx.Err())
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer conn.Close()
		return nil, refusal(resp)
	}
	return &earlyConn{Conn: conn, early: buffered}, nil
}

// earlyConn is a connection of which some bytes have been read already.
type earlyConn struct {
	net.Conn
	early *bufio.Reader
}

func (c *earlyConn) Read(p []byte) (int, error) { return c.early.Read(p) }

// CloseWrite ends this side and goes on listening to the other.
func (c *earlyConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Tunnel carries a connection to and fro until both sides are done.
func Tunnel(here, there net.Conn) { join(here, here, there) }
