package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// Get reads a document.
func (c *Client) Get(ctx context.Context, id arm.ID) (arm.Resource, error) {
	var r arm.Resource
	return r, c.Do(ctx, http.MethodGet, string(id), nil, &r)
}

// Put writes a document and waits until it is real.
func (c *Client) Put(ctx context.Context, r arm.Resource) (arm.Resource, error) {
	p, err := c.BeginPut(ctx, r)
	if err != nil {
		return arm.Resource{}, err
	}
	if err := p.Wait(ctx); err != nil {
		return arm.Resource{}, err
	}
	return c.Get(ctx, r.ID)
}

// BeginPut writes a document. It is accepted when BeginPut returns, and real when
// the pending operation has ended.
func (c *Client) BeginPut(ctx context.Context, r arm.Resource) (*Pending, error) {
	if path, u, ok := unknown(r.Properties, "properties"); ok {
		return nil, fmt.Errorf("%s cannot be written: %s is %s", r.ID, path, u)
	}
	got, err := c.call(ctx, http.MethodPut, string(r.ID), r)
	if err != nil {
		return nil, err
	}
	return &Pending{c: c, id: r.ID, next: got.header.Get("Azure-AsyncOperation")}, nil
}

// unknown finds a value that is not known before deployment.
func unknown(v any, path string) (string, arm.Unknown, bool) {
	switch node := v.(type) {
	case arm.Unknown:
		return path, node, true
	case map[string]any:
		for k, e := range node {
			if p, u, ok := unknown(e, path+"."+k); ok {
				return p, u, true
			}
		}
	case []any:
		for i, e := range node {
			if p, u, ok := unknown(e, path+"."+strconv.Itoa(i)); ok {
				return p, u, true
			}
		}
	}
	return "", arm.Unknown{}, false
}

// Delete takes a document away and waits until it is gone. One that is not there
// is no error.
func (c *Client) Delete(ctx context.Context, id arm.ID) error {
	p, err := c.BeginDelete(ctx, id)
	if err != nil {
		return err
	}
	return p.Wait(ctx)
}

// BeginDelete takes a document away; it is gone when the pending operation has
// ended.
func (c *Client) BeginDelete(ctx context.Context, id arm.ID) (*Pending, error) {
	got, err := c.call(ctx, http.MethodDelete, string(id), nil)
	if err != nil && !NotFound(err) {
		return nil, err
	}
	return &Pending{c: c, id: id, next: got.header.Get("Azure-AsyncOperation")}, nil
}

// List reads every page of a list: /subscriptions/{id}/resourceGroups, a type
// below a group, the children of a document.
func (c *Client) List(ctx context.Context, path string) ([]arm.Resource, error) {
	var out []arm.Resource
	for path != "" {
		var page struct {
			Value    []arm.Resource `json:"value"`
			NextLink string         `json:"nextLink"`
		}
		if err := c.Do(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		out = append(out, page.Value...)
		path = page.NextLink
	}
	return out, nil
}

// Post calls an action of a document: Post(ctx, id, "listKeys", nil, &keys).
func (c *Client) Post(ctx context.Context, id arm.ID, action string, in, out any) error {
	return c.Do(ctx, http.MethodPost, string(id)+"/"+action, in, out)
}

// Do makes any request to ARM; in and out are written and read as JSON where they
// are not nil.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	got, err := c.call(ctx, method, path, in)
	if err != nil || out == nil || len(got.body) == 0 {
		return err
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

// Pending is a change that was accepted and takes time.
type Pending struct {
	c    *Client
	id   arm.ID
	next string // "" where there is nothing to wait for
}

// Wait returns when the change is real, or with the error that it ended in.
func (p *Pending) Wait(ctx context.Context) error {
	for p.next != "" {
		got, err := p.c.call(ctx, http.MethodGet, p.next, nil)
		if err != nil {
			return err
		}
		var operation struct {
			Status string `json:"status"`
			Error  struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(got.body, &operation); err != nil {
			return fmt.Errorf("waiting for %s: %w", p.id, err)
		}
		switch operation.Status {
		case "Succeeded":
			p.next = ""
			return nil
		case "Failed", "Canceled":
			return fmt.Errorf("%s: %w", p.id, &Error{http.StatusConflict, operation.Error.Code, operation.Error.Message})
		}
		if err := pause(ctx, got.header); err != nil {
			return fmt.Errorf("waiting for %s: %w", p.id, err)
		}
	}
	return nil
}

// pause waits as long as the answer asks for.
func pause(ctx context.Context, header http.Header) error {
	wait := 5 * time.Second
	if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil {
		wait = time.Duration(s) * time.Second
	}
	if ms, err := strconv.Atoi(header.Get("x-ms-retry-after-ms")); err == nil {
		wait = time.Duration(ms) * time.Millisecond
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}
