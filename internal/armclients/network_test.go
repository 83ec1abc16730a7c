package armclients

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"

	"github.com/cloister-ml/cloister/service"
)

func networkClients(w *world) *armnetwork.ClientFactory {
	return must[*armnetwork.ClientFactory](w.t)(armnetwork.NewClientFactory(sub, w.cred, w.options))
}

// What a subnet's traffic goes out by; package network's own tests have the rest.
func TestWayOut(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), networkClients(w)
	tables, routes := clients.NewRouteTablesClient(), clients.NewRoutesClient()
	table := await[armnetwork.RouteTablesClientCreateOrUpdateResponse](t)(tables.BeginCreateOrUpdate(ctx, group, "rt", armnetwork.RouteTable{Location: west}, nil))
	await[armnetwork.RoutesClientCreateOrUpdateResponse](t)(routes.BeginCreateOrUpdate(ctx, group, "rt", "out", armnetwork.Route{Properties: &armnetwork.RoutePropertiesFormat{
		AddressPrefix: to.Ptr("0.0.0.0/0"), NextHopType: to.Ptr(armnetwork.RouteNextHopTypeVirtualAppliance), NextHopIPAddress: to.Ptr("10.0.0.4"),
	}}, nil))
	got := all(t, routes.NewListPager(group, "rt", nil), func(p armnetwork.RoutesClientListResponse) []*armnetwork.Route { return p.Value }, func(r *armnetwork.Route) *string { return r.Name })
	if !slices.Equal(got, []string{"out"}) {
		t.Errorf("routes %v", got)
	}

	addresses := clients.NewPublicIPAddressesClient()
	ip := await[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](t)(addresses.BeginCreateOrUpdate(ctx, group, "pip", armnetwork.PublicIPAddress{
		Location: west, SKU: &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic)},
	}, nil))
	if ip.Properties.IPAddress == nil || *ip.Properties.IPAddress == "" {
		t.Error("a static address is not known")
	}
	nats := clients.NewNatGatewaysClient()
	nat := await[armnetwork.NatGatewaysClientCreateOrUpdateResponse](t)(nats.BeginCreateOrUpdate(ctx, group, "ng", armnetwork.NatGateway{
		Location: west, SKU: &armnetwork.NatGatewaySKU{Name: to.Ptr(armnetwork.NatGatewaySKUNameStandard)},
		Properties: &armnetwork.NatGatewayPropertiesFormat{PublicIPAddresses: []*armnetwork.SubResource{{ID: ip.ID}}},
	}, nil))
	await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(clients.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "vnet", armnetwork.VirtualNetwork{Location: west, Properties: &armnetwork.VirtualNetworkPropertiesFormat{
		AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{to.Ptr("10.0.0.0/16")}},
		Subnets: []*armnetwork.Subnet{{Name: to.Ptr("a"), Properties: &armnetwork.SubnetPropertiesFormat{
			AddressPrefix: to.Ptr("10.0.0.0/24"), RouteTable: &armnetwork.RouteTable{ID: table.ID}, NatGateway: &armnetwork.SubResource{ID: nat.ID},
		}}},
	}}, nil))
	_, err := tables.BeginDelete(ctx, group, "rt", nil)
	wantCode(t, "deleting a route table in use", err, 400, "InUseRouteTableCannotBeDeleted")
	_, err = nats.BeginDelete(ctx, group, "ng", nil)
	wantCode(t, "deleting a NAT gateway in use", err, 400, "InUseNatGatewayCannotBeDeleted")
	await[armnetwork.VirtualNetworksClientDeleteResponse](t)(clients.NewVirtualNetworksClient().BeginDelete(ctx, group, "vnet", nil))
	await[armnetwork.RouteTablesClientDeleteResponse](t)(tables.BeginDelete(ctx, group, "rt", nil))
	await[armnetwork.NatGatewaysClientDeleteResponse](t)(nats.BeginDelete(ctx, group, "ng", nil))
	await[armnetwork.PublicIPAddressesClientDeleteResponse](t)(addresses.BeginDelete(ctx, group, "pip", nil))
	_, err = addresses.Get(ctx, group, "pip", nil)
	wantCode(t, "a deleted address", err, 404, "ResourceNotFound")
}

func TestPrivateEndpoints(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), networkClients(w)
	account(w, "stsdkone")
	w.endpoint(id(service.TypeStorageAccount, "stsdkone"), "blob")
	endpoints := clients.NewPrivateEndpointsClient()
	got := must[armnetwork.PrivateEndpointsClientGetResponse](t)(endpoints.Get(ctx, group, "pe-blob", nil))
	if len(got.Properties.NetworkInterfaces) != 1 || *got.Properties.ManualPrivateLinkServiceConnections[0].Properties.PrivateLinkServiceConnectionState.Status != "Pending" {
		t.Errorf("got %+v", got.Properties)
	}
	await[armnetwork.PrivateEndpointsClientDeleteResponse](t)(endpoints.BeginDelete(ctx, group, "pe-blob", nil))
	names := all(t, endpoints.NewListPager(group, nil), func(p armnetwork.PrivateEndpointsClientListResponse) []*armnetwork.PrivateEndpoint { return p.Value }, func(p *armnetwork.PrivateEndpoint) *string { return p.Name })
	if len(names) != 0 {
		t.Errorf("endpoints %v", names)
	}
}
