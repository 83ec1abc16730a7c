package resources

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// client makes ARM requests as the principal who deploys. It answers what a
// template asks of the cloud.
type client struct {
	ctx context.Context
	arm http.Handler
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// call makes a request and decodes the answer into out, unless that is nil.
func (c client) call(method, target string, body, out any) (*answer, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(c.ctx, method, "https://"+service.HostARM+target, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", target, err)
	}
	a := &answer{status: http.StatusOK, header: http.Header{}}
	c.arm.ServeHTTP(a, req)
	if a.status >= http.StatusBadRequest {
		var failed struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(a.body.Bytes(), &failed); err != nil || failed.Error.Code == "" {
			return a, fmt.Errorf("%s %s was answered with the status %d", method, target, a.status)
		}
		return a, &cloud.Error{Status: a.status, Code: failed.Error.Code, Message: failed.Error.Message}
	}
	if out == nil || a.body.Len() == 0 {
		return a, nil
	}
	return a, json.Unmarshal(a.body.Bytes(), out)
}

// deleteAll deletes resources, and tries again what another still used when that is
// gone. What is left could not be deleted, each with the error why.
func (c client) deleteAll(ids []arm.ID) (left []arm.ID, errs []error) {
	left = ids
	for len(left) > 0 {
		var refused []arm.ID
		errs = nil
		for _, id := range left {
			got, err := c.call(http.MethodDelete, address(id, anyVersion), nil, nil)
			if err == nil {
				err = c.wait(got)
			}
			if err != nil {
				refused, errs = append(refused, id), append(errs, err)
			}
		}
		if len(refused) == len(left) {
			return left, errs
		}
		left = refused
	}
	return nil, nil
}

func address(id arm.ID, apiVersion string) string {
	escaped := url.URL{Path: string(id)}
	return escaped.EscapedPath() + "?api-version=" + url.QueryEscape(apiVersion)
}

// wait waits until a change that was accepted has been made.
func (c client) wait(a *answer) error {
	at := a.header.Get("Azure-AsyncOperation")
	if at == "" {
		return nil
	}
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	for {
		var state struct {
			Status string
			Error  struct{ Code, Message string }
		}
		if _, err := c.call(http.MethodGet, u.RequestURI(), nil, &state); err != nil {
			return err
		}
		switch state.Status {
		case succeeded:
			return nil
		case failed, canceled:
			return &cloud.Error{Status: http.StatusConflict, Code: state.Error.Code, Message: state.Error.Message}
		}
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-time.After(50 * time.Millisecond): // the answer itself waits, too
		}
	}
}

// Reference implements template.Cloud.
func (c client) Reference(id arm.ID, apiVersion string) (arm.Object, bool, error) {
	var doc arm.Object
	_, err := c.call(http.MethodGet, address(id, orAny(apiVersion)), nil, &doc)
	return doc, err == nil, err
}

// List implements template.Cloud.
func (c client) List(id arm.ID, action, apiVersion string, body any) (any, bool, error) {
	var out any
	_, err := c.call(http.MethodPost, address(id+arm.ID("/"+action), orAny(apiVersion)), body, &out)
	return out, err == nil, err
}

// anyVersion is sent where a template names none: the cloud takes every version.
const anyVersion = "2025-01-01"

func orAny(apiVersion string) string {
	if apiVersion == "" {
		return anyVersion
	}
	return apiVersion
}
