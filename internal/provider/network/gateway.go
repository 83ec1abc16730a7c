package network

import (
	"context"
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
// connections. VPN gateways are run, as WireGuard, and ExpressRoute gateways, as
// edges that speak BGP; connections between two gateways are checked and kept.
func gatewayTypes(gateways Gateways) []cloud.Type {
	return []cloud.Type{
		{Name: typeGateway, Prepare: prepareGateway, Present: presentGateway, CanDelete: unused("VirtualNetworkGatewayInUse"), Actions: sessionActions(gateways)},
		{Name: typeLocalGateway, Prepare: located, CanDelete: unused("LocalNetworkGatewayInUse")},
		{Name: typeConnection + "/sharedkey", Edit: editSharedKey},
		{Name: typeConnection, Prepare: prepareGatewayConnection, Present: presentConnection, Views: map[string]cloud.ViewOf{"sharedkey": sharedKey}, Runs: func(r arm.Resource) bool {
			kind := arm.String(r.Properties, "connectionType")
			return strings.EqualFold(kind, "IPsec") || strings.EqualFold(kind, "ExpressRoute")
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

// prepareGatewayConnection keeps the key of a connection that is written without: what GET
// shows has none.
func prepareGatewayConnection(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if key, had := sharedKeyOf(old); had && arm.String(r.Properties, "sharedKey") == "" {
		r.Properties["sharedKey"] = key
	}
	return located(view, old, r)
}

func sharedKeyOf(connection *arm.Resource) (string, bool) {
	if connection == nil {
		return "", false
	}
	key := arm.String(connection.Properties, "sharedKey")
	return key, key != ""
}

// sharedKey shows the key to who may read it by the action that is for it alone.
func sharedKey(_ context.Context, r arm.Resource) (any, error) {
	return arm.Object{"value": arm.String(r.Properties, "sharedKey")}, nil
}

const maxSharedKey = 128

// editSharedKey sets the key of a connection. Source: Azure REST API reference,
// "Virtual Network Gateway Connections - Set Shared Key".
func editSharedKey(connection arm.Resource, _ string, body arm.Object) (arm.Resource, arm.Object, error) {
	key := arm.String(body, "value")
	if key == "" || len(key) > maxSharedKey {
		return connection, nil, refuse("InvalidSharedKey", "The shared key of %s must have 1 to %d characters.", connection.Name, maxSharedKey)
	}
	connection.Properties["sharedKey"] = key
	return connection, arm.Object{"value": key}, nil
}

// presentConnection keeps the shared key to itself.
func presentConnection(_ cloud.View, r arm.Resource) arm.Resource {
	remove(r.Properties, "sharedKey")
	remove(r.Properties, "authorizationKey")
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}
