package mlclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// Endpoint finds an online endpoint; Endpoints lists them.
func (c *Client) Endpoint(ctx context.Context, name string) (Document, error) {
	return c.get(ctx, c.under("onlineEndpoints", name))
}

// Endpoints lists the online endpoints.
func (c *Client) Endpoints(ctx context.Context) ([]Document, error) {
	return c.list(ctx, c.under("onlineEndpoints"))
}

// authModes are the authentication modes in REST's spelling.
var authModes = map[string]string{"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}

// CreateEndpoint makes an online endpoint.
func (c *Client) CreateEndpoint(ctx context.Context, e spec.Endpoint) (Document, error) {
	if e.Name == "" {
		return Document{}, errors.New("an endpoint needs a name")
	}
	ws, err := c.get(ctx, string(c.workspace))
	if err != nil {
		return Document{}, err
	}
	props := map[string]any{"authMode": authModes[e.AuthMode]}
	if e.PublicNetworkAccess != "" {
		props["publicNetworkAccess"] = strings.ToUpper(e.PublicNetworkAccess[:1]) + e.PublicNetworkAccess[1:]
	}
	if e.Description != "" {
		props["description"] = e.Description
	}
	if len(e.Traffic) > 0 {
		props["traffic"] = e.Traffic
	}
	return c.put(ctx, c.under("onlineEndpoints", e.Name), map[string]any{
		"location": ws.Location, "identity": map[string]string{"type": "SystemAssigned"}, "tags": e.Tags, "properties": props,
	})
}

// DeleteEndpoint removes an endpoint with its deployments.
func (c *Client) DeleteEndpoint(ctx context.Context, name string) error {
	deployments, err := c.list(ctx, c.under("onlineEndpoints", name, "deployments"))
	if err != nil {
		return err
	}
	if len(deployments) > 0 {
		if _, err := c.SetTraffic(ctx, name, map[string]int{}); err != nil {
			return err
		}
	}
	for _, d := range deployments {
		if err := c.remove(ctx, string(d.ID)); err != nil {
			return err
		}
	}
	return c.remove(ctx, c.under("onlineEndpoints", name))
}

// SetTraffic shares an endpoint's requests out among its deployments.
func (c *Client) SetTraffic(ctx context.Context, endpoint string, traffic map[string]int) (Document, error) {
	e, err := c.Endpoint(ctx, endpoint)
	if err != nil {
		return e, err
	}
	props := maps.Clone(e.Properties)
	props["traffic"] = traffic
	body := map[string]any{"location": e.Location, "properties": props}
	if e.Identity != nil {
		body["identity"] = e.Identity
	}
	if e.Tags != nil {
		body["tags"] = e.Tags
	}
	return c.put(ctx, string(e.ID), body)
}

// ParseTraffic reads "blue=90 green=10".
func ParseTraffic(text string) (map[string]int, error) {
	out := map[string]int{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		name, share, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(strings.TrimSuffix(share, "%"))
		if !ok || err != nil || name == "" {
			return nil, fmt.Errorf("traffic %q: write NAME=PERCENT, as blue=90 green=10", part)
		}
		out[name] = n
	}
	return out, nil
}

// CreateDeployment makes or updates a deployment and returns when it is ready.
func (c *Client) CreateDeployment(ctx context.Context, d spec.Deployment, progress func(string)) (Document, error) {
	if d.Name == "" || d.EndpointName == "" {
		return Document{}, errors.New("a deployment needs a name and an endpoint_name")
	}
	endpoint, err := c.Endpoint(ctx, d.EndpointName)
	if err != nil {
		return Document{}, err
	}
	progress("uploading what " + d.Name + " needs")
	props, err := c.deploymentBody(ctx, d)
	if err != nil {
		return Document{}, err
	}
	progress("starting " + d.Name)
	return c.put(ctx, c.under("onlineEndpoints", d.EndpointName, "deployments", d.Name), map[string]any{
		"location": endpoint.Location, "properties": props, "tags": d.Tags,
		"sku": map[string]any{"name": "Default", "capacity": max(d.InstanceCount, 1)},
	})
}

func (c *Client) deploymentBody(ctx context.Context, d spec.Deployment) (map[string]any, error) {
	code, err := c.code(ctx, d.Code)
	if err != nil {
		return nil, err
	}
	env, err := c.environment(ctx, d.Environment)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	model, err := c.deploymentModel(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	props := map[string]any{
		"endpointComputeType": "Managed", "model": model, "environmentId": env, "instanceType": d.InstanceType,
		"codeConfiguration": map[string]any{"codeId": code, "scoringScript": d.ScoringScript},
		"scaleSettings":     map[string]any{"scaleType": "Default"},
	}
	if d.Egress == "disabled" {
		props["egressPublicNetworkAccess"] = "Disabled"
	}
	if d.Description != "" {
		props["description"] = d.Description
	}
	if len(d.Env) > 0 {
		props["environmentVariables"] = d.Env
	}
	requests := map[string]any{}
	if d.MaxConcurrent > 0 {
		requests["maxConcurrentRequestsPerInstance"] = d.MaxConcurrent
	}
	if d.RequestTimeoutMS > 0 {
		requests["requestTimeout"] = millis(d.RequestTimeoutMS)
	}
	if d.MaxQueueWaitMS > 0 {
		requests["maxQueueWait"] = millis(d.MaxQueueWaitMS)
	}
	if len(requests) > 0 {
		props["requestSettings"] = requests
	}
	return props, nil
}

func millis(n int) string {
	return "PT" + strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) + "S"
}

// deploymentModel is the model's id; one that is a local path is registered first.
func (c *Client) deploymentModel(ctx context.Context, d spec.Deployment) (string, error) {
	if d.Model == nil {
		return c.assetID(ctx, "models", d.ModelRef)
	}
	a := *d.Model
	if a.Name == "" {
		a.Name = d.EndpointName + "-" + d.Name
	}
	doc, err := c.CreateModel(ctx, a)
	return string(doc.ID), err
}

// DeleteDeployment removes a deployment.
func (c *Client) DeleteDeployment(ctx context.Context, endpoint, name string) error {
	return c.remove(ctx, c.under("onlineEndpoints", endpoint, "deployments", name))
}

// Deployments lists an endpoint's deployments.
func (c *Client) Deployments(ctx context.Context, endpoint string) ([]Document, error) {
	return c.list(ctx, c.under("onlineEndpoints", endpoint, "deployments"))
}

// DeploymentLogs are the last lines that a deployment has written.
func (c *Client) DeploymentLogs(ctx context.Context, endpoint, name string, lines int) (string, error) {
	var out struct{ Content string }
	err := c.post(ctx, c.under("onlineEndpoints", endpoint, "deployments", name, "getLogs"), map[string]any{"containerType": "InferenceServer", "tail": lines}, &out)
	return out.Content, err
}

// Credentials let a caller score.
type Credentials struct {
	PrimaryKey   string `json:"primaryKey,omitempty"`
	SecondaryKey string `json:"secondaryKey,omitempty"`
	AccessToken  string `json:"accessToken,omitempty"`
	Expires      int64  `json:"expiryTimeUtc,omitempty"`
	TokenType    string `json:"tokenType,omitempty"`
}

// Bearer is what goes into the Authorization header.
func (c Credentials) Bearer() string {
	if c.AccessToken != "" {
		return c.AccessToken
	}
	return c.PrimaryKey
}

// EndpointCredentials gets the keys or a token of an endpoint, as it authenticates.
func (c *Client) EndpointCredentials(ctx context.Context, name string) (Credentials, error) {
	e, err := c.Endpoint(ctx, name)
	if err != nil {
		return Credentials{}, err
	}
	var out Credentials
	switch e.Text("authMode") {
	case "AMLToken":
		err = c.post(ctx, string(e.ID)+"/token", nil, &out)
	case "AADToken":
		out.TokenType = "Bearer"
		out.AccessToken, err = c.credential.Token(ctx, resourceML)
	default:
		err = c.post(ctx, string(e.ID)+"/listKeys", nil, &out)
	}
	return out, err
}

// Score is an endpoint's answer.
type Score struct {
	Deployment string
	Body       []byte
	Took       time.Duration
}

// Invoke sends a request to an endpoint; deployment may be empty.
func (c *Client) Invoke(ctx context.Context, endpoint, deployment string, body []byte) (Score, error) {
	e, err := c.Endpoint(ctx, endpoint)
	if err != nil {
		return Score{}, err
	}
	uri := e.Text("scoringUri")
	if !strings.HasPrefix(uri, "https://") {
		return Score{}, fmt.Errorf("the endpoint %s has no scoringUri yet", endpoint)
	}
	cred, err := c.EndpointCredentials(ctx, endpoint)
	if err != nil {
		return Score{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, bytes.NewReader(body))
	if err != nil {
		return Score{}, err
	}
	req.Header.Set("Authorization", "Bearer "+cred.Bearer())
	req.Header.Set("Content-Type", "application/json")
	if deployment != "" {
		req.Header.Set("azureml-model-deployment", deployment)
	}
	started := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return Score{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Score{}, err
	}
	if resp.StatusCode != http.StatusOK {
		if resp.Header.Get("ms-azureml-model-error-statuscode") != "" {
			return Score{}, fmt.Errorf("the model answers an error (%d): %s", resp.StatusCode, bytes.TrimSpace(data))
		}
		return Score{}, serviceError(req, resp.StatusCode, data)
	}
	return Score{Deployment: resp.Header.Get("azureml-model-deployment"), Body: data, Took: time.Since(started)}, nil
}

// NewEndpointName is a name for an endpoint that nobody named.
func NewEndpointName() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return "endpoint-" + hex.EncodeToString(b)
}
