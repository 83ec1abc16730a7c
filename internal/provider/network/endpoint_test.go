package network_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

// A private endpoint has an interface that is read and not written, the addresses
// of its members, and the records of its zone group.
func TestPrivateEndpoint(t *testing.T) {
	c, sdk, _ := start(t)
	ctx := t.Context()
	account := put(t, c, arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, group, service.TypeStorageAccount, "stmlops"), Location: "westeurope"})
	v := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "v", vnet("10.0.0.0/16", subnet("s", "10.0.1.0/24")), nil))
	endpoints, nics := sdk.NewPrivateEndpointsClient(), sdk.NewInterfacesClient()
	endpoint := func(groupID string) armnetwork.PrivateEndpoint {
		return armnetwork.PrivateEndpoint{Location: west, Properties: &armnetwork.PrivateEndpointProperties{
			Subnet:                     &armnetwork.Subnet{ID: v.Properties.Subnets[0].ID},
			CustomNetworkInterfaceName: to.Ptr("nic-pe-blob"),
			PrivateLinkServiceConnections: []*armnetwork.PrivateLinkServiceConnection{{Name: to.Ptr("psc"), Properties: &armnetwork.PrivateLinkServiceConnectionProperties{
				PrivateLinkServiceID: to.Ptr(string(account.ID)), GroupIDs: []*string{&groupID},
			}}},
		}}
	}
	_, err := endpoints.BeginCreateOrUpdate(ctx, group, "pe-blob", endpoint("vault"), nil)
	wantCode(t, err, http.StatusBadRequest, "PrivateEndpointInvalidGroupIds")

	made := await[armnetwork.PrivateEndpointsClientCreateOrUpdateResponse](t)(endpoints.BeginCreateOrUpdate(ctx, group, "pe-blob", endpoint("blob"), nil))
	state := made.Properties.PrivateLinkServiceConnections[0].Properties.PrivateLinkServiceConnectionState
	if *state.Status != "Approved" || *made.Properties.CustomDNSConfigs[0].Fqdn != "stmlops.blob.core.windows.net" {
		t.Errorf("endpoint: %+v %+v", state, made.Properties.CustomDNSConfigs)
	}
	address := *made.Properties.CustomDNSConfigs[0].IPAddresses[0]
	nic, err := nics.Get(ctx, group, arm.ID(*made.Properties.NetworkInterfaces[0].ID).Name(), nil)
	if err != nil || *nic.Name != "nic-pe-blob" || *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress != address || *nic.Properties.PrivateEndpoint.ID != *made.ID {
		t.Errorf("its interface: %+v, %v", nic.Properties, err)
	}
	_, err = nics.BeginCreateOrUpdate(ctx, group, "nic-pe-blob", nic.Interface, nil)
	wantCode(t, err, http.StatusBadRequest, "CannotModifyNicAttachedToPrivateEndpoint")

	zone := arm.ResourceID(cloudtest.Subscription, group, service.TypePrivateDNSZone, "privatelink.blob.core.windows.net")
	put(t, c, arm.Resource{ID: zone, Location: "global"})
	groups := sdk.NewPrivateDNSZoneGroupsClient()
	written := await[armnetwork.PrivateDNSZoneGroupsClientCreateOrUpdateResponse](t)(groups.BeginCreateOrUpdate(ctx, group, "pe-blob", "default", armnetwork.PrivateDNSZoneGroup{
		Properties: &armnetwork.PrivateDNSZoneGroupPropertiesFormat{PrivateDNSZoneConfigs: []*armnetwork.PrivateDNSZoneConfig{{
			Name: to.Ptr("blob"), Properties: &armnetwork.PrivateDNSZonePropertiesFormat{PrivateDNSZoneID: to.Ptr(string(zone))},
		}}},
	}, nil))
	sets := written.Properties.PrivateDNSZoneConfigs[0].Properties.RecordSets
	if len(sets) != 1 || *sets[0].RecordSetName != "stmlops" || *sets[0].IPAddresses[0] != address {
		t.Errorf("records of the zone group: %+v", sets)
	}
	for path, want := range map[string]string{
		"/A/stmlops": address,
		"/SOA/@":     "azureprivatedns.net",
	} {
		record, err := c.Client().Get(ctx, zone+arm.ID(path))
		if err != nil {
			t.Error(err)
			continue
		}
		got := arm.String(record.Properties, "aRecords.0.ipv4Address") + arm.String(record.Properties, "soaRecord.host")
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	c, sdk, _ := start(t)
	ctx := t.Context()
	v := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "v", vnet("10.0.0.0/16"), nil))
	zone := arm.ResourceID(cloudtest.Subscription, group, service.TypePrivateDNSZone, "example.internal")
	put(t, c, arm.Resource{ID: zone, Location: "global"})
	link := func(name string, vnet arm.ID) arm.Resource {
		return arm.Resource{ID: zone.Child("virtualNetworkLinks", name), Location: "global", Properties: arm.Object{"virtualNetwork": arm.Object{"id": string(vnet)}}}
	}
	made := put(t, c, link("one", arm.ID(*v.ID)))
	if s := arm.String(made.Properties, "virtualNetworkLinkState"); s != "Completed" {
		t.Errorf("link state %q", s)
	}
	for name, r := range map[string]arm.Resource{
		"a second link of the same network": link("two", arm.ID(*v.ID)),
		"a link of a network that is not":   link("two", arm.ID(*v.ID)+"x"),
		"a zone name of one label":          {ID: arm.ResourceID(cloudtest.Subscription, group, service.TypePrivateDNSZone, "internal"), Location: "global"},
		"an address that is none":           {ID: zone.Child("A", "x"), Properties: arm.Object{"aRecords": []any{arm.Object{"ipv4Address": "10.0.0"}}}},
	} {
		if _, err := c.Client().Put(ctx, r); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
