package mlclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

const (
	hostARM    = "https://management.azure.com"
	apiVersion = "2024-10-01"
	typeWS     = "Microsoft.MachineLearningServices/workspaces"
)

// Document is a REST resource as it came.
type Document struct {
	ID         arm.ID         `json:"id"`
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Location   string         `json:"location,omitempty"`
	Tags       map[string]any `json:"tags,omitempty"`
	Identity   any            `json:"identity,omitempty"`
	SKU        any            `json:"sku,omitempty"`
	Kind       string         `json:"kind,omitempty"`
	Properties map[string]any `json:"properties"`
	SystemData any            `json:"systemData,omitempty"`
}

// Text is a property's text; names are separated by dots.
func (d Document) Text(path string) string {
	switch v, _ := arm.Lookup(d.Properties, path); v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case float64, bool:
		return fmt.Sprint(v)
	}
	return ""
}

// ServiceError is a service's refusal.
type ServiceError struct {
	Status        int
	Code, Message string
	Method, URL   string
}

func (e *ServiceError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Status, e.Code)
	}
	return fmt.Sprintf("%s (%d %s)", strings.TrimSuffix(e.Message, "."), e.Status, e.Code)
}

// NotFound reports whether a service said that there is no such thing.
func NotFound(err error) bool {
	var e *ServiceError
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// Client works with one workspace.
type Client struct {
	http       *http.Client
	credential *Credential
	workspace  arm.ID
	poll       time.Duration // between two looks at something that is under way
}

// Workspace is the workspace that the client works with.
func (c *Client) Workspace() arm.ID { return c.workspace }

// Options say which workspace, as far as the user did.
type Options struct {
	Subscription, Group, Workspace string
}

// New finds the workspace that the options mean: all three name one, and without
// them it is the only one that the credential can see.
func New(ctx context.Context, client *http.Client, credential *Credential, o Options) (*Client, error) {
	c := &Client{http: client, credential: credential, poll: 300 * time.Millisecond}
	if o.Subscription != "" && o.Group != "" && o.Workspace != "" {
		c.workspace = arm.ResourceID(o.Subscription, o.Group, typeWS, o.Workspace)
		return c, nil
	}
	found, err := c.workspaces(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("looking for the workspace: %w", err)
	}
	switch len(found) {
	case 1:
		c.workspace = found[0]
		return c, nil
	case 0:
		return nil, fmt.Errorf("%s sees no workspace%s: name one with --subscription, --resource-group and --workspace-name, or ask for a role on it", credential, o)
	}
	var names []string
	for _, id := range found {
		names = append(names, id.ResourceGroup()+"/"+id.Name())
	}
	return nil, fmt.Errorf("there are several workspaces (%s): name one with --resource-group and --workspace-name", strings.Join(names, ", "))
}

func (o Options) String() string {
	s := ""
	for _, part := range []struct{ what, name string }{{"called", o.Workspace}, {"in the resource group", o.Group}, {"in the subscription", o.Subscription}} {
		if part.name != "" {
			s += " " + part.what + " " + part.name
		}
	}
	return s
}

// workspaces lists what the credential sees and the options allow.
func (c *Client) workspaces(ctx context.Context, o Options) ([]arm.ID, error) {
	subscriptions := []string{o.Subscription}
	if o.Subscription == "" {
		var err error
		if subscriptions, err = c.subscriptions(ctx); err != nil {
			return nil, err
		}
	}
	var out []arm.ID
	for _, s := range subscriptions {
		docs, err := c.workspacesIn(ctx, s, o.Group)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			if o.Workspace == "" || strings.EqualFold(o.Workspace, d.Name) {
				out = append(out, d.ID)
			}
		}
	}
	return out, nil
}

// workspacesIn lists the workspaces of a subscription, or of one of its groups.
// Where the credential may not list the subscription, the group is tried that the
// machine itself is in.
func (c *Client) workspacesIn(ctx context.Context, subscription, group string) ([]Document, error) {
	list := func(scope string) ([]Document, error) {
		return c.listAt(ctx, hostARM+scope+"/resources?api-version=2021-04-01&$filter=resourceType%20eq%20%27"+typeWS+"%27")
	}
	scope := "/subscriptions/" + subscription
	if group != "" {
		return list(scope + "/resourceGroups/" + group)
	}
	docs, err := list(scope)
	var refused *ServiceError
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || c.credential.place == nil {
		return docs, err
	}
	s, g, placeErr := c.credential.place(ctx)
	if placeErr != nil || g == "" || !strings.EqualFold(s, subscription) {
		return nil, err
	}
	return list(scope + "/resourceGroups/" + g)
}

func (c *Client) subscriptions(ctx context.Context) ([]string, error) {
	var page struct {
		Value []struct {
			SubscriptionID string `json:"subscriptionId"`
		} `json:"value"`
	}
	if _, err := c.call(ctx, http.MethodGet, hostARM+"/subscriptions?api-version=2022-12-01", resourceARM, nil, &page); err != nil {
		return nil, err
	}
	var out []string
	for _, s := range page.Value {
		out = append(out, s.SubscriptionID)
	}
	return out, nil
}

// address is where to ask for something below an id.
func address(id string) string {
	sep := "?"
	if strings.Contains(id, "?") {
		sep = "&"
	}
	return hostARM + id + sep + "api-version=" + apiVersion
}

// under is a path below the workspace.
func (c *Client) under(parts ...string) string {
	return string(c.workspace) + "/" + strings.Join(parts, "/")
}

func (c *Client) get(ctx context.Context, id string) (Document, error) {
	var d Document
	_, err := c.call(ctx, http.MethodGet, address(id), resourceARM, nil, &d)
	return d, err
}

// list reads every page of a list.
func (c *Client) list(ctx context.Context, id string) ([]Document, error) {
	return c.listAt(ctx, address(id))
}

func (c *Client) listAt(ctx context.Context, first string) ([]Document, error) {
	var out []Document
	for next := first; next != ""; {
		var page struct {
			Value    []Document `json:"value"`
			NextLink string     `json:"nextLink"`
		}
		if _, err := c.call(ctx, http.MethodGet, next, resourceARM, nil, &page); err != nil {
			return nil, err
		}
		out = append(out, page.Value...)
		if page.NextLink != "" && !strings.HasPrefix(page.NextLink, hostARM+"/") {
			return nil, fmt.Errorf("the list goes on at %q, which is not %s", page.NextLink, hostARM)
		}
		next = page.NextLink
	}
	return out, nil
}

// put creates or updates and waits until it is done.
func (c *Client) put(ctx context.Context, id string, body any) (Document, error) {
	var d Document
	header, err := c.call(ctx, http.MethodPut, address(id), resourceARM, body, &d)
	if err != nil {
		return d, err
	}
	if err := c.await(ctx, header); err != nil {
		return d, err
	}
	if header.Get("Azure-AsyncOperation") != "" || header.Get("Location") != "" {
		return c.get(ctx, id)
	}
	return d, nil
}

// post runs an action.
func (c *Client) post(ctx context.Context, id string, body, out any) error {
	if body == nil {
		body = struct{}{}
	}
	_, err := c.call(ctx, http.MethodPost, address(id), resourceARM, body, out)
	return err
}

// remove deletes and waits until it is done.
func (c *Client) remove(ctx context.Context, id string) error {
	header, err := c.call(ctx, http.MethodDelete, address(id), resourceARM, nil, nil)
	if err != nil {
		return err
	}
	return c.await(ctx, header)
}

// await follows an asynchronous operation to its end.
func (c *Client) await(ctx context.Context, header http.Header) error {
	at := header.Get("Azure-AsyncOperation")
	if at == "" {
		return nil
	}
	if !strings.HasPrefix(at, hostARM+"/") {
		return fmt.Errorf("the operation is to be followed at %q, which is not %s", at, hostARM)
	}
	for {
		var op struct {
			Status string `json:"status"`
			Error  struct{ Code, Message string }
		}
		if _, err := c.call(ctx, http.MethodGet, at, resourceARM, nil, &op); err != nil {
			return err
		}
		switch op.Status {
		case "Succeeded":
			return nil
		case "Failed", "Canceled":
			if op.Error.Message == "" {
				op.Error.Message = "the operation is " + op.Status
			}
			return &ServiceError{Status: http.StatusConflict, Code: op.Error.Code, Message: op.Error.Message}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.poll):
		}
	}
}

const maxAnswer = 64 << 20

// call makes one request; out may be nil.
func (c *Client) call(ctx context.Context, method, at, resource string, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	token, err := c.credential.Token(ctx, resource)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, serviceError(req, resp.StatusCode, data)
	}
	if out == nil || len(bytes.TrimSpace(data)) == 0 {
		return resp.Header, nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return nil, fmt.Errorf("%s %s: the answer is not JSON: %w", method, req.URL.Path, err)
	}
	return resp.Header, nil
}

func serviceError(req *http.Request, status int, data []byte) error {
	var body struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(data, &body) // without it the status says enough
	e := &ServiceError{Status: status, Code: body.Error.Code, Message: body.Error.Message, Method: req.Method, URL: req.URL.Host + req.URL.Path}
	if e.Code == "" {
		e.Code = http.StatusText(status)
	}
	return e
}
