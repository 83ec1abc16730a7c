package daemon

import (
	"context"

	"github.com/cloister-ml/cloister/internal/fabric"
)

// healthChanged gives a machine behind a load balancer connections, or none any
// more.
func (d *Daemon) healthChanged(ctx context.Context, h fabric.HealthCheck, healthy bool) {
	d.log.Info("a health probe has changed its mind", "balancer", h.Balancer, "probe", h.Probe, "machine", h.NIC, "address", h.Address, "healthy", healthy)
	if err := d.syncer.Sync(ctx); err != nil && ctx.Err() == nil {
		d.log.Error("changing where a load balancer leads", "balancer", h.Balancer, "error", err)
	}
}
