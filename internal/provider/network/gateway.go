package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

const (
	typeGateway      = "Microsoft.Network/virtualNetworkGateways"
	typeLocalGateway = "Microsoft.Network/localNetworkGateways"
	typeConnection   = "Microsoft.Network/connections"

	gatewaySubnet = "GatewaySubnet"
)

// gatewayTypes are virtual network gateways, what they connect to and the
// connections. VPN gateways are run, as WireGuard; ExpressRoute circuits and
// connections between two gateways are checked and kept.
func gatewayTypes() []cloud.Type {
	return []cloud.Type{
		{Name: typeGateway, Prepare: prepareGateway, Present: presentGateway, CanDelete: unused("VirtualNetworkGatewayInUse"), Runs: func(r arm.Resource) bool {
			return strings.EqualFold(arm.String(r.Properties, "gatewayType"), "Vpn")
		}},
		{Name: typeLocalGateway, Prepare: located, CanDelete: unused("LocalNetworkGatewayInUse")},
		{Name: typeConnection, Prepare: located, Present: presentConnection, Runs: func(r arm.Resource) bool {
			return strings.EqualFold(arm.String(r.Properties, "connectionType"), "IPsec")
		}},
	}
}

// prepareGateway asks for the subnet that gateways live in. Source: Microsoft
// Learn, "About VPN Gateway configuration settings", "Gateway subnet".
func prepareGateway(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	for _, c := range arm.Objects(r.Properties, "ipConfigurations") {
		subnet, err := required(view, r, c, "properties.subnet.id", typeSubnet)
		if err != nil {
			return r, err
		}
		if !strings.EqualFold(subnet.Name, gatewaySubnet) {
			return r, refuse("InvalidRequestFormat", "The subnet of virtual network gateway %s must be named %s, and is %s.", r.Name, gatewaySubnet, subnet.Name)
		}
		if err := inRegion(view, r, subnet); err != nil {
			return r, err
		}
	}
	return r, nil
}

func presentGateway(_ cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	withIDs(r, "ipConfigurations", "ipConfigurations")
	return r
}

// presentConnection keeps the shared key to itself.
func presentConnection(_ cloud.View, r arm.Resource) arm.Resource {
	remove(r.Properties, "sharedKey")
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}
