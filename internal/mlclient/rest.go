package mlclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// properties wraps a body.
func properties(p map[string]any) map[string]any { return map[string]any{"properties": p} }

// stableID names an asset after its content, so that the same content is created
// once.
func stableID(content any) (string, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, raw).String(), nil
}

// assetID is what a name such as azureml:train:1 or azureml:train@latest means.
func (c *Client) assetID(ctx context.Context, kind, ref string) (string, error) {
	name, ok := strings.CutPrefix(ref, "azureml:")
	if !ok || strings.HasPrefix(name, "/") {
		return strings.TrimPrefix(ref, "azureml:"), nil
	}
	if strings.HasPrefix(name, "//") {
		return "", fmt.Errorf("%s: only the workspace's own %s can be used", ref, kind)
	}
	if base, label, ok := strings.Cut(name, "@"); ok {
		d, err := c.latest(ctx, kind, base, label)
		return string(d.ID), err
	}
	i := strings.LastIndexByte(name, ':')
	if i <= 0 {
		return "", fmt.Errorf("%q names no version: azureml:NAME:VERSION or azureml:NAME@latest", ref)
	}
	return c.under(kind, name[:i], "versions", name[i+1:]), nil
}

// latest is the newest version of an asset.
func (c *Client) latest(ctx context.Context, kind, name, label string) (Document, error) {
	if label != "latest" {
		return Document{}, fmt.Errorf("%s has no label %q; there is latest", name, label)
	}
	all, err := c.list(ctx, c.under(kind, name, "versions")+"?$top=1&$orderBy=createdtime%20desc")
	if err != nil {
		return Document{}, err
	}
	if len(all) == 0 {
		return Document{}, fmt.Errorf("the workspace has no %s called %s", strings.TrimSuffix(kind, "s"), name)
	}
	return all[0], nil
}

// environment registers an environment that is written out, and gives its id.
func (c *Client) environment(ctx context.Context, ref spec.EnvironmentRef) (string, error) {
	if ref.Inline == nil {
		return c.assetID(ctx, "environments", ref.Reference)
	}
	body, err := c.environmentBody(ctx, *ref.Inline)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	body["isAnonymous"] = true
	d, err := c.put(ctx, c.under("environments", "CliV2AnonymousEnvironment", "versions", hex.EncodeToString(sum[:16])), properties(body))
	return string(d.ID), err
}

func (c *Client) environmentBody(ctx context.Context, e spec.Environment) (map[string]any, error) {
	body := map[string]any{"osType": "Linux"}
	if e.Image != "" {
		body["image"] = e.Image
	}
	if e.Conda != "" {
		body["condaFile"] = e.Conda
	}
	if e.Build.Text != "" {
		uri, err := c.locate(ctx, e.Build)
		if err != nil {
			return nil, err
		}
		file := e.Dockerfile
		if file == "" {
			file = "Dockerfile"
		}
		body["build"] = map[string]any{"contextUri": uri, "dockerfilePath": file}
	}
	describe(body, e.Description, e.Tags)
	return body, nil
}

func describe(body map[string]any, description string, tags map[string]string) {
	if description != "" {
		body["description"] = description
	}
	if len(tags) > 0 {
		body["tags"] = tags
	}
}

// code uploads a folder and registers it, and gives its id.
func (c *Client) code(ctx context.Context, p spec.Path) (string, error) {
	if p.Text == "" {
		return "", nil
	}
	if !p.Local() {
		return c.assetID(ctx, "codes", p.Text)
	}
	f, err := scan(p.File(), true)
	if err != nil {
		return "", fmt.Errorf("code: %w", err)
	}
	base := filepath.Base(f.path)
	id, err := stableID([]any{"code", f.hash, base})
	if err != nil {
		return "", err
	}
	at := c.under("codes", id, "versions", "1")
	if _, err := c.get(ctx, at); err == nil {
		return at, nil
	} else if !NotFound(err) {
		return "", err
	}
	uri, err := c.upload(ctx, f)
	if err != nil {
		return "", fmt.Errorf("uploading the code: %w", err)
	}
	d, err := c.put(ctx, at, properties(map[string]any{
		"codeUri": uri, "isAnonymous": true,
		"properties": map[string]string{"hash_sha256": f.hash, "hash_version": "202208"},
	}))
	return string(d.ID), err
}

// component registers a component that is written out, and gives its id.
func (c *Client) component(ctx context.Context, comp spec.Component) (string, error) {
	code, err := c.code(ctx, comp.Command.Code)
	if err != nil {
		return "", err
	}
	env, err := c.environment(ctx, comp.Command.Environment)
	if err != nil {
		return "", fmt.Errorf("environment: %w", err)
	}
	body := map[string]any{
		"type": "command", "command": comp.Command.Command, "environment": "azureml:" + env, "is_deterministic": comp.Deterministic,
		"inputs": declaredInputs(comp.Inputs), "outputs": declaredOutputs(comp.Outputs), "_source": "YAML.COMPONENT",
	}
	if code != "" {
		body["code"] = "azureml:" + code
	}
	if len(comp.Command.Env) > 0 {
		body["environment_variables"] = comp.Command.Env
	}
	if comp.Command.Timeout > 0 {
		body["limits"] = map[string]any{"timeout": seconds(comp.Command.Timeout)}
	}
	if comp.Command.Instances > 0 {
		body["resources"] = map[string]any{"instance_count": comp.Command.Instances}
	}
	if comp.DisplayName != "" {
		body["display_name"] = comp.DisplayName
	}
	id, err := stableID(body)
	if err != nil {
		return "", err
	}
	d, err := c.put(ctx, c.under("components", "azureml_anonymous", "versions", id), properties(map[string]any{"componentSpec": body, "isAnonymous": true}))
	return string(d.ID), err
}

func seconds(n int) string { return fmt.Sprintf("PT%dS", n) }

func declaredInputs(in map[string]spec.Input) map[string]any {
	out := make(map[string]any, len(in))
	for name, i := range in {
		d := map[string]any{"type": i.Type}
		if i.Type == "" {
			d["type"] = "string"
		}
		if i.Default != nil {
			d["default"] = *i.Default
		}
		if i.Optional {
			d["optional"] = true
		}
		if i.Min != "" {
			d["min"] = i.Min
		}
		if i.Max != "" {
			d["max"] = i.Max
		}
		if len(i.Enum) > 0 {
			d["enum"] = i.Enum
		}
		if i.Mode != "" {
			d["mode"] = i.Mode
		}
		out[name] = d
	}
	return out
}

func declaredOutputs(in map[string]spec.Output) map[string]any {
	out := make(map[string]any, len(in))
	for name, o := range in {
		typ := o.Type
		if typ == "" {
			typ = "uri_folder"
		}
		out[name] = map[string]any{"type": typ}
	}
	return out
}
