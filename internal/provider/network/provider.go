package network

import (
	"context"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// Fabric makes the networks of the estate real.
type Fabric interface {
	// Sync brings the kernel to the estate as it is when Sync is called, or later.
	// Callers at one time may share one pass.
	Sync(ctx context.Context) error
}

// Types of Microsoft.Network, beside those that package service names.
const (
	typeSubnet     = "Microsoft.Network/virtualNetworks/subnets"
	typePeering    = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
	typeNSG        = "Microsoft.Network/networkSecurityGroups"
	typeRule       = "Microsoft.Network/networkSecurityGroups/securityRules"
	typeASG        = "Microsoft.Network/applicationSecurityGroups"
	typeRouteTable = "Microsoft.Network/routeTables"
	typeRoute      = "Microsoft.Network/routeTables/routes"
	typeNAT        = "Microsoft.Network/natGateways"
	typePublicIP   = "Microsoft.Network/publicIPAddresses"
	typeBastion    = "Microsoft.Network/bastionHosts"
	typeZoneGroup  = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typeLink       = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
	typeRecord     = "Microsoft.Network/privateDnsZones/"
)

// joinable are the types that Azure asks for a permission to refer to.
var joinable = []string{
	service.TypeVirtualNetwork, service.TypeNetworkInterface, service.TypePrivateDNSZone,
	typeSubnet, typeNSG, typeASG, typeRouteTable, typeNAT, typePublicIP, typePolicy, typeIPGroup,
}

// New makes the provider. Where fabric is nil, documents are checked and shown,
// and nothing is made real. A fabric that is [Gateways] too is asked for BGP sessions.
func New(fabric Fabric) cloud.Provider {
	gateways, _ := fabric.(Gateways)
	types := []cloud.Type{
		{Name: service.TypeVirtualNetwork, Split: splitVNet, Prepare: prepareVNet, Present: presentVNet},
		{Name: typeSubnet, Prepare: prepareSubnet, CanDelete: canDeleteSubnet, Present: presentSubnet},
		{Name: typePeering, Prepare: preparePeering, Present: presentPeering},
		{Name: typeNSG, Prepare: prepareNSG, CanDelete: unused("InUseNetworkSecurityGroupCannotBeDeleted"), Present: presentNSG},
		{Name: typeASG, Prepare: located, CanDelete: unused("InUseApplicationSecurityGroupCannotBeDeleted")},
		{Name: typeRouteTable, Prepare: prepareRouteTable, CanDelete: unused("InUseRouteTableCannotBeDeleted"), Present: presentRouteTable},
		{Name: typeNAT, Prepare: prepareNAT, CanDelete: unused("InUseNatGatewayCannotBeDeleted"), Present: presentNAT},
		{Name: typePublicIP, Prepare: preparePublicIP, CanDelete: unused("PublicIPAddressCannotBeDeleted"), Present: presentPublicIP},
		{Name: service.TypeNetworkInterface, Prepare: prepareNIC, CanDelete: unused("NicInUse"), Present: presentNIC, Find: findEndpointNIC, List: listNICs},
		{Name: typeBastion, Prepare: prepareBastion, Present: presentBastion},
		{Name: service.TypePrivateEndpoint, Prepare: prepareEndpoint, Present: presentEndpoint, Links: endpointLinks},
		{Name: typeZoneGroup, Prepare: prepareZoneGroup, Present: presentZoneGroup},
		{Name: service.TypePrivateDNSZone, Prepare: prepareZone, Present: presentZone, Before: typeLink},
		{Name: typeLink, Prepare: prepareLink, Present: presentLink},
	}
	types = append(types, gatewayTypes(gateways)...)
	types = append(types, circuitTypes()...)
	types = append(types, firewallTypes()...)
	types = append(types, balancerTypes()...)
	for _, kind := range recordKinds {
		types = append(types, recordType(kind))
	}
	for i := range types {
		types[i].Joinable = slices.Contains(joinable, types[i].Name)
		if fabric != nil {
			types[i].Reconcile, types[i].Remove, types[i].Unordered = synced(fabric), synced(fabric), true
		}
	}
	types = append(types, flowLogTypes(fabric)...)
	types = append(types,
		cloud.Type{Name: typeRule, Nested: "securityRules"},
		cloud.Type{Name: typeRoute, Nested: "routes"},
		cloud.Type{Name: typeRecord + "ALL", List: listRecords},
	)
	types = append(types, balancerParts()...)
	return cloud.Provider{Namespace: "Microsoft.Network", Types: types}
}

// synced brings the kernel to the estate.
func synced(fabric Fabric) func(context.Context, arm.Resource) error {
	return func(ctx context.Context, _ arm.Resource) error { return fabric.Sync(ctx) }
}
