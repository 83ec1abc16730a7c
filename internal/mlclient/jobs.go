package mlclient

import "context"

// Job finds a job.
func (c *Client) Job(ctx context.Context, name string) (Document, error) {
	return c.get(ctx, c.under("jobs", name))
}

// Jobs lists the jobs, newest first.
func (c *Client) Jobs(ctx context.Context) ([]Document, error) {
	return c.list(ctx, c.under("jobs"))
}

// CancelJob asks for a job's end.
func (c *Client) CancelJob(ctx context.Context, name string) error {
	return c.post(ctx, c.under("jobs", name, "cancel"), nil, nil)
}

// Assets lists the names of models, environments, data or computes.
func (c *Client) Assets(ctx context.Context, kind string) ([]Document, error) {
	return c.list(ctx, c.under(kind))
}

// Versions lists an asset's versions, newest first.
func (c *Client) Versions(ctx context.Context, kind, name string) ([]Document, error) {
	return c.list(ctx, c.under(kind, name, "versions"))
}

// Version finds a version; the newest where none is named.
func (c *Client) Version(ctx context.Context, kind, name, version string) (Document, error) {
	if version == "" || version == "@latest" {
		return c.latest(ctx, kind, name, "latest")
	}
	return c.get(ctx, c.under(kind, name, "versions", version))
}

// Compute finds a compute cluster.
func (c *Client) Compute(ctx context.Context, name string) (Document, error) {
	return c.get(ctx, c.under("computes", name))
}
