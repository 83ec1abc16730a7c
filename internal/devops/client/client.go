package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Client is a user of a project of an organisation.
type Client struct {
	HTTP    *http.Client // http.DefaultClient when nil
	URL     string       // of the organisation: https://dev.azure.com/ORGANISATION
	Project string
	Token   string // a personal access token of scope admin
}

const maxAnswer = 64 << 20

// Error is an answer that says no.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// call sends in as JSON and reads JSON into out. path is below the project's.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	base := strings.TrimSuffix(c.URL, "/") + "/" + url.PathEscape(c.Project) + path
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+separator+"api-version=7.1", body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+c.Token)))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking the DevOps organisation: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return refusal(resp.StatusCode, text)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}

func refusal(status int, text []byte) error {
	var p wire.Problem
	if json.Unmarshal(text, &p) != nil || p.Message == "" {
		p.Message = fmt.Sprintf("the DevOps organisation answered %d", status)
	}
	if status == http.StatusUnauthorized {
		p.Message = "the DevOps organisation does not accept the token"
	}
	return &Error{Status: status, Message: p.Message}
}

// Pipelines lists the project's pipelines.
func (c *Client) Pipelines(ctx context.Context) ([]wire.Pipeline, error) {
	var list wire.List[wire.Pipeline]
	err := c.call(ctx, http.MethodGet, "/_apis/pipelines", nil, &list)
	return list.Value, err
}

// Pipeline finds a pipeline by name.
func (c *Client) Pipeline(ctx context.Context, name string) (wire.Pipeline, error) {
	all, err := c.Pipelines(ctx)
	if err != nil {
		return wire.Pipeline{}, err
	}
	var names []string
	for _, p := range all {
		if strings.EqualFold(p.Name, name) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return wire.Pipeline{}, fmt.Errorf("project %s has no pipeline %s; it has: %s", c.Project, name, strings.Join(names, ", "))
}

// Queue starts a run.
func (c *Client) Queue(ctx context.Context, pipeline string, in wire.RunParameters) (wire.Run, error) {
	p, err := c.Pipeline(ctx, pipeline)
	if err != nil {
		return wire.Run{}, err
	}
	var run wire.Run
	err = c.call(ctx, http.MethodPost, fmt.Sprintf("/_apis/pipelines/%d/runs", p.ID), in, &run)
	return run, err
}

// Builds lists the newest runs, at most limit; of one pipeline where it is named.
func (c *Client) Builds(ctx context.Context, pipeline string, limit int) ([]wire.Build, error) {
	query := fmt.Sprintf("?$top=%d", limit)
	if pipeline != "" {
		p, err := c.Pipeline(ctx, pipeline)
		if err != nil {
			return nil, err
		}
		query += fmt.Sprintf("&definitions=%d", p.ID)
	}
	var list wire.List[wire.Build]
	err := c.call(ctx, http.MethodGet, "/_apis/build/builds"+query, nil, &list)
	return list.Value, err
}

// Build is a run.
func (c *Client) Build(ctx context.Context, id int) (wire.Build, error) {
	var b wire.Build
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/_apis/build/builds/%d", id), nil, &b)
	return b, err
}

// Run is a run as the Pipelines API shows it: with what it was triggered by.
func (c *Client) Run(ctx context.Context, pipeline, id int) (wire.Run, error) {
	var r wire.Run
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/_apis/pipelines/%d/runs/%d", pipeline, id), nil, &r)
	return r, err
}

// Cancel cancels a run.
func (c *Client) Cancel(ctx context.Context, id int) error {
	return c.call(ctx, http.MethodPatch, fmt.Sprintf("/_apis/build/builds/%d", id), map[string]string{"status": "cancelling"}, nil)
}

// Timeline is what happened in a run so far.
func (c *Client) Timeline(ctx context.Context, id int) (wire.Timeline, error) {
	var t wire.Timeline
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/_apis/build/builds/%d/timeline", id), nil, &t)
	return t, err
}

// Log is a log's lines from start (from 0) on, each with its time before it.
func (c *Client) Log(ctx context.Context, id, log, start int) ([]string, error) {
	var list wire.List[string]
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/_apis/build/builds/%d/logs/%d?startLine=%d", id, log, start), nil, &list)
	return list.Value, err
}
