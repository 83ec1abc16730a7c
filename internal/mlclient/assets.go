package mlclient

import (
	"context"
	"errors"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// CreateData registers a data asset; a local path is uploaded.
func (c *Client) CreateData(ctx context.Context, a spec.Asset) (Document, error) {
	return c.createAsset(ctx, "data", a, "dataUri", "dataType")
}

// CreateModel registers a model; a local path is uploaded.
func (c *Client) CreateModel(ctx context.Context, a spec.Asset) (Document, error) {
	return c.createAsset(ctx, "models", a, "modelUri", "modelType")
}

func (c *Client) createAsset(ctx context.Context, kind string, a spec.Asset, uriKey, typeKey string) (Document, error) {
	if a.Name == "" {
		return Document{}, errors.New("a name is needed")
	}
	uri, err := c.locate(ctx, a.Path)
	if err != nil {
		return Document{}, err
	}
	version, err := c.version(ctx, kind, a.Name, a.Version)
	if err != nil {
		return Document{}, err
	}
	body := map[string]any{uriKey: uri, typeKey: a.Type}
	describe(body, a.Description, a.Tags)
	return c.put(ctx, c.under(kind, a.Name, "versions", version), properties(body))
}

// version is the one that is asked for, or the next.
func (c *Client) version(ctx context.Context, kind, name, version string) (string, error) {
	if version != "" {
		return version, nil
	}
	d, err := c.get(ctx, c.under(kind, name))
	if NotFound(err) {
		return "1", nil
	}
	if next := d.Text("nextVersion"); err == nil && next != "" {
		return next, nil
	}
	return "1", err
}

// CreateEnvironment registers an environment.
func (c *Client) CreateEnvironment(ctx context.Context, e spec.Environment) (Document, error) {
	if e.Name == "" {
		return Document{}, errors.New("an environment needs a name")
	}
	body, err := c.environmentBody(ctx, e)
	if err != nil {
		return Document{}, err
	}
	version, err := c.version(ctx, "environments", e.Name, e.Version)
	if err != nil {
		return Document{}, err
	}
	return c.put(ctx, c.under("environments", e.Name, "versions", version), properties(body))
}
