package network

import (
	"context"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeWatcher = "Microsoft.Network/networkWatchers"
	typeFlowLog = "Microsoft.Network/networkWatchers/flowLogs"
)

// FlowLogs writes flow logs to storage accounts.
type FlowLogs interface {
	// Check tries whether a flow log can be written. What is wrong with its storage
	// account is the error.
	Check(ctx context.Context, log arm.Resource) error
}

// flowLogTypes are Network Watcher's. A fabric that writes flow logs says whether
// it can.
func flowLogTypes(fabric Fabric) []cloud.Type {
	log := cloud.Type{Name: typeFlowLog, Prepare: prepareFlowLog, Present: presentFlowLog}
	if fabric != nil {
		log.Reconcile = func(ctx context.Context, r arm.Resource) error {
			if writes, ok := fabric.(FlowLogs); ok {
				if err := writes.Check(ctx, r); err != nil {
					return err
				}
			}
			return fabric.Sync(ctx)
		}
		log.Remove = func(ctx context.Context, _ arm.Resource) error { return fabric.Sync(ctx) }
	}
	return []cloud.Type{{Name: typeWatcher, Prepare: located}, log}
}

// flowLogTargets are what a flow log may be of.
var flowLogTargets = []string{
	strings.ToLower(typeNSG), strings.ToLower(service.TypeVirtualNetwork), strings.ToLower(typeSubnet), strings.ToLower(service.TypeNetworkInterface),
}

// prepareFlowLog checks what Azure does: what is logged and where to exist, in one
// region, and no other flow log to be of the same.
func prepareFlowLog(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(r); err != nil {
		return r, err
	}
	r.Properties = writable(typeFlowLog, r.Properties)
	watcher, ok := view.Get(r.ID.Parent())
	if !ok {
		return r, missing(r, r.ID.Parent())
	}
	if r.Location == "" {
		r.Location = watcher.Location
	}
	target := arm.Ref(r.Properties, "targetResourceId")
	if !slices.Contains(flowLogTargets, strings.ToLower(target.Type())) {
		return r, refuse("InvalidResourceReference", "The target resource '%s' of flow log %s is not a virtual network, subnet, network interface or network security group.", target, r.ID)
	}
	if _, err := required(view, r, r.Properties, "targetResourceId", target.Type()); err != nil {
		return r, err
	}
	account, err := required(view, r, r.Properties, "storageId", service.TypeStorageAccount)
	if err != nil {
		return r, err
	}
	place := locationOf(view, target)
	for _, other := range []string{r.Location, account.Location} {
		if service.Region(other) != service.Region(place) {
			return r, refuse("StorageAccountLocationMismatch", "Flow log %s, its storage account %s and its target %s must be in the same region: the target is in %s.", r.ID, account.ID, target, service.Region(place))
		}
	}
	if tier := arm.String(account.SKU, "name"); strings.HasPrefix(strings.ToLower(tier), "premium") {
		return r, refuse("UnsupportedStorageAccountSku", "Flow log %s cannot be written to %s: storage accounts of %s are not supported.", r.ID, account.ID, tier)
	}
	if days := arm.Int(r.Properties, "retentionPolicy.days", 0); days < 0 || days > 365 {
		return r, refuse("InvalidRetentionPolicy", "The retention policy of flow log %s is of %d days: it must be 0 to 365.", r.ID, days)
	}
	if version := arm.Int(r.Properties, "format.version", 1); version != 1 && version != 2 {
		return r, refuse("InvalidFlowLogFormat", "The format version of flow log %s is %d: it must be 1 or 2.", r.ID, version)
	}
	for _, other := range view.Estate().OfType(typeFlowLog) {
		if !other.ID.Equal(r.ID) && arm.Ref(other.Properties, "targetResourceId").Equal(target) {
			return r, refuse("FlowLogAlreadyExists", "Flow log %s is of %s already.", other.ID, target)
		}
	}
	fill(r.Properties, "enabled", true)
	fill(r.Properties, "format", arm.Object{"type": "JSON", "version": 1})
	fill(r.Properties, "retentionPolicy", arm.Object{"days": 0, "enabled": false})
	return r, nil
}

// locationOf is where a resource is, or the network that it is a part of.
func locationOf(view cloud.View, id arm.ID) string {
	if strings.EqualFold(id.Type(), typeSubnet) {
		id = id.Parent()
	}
	r, _ := view.Get(id)
	return r.Location
}

func presentFlowLog(_ cloud.View, r arm.Resource) arm.Resource {
	r.Properties["targetResourceGuid"] = arm.StableGUID(arm.Ref(r.Properties, "targetResourceId"), "resourceGuid")
	if format, ok := r.Properties["format"].(arm.Object); ok {
		fill(format, "type", "JSON")
	}
	return r
}
