package network

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

func preparePeering(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(r); err != nil {
		return r, err
	}
	r.Properties = writable(typePeering, r.Properties)
	remote, err := required(view, r, r.Properties, "remoteVirtualNetwork.id", service.TypeVirtualNetwork)
	if err != nil {
		return r, err
	}
	if old != nil && !arm.Ref(old.Properties, "remoteVirtualNetwork.id").Equal(remote.ID) {
		return r, refuse("ChangingRemoteVirtualNetworkNotAllowed", "The remote virtual network of peering %s cannot be changed. Delete the peering and create another.", r.ID)
	}
	for _, other := range view.Estate().Children(r.ID.Parent(), typePeering) {
		if !other.ID.Equal(r.ID) && arm.Ref(other.Properties, "remoteVirtualNetwork.id").Equal(remote.ID) {
			return r, refuse("AnotherPeeringAlreadyReferencesRemoteVnet", "Peering %s already references remote virtual network %s. Cannot add another peering referencing the same remote virtual network.", other.ID, remote.ID)
		}
	}
	return r, problems(view, r, "VnetAddressSpacesOverlap")
}

// presentPeering shows the state of the peering, which both halves make.
func presentPeering(view cloud.View, r arm.Resource) arm.Resource {
	state, level := "Disconnected", "RemoteNotInSync"
	remote, ok := view.Get(arm.Ref(r.Properties, "remoteVirtualNetwork.id"))
	if ok {
		state = "Initiated"
		if space, ok := arm.Lookup(remote.Properties, "addressSpace"); ok {
			r.Properties["remoteAddressSpace"] = arm.Clone(space)
			r.Properties["remoteVirtualNetworkAddressSpace"] = arm.Clone(space)
		}
	}
	if vnet, ok := network.FromEstate(view.Estate()).VNet(r.ID.Parent()); ok {
		for _, p := range vnet.Peerings {
			if p.ID.Equal(r.ID) && p.Connected {
				state, level = "Connected", "FullyInSync"
			}
		}
	}
	r.Properties["peeringState"], r.Properties["peeringSyncLevel"] = state, level
	fill(r.Properties, "allowVirtualNetworkAccess", true)
	for _, flag := range []string{"allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways", "doNotVerifyRemoteGateways"} {
		fill(r.Properties, flag, false)
	}
	fill(r.Properties, "peerCompleteVnets", true)
	return r
}
