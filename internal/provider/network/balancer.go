package network

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

const typeBalancer = "Microsoft.Network/loadBalancers"

// balancerTypes are load balancers. Their health probes are kept, and not run: all
// machines of a pool are taken to be healthy.
func balancerTypes() []cloud.Type {
	return []cloud.Type{{Name: typeBalancer, Prepare: located, CanDelete: unused("InUseLoadBalancerCannotBeDeleted"), Present: presentBalancer}}
}

func presentBalancer(_ cloud.View, r arm.Resource) arm.Resource {
	for _, list := range []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "inboundNatPools", "outboundRules"} {
		withIDs(r, list, list)
		fill(r.Properties, list, []any{})
	}
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}
