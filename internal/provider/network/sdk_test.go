package network_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/network"
)

// fabric counts how often it was asked to make the networks real.
type fabric struct{ syncs atomic.Int64 }

func (f *fabric) Sync(context.Context) error {
	f.syncs.Add(1)
	return nil
}

const group = "rg-net"

// start is a cloud with the provider, a group, and the SDK's clients for it.
func start(t *testing.T) (*cloudtest.Cloud, *armnetwork.ClientFactory, *fabric) {
	t.Helper()
	f := &fabric{}
	c := cloudtest.Start(t, func(cloud.Host) []cloud.Provider { return []cloud.Provider{network.New(f)} })
	put(t, c, arm.Resource{ID: arm.GroupID(cloudtest.Subscription, group), Location: "westeurope"})
	cred, options := c.SDK(c.Owner)
	factory, err := armnetwork.NewClientFactory(cloudtest.Subscription, cred, options)
	if err != nil {
		t.Fatal(err)
	}
	return c, factory, f
}

func put(t *testing.T, c *cloudtest.Cloud, r arm.Resource) arm.Resource {
	t.Helper()
	out, err := c.Client().Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// await waits for the end of an operation of the SDK.
func await[T any](t *testing.T) func(p *runtime.Poller[T], err error) T {
	return func(p *runtime.Poller[T], err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.PollUntilDone(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.StatusCode != status || answer.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

var west = to.Ptr("westeurope")

func vnet(prefix string, subnets ...*armnetwork.Subnet) armnetwork.VirtualNetwork {
	return armnetwork.VirtualNetwork{Location: west, Properties: &armnetwork.VirtualNetworkPropertiesFormat{
		AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{&prefix}}, Subnets: subnets,
	}}
}

func subnet(name, prefix string) *armnetwork.Subnet {
	return &armnetwork.Subnet{Name: &name, Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: &prefix}}
}

func TestVirtualNetworkWithInlineSubnets(t *testing.T) {
	_, sdk, f := start(t)
	ctx := t.Context()
	vnets, subnets := sdk.NewVirtualNetworksClient(), sdk.NewSubnetsClient()

	made := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(vnets.BeginCreateOrUpdate(ctx, group, "vnet-aml",
		vnet("10.1.0.0/16", subnet("snet-a", "10.1.1.0/24"), subnet("snet-b", "10.1.2.0/24")), nil))
	if len(made.Properties.Subnets) != 2 || *made.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded || made.Etag == nil {
		t.Fatalf("made %+v", made.Properties)
	}
	if f.syncs.Load() == 0 {
		t.Error("the fabric was not asked to make it real")
	}
	got, err := subnets.Get(ctx, group, "vnet-aml", "snet-b", nil)
	if err != nil || *got.Properties.AddressPrefix != "10.1.2.0/24" {
		t.Fatalf("subnet: %+v, %v", got.Properties, err)
	}

	t.Run("a subnet outside the space is refused", func(t *testing.T) {
		_, err := subnets.BeginCreateOrUpdate(ctx, group, "vnet-aml", "snet-c", *subnet("snet-c", "10.2.0.0/24"), nil)
		wantCode(t, err, http.StatusBadRequest, "NetcfgInvalidSubnet")
	})
	t.Run("a subnet that overlaps another is refused", func(t *testing.T) {
		_, err := subnets.BeginCreateOrUpdate(ctx, group, "vnet-aml", "snet-c", *subnet("snet-c", "10.1.2.128/25"), nil)
		wantCode(t, err, http.StatusBadRequest, "NetcfgSubnetRangesOverlap")
	})
	t.Run("a prefix with host bits is refused", func(t *testing.T) {
		_, err := vnets.BeginCreateOrUpdate(ctx, group, "vnet-x", vnet("10.1.2.3/16"), nil)
		wantCode(t, err, http.StatusBadRequest, "InvalidCIDRNotation")
	})
	t.Run("a network written without subnets keeps them", func(t *testing.T) {
		await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(vnets.BeginCreateOrUpdate(ctx, group, "vnet-aml", vnet("10.1.0.0/16"), nil))
		if _, err := subnets.Get(ctx, group, "vnet-aml", "snet-a", nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("a subnet that is left out of the list goes", func(t *testing.T) {
		await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(vnets.BeginCreateOrUpdate(ctx, group, "vnet-aml",
			vnet("10.1.0.0/16", subnet("snet-a", "10.1.1.0/24")), nil))
		var names []string
		for pager := subnets.NewListPager(group, "vnet-aml", nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Value {
				names = append(names, *s.Name)
			}
		}
		if slices.Contains(names, "snet-b") && !deleting(ctx, subnets) {
			t.Errorf("subnets: %v", names)
		}
	})
	t.Run("the network goes with its subnets", func(t *testing.T) {
		await[armnetwork.VirtualNetworksClientDeleteResponse](t)(vnets.BeginDelete(ctx, group, "vnet-aml", nil))
		_, err := subnets.Get(ctx, group, "vnet-aml", "snet-a", nil)
		wantCode(t, err, http.StatusNotFound, "ResourceNotFound")
	})
}

// deleting reports whether snet-b is on its way out.
func deleting(ctx context.Context, subnets *armnetwork.SubnetsClient) bool {
	got, err := subnets.Get(ctx, group, "vnet-aml", "snet-b", nil)
	return err != nil || *got.Properties.ProvisioningState == armnetwork.ProvisioningStateDeleting
}

func TestPeeringIsConnectedByBothHalves(t *testing.T) {
	_, sdk, _ := start(t)
	ctx := t.Context()
	vnets, peerings := sdk.NewVirtualNetworksClient(), sdk.NewVirtualNetworkPeeringsClient()
	ids := map[string]*string{}
	for name, space := range map[string]string{"a": "10.1.0.0/16", "b": "10.2.0.0/16", "c": "10.1.0.0/16"} {
		made := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(vnets.BeginCreateOrUpdate(ctx, group, name, vnet(space), nil))
		ids[name] = made.ID
	}
	half := func(to string) armnetwork.VirtualNetworkPeering {
		return armnetwork.VirtualNetworkPeering{Properties: &armnetwork.VirtualNetworkPeeringPropertiesFormat{RemoteVirtualNetwork: &armnetwork.SubResource{ID: ids[to]}}}
	}
	state := func(vnet, name string) armnetwork.VirtualNetworkPeeringState {
		got, err := peerings.Get(ctx, group, vnet, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return *got.Properties.PeeringState
	}
	one := await[armnetwork.VirtualNetworkPeeringsClientCreateOrUpdateResponse](t)(peerings.BeginCreateOrUpdate(ctx, group, "a", "to-b", half("b"), nil))
	if *one.Properties.PeeringState != armnetwork.VirtualNetworkPeeringStateInitiated {
		t.Errorf("one half: %s", *one.Properties.PeeringState)
	}
	await[armnetwork.VirtualNetworkPeeringsClientCreateOrUpdateResponse](t)(peerings.BeginCreateOrUpdate(ctx, group, "b", "to-a", half("a"), nil))
	if s := state("a", "to-b"); s != armnetwork.VirtualNetworkPeeringStateConnected {
		t.Errorf("both halves: %s", s)
	}
	_, err := peerings.BeginCreateOrUpdate(ctx, group, "a", "to-c", half("c"), nil)
	wantCode(t, err, http.StatusBadRequest, "VnetAddressSpacesOverlap")
	await[armnetwork.VirtualNetworksClientDeleteResponse](t)(vnets.BeginDelete(ctx, group, "b", nil))
	if s := state("a", "to-b"); s != armnetwork.VirtualNetworkPeeringStateDisconnected {
		t.Errorf("without the other network: %s", s)
	}
}

func TestSecurityGroup(t *testing.T) {
	_, sdk, _ := start(t)
	ctx := t.Context()
	groups, rules := sdk.NewSecurityGroupsClient(), sdk.NewSecurityRulesClient()
	rule := func(priority int32) armnetwork.SecurityRule {
		return armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
			Access: to.Ptr(armnetwork.SecurityRuleAccessAllow), Direction: to.Ptr(armnetwork.SecurityRuleDirectionInbound), Protocol: to.Ptr(armnetwork.SecurityRuleProtocolTCP),
			Priority: &priority, SourceAddressPrefix: to.Ptr("*"), SourcePortRange: to.Ptr("*"), DestinationAddressPrefix: to.Ptr("*"), DestinationPortRange: to.Ptr("443"),
		}}
	}
	made := await[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](t)(groups.BeginCreateOrUpdate(ctx, group, "nsg", armnetwork.SecurityGroup{Location: west}, nil))
	if len(made.Properties.DefaultSecurityRules) != 6 {
		t.Errorf("default rules: %d", len(made.Properties.DefaultSecurityRules))
	}
	one := await[armnetwork.SecurityRulesClientCreateOrUpdateResponse](t)(rules.BeginCreateOrUpdate(ctx, group, "nsg", "https", rule(100), nil))
	if *one.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded || *one.Properties.DestinationPortRange != "443" {
		t.Errorf("rule: %+v", one.Properties)
	}
	_, err := rules.BeginCreateOrUpdate(ctx, group, "nsg", "other", rule(100), nil)
	wantCode(t, err, http.StatusBadRequest, "SecurityRuleConflict")
	_, err = rules.BeginCreateOrUpdate(ctx, group, "nsg", "other", rule(99), nil)
	wantCode(t, err, http.StatusBadRequest, "SecurityRuleInvalidPriority")
	got, err := groups.Get(ctx, group, "nsg", nil)
	if err != nil || len(got.Properties.SecurityRules) != 1 || *got.Properties.SecurityRules[0].Name != "https" {
		t.Fatalf("the rule is not in the group: %+v, %v", got.Properties, err)
	}
	await[armnetwork.SecurityRulesClientDeleteResponse](t)(rules.BeginDelete(ctx, group, "nsg", "https", nil))
	_, err = rules.Get(ctx, group, "nsg", "https", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound")

	withNSG := subnet("s", "10.0.0.0/24")
	withNSG.Properties.NetworkSecurityGroup = &armnetwork.SecurityGroup{ID: made.ID}
	await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "v", vnet("10.0.0.0/16", withNSG), nil))
	_, err = groups.BeginDelete(ctx, group, "nsg", nil)
	wantCode(t, err, http.StatusBadRequest, "InUseNetworkSecurityGroupCannotBeDeleted")
}

func TestNICKeepsItsAddress(t *testing.T) {
	_, sdk, _ := start(t)
	ctx := t.Context()
	nics := sdk.NewInterfacesClient()
	v := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "v", vnet("10.0.0.0/16", subnet("s", "10.0.0.0/29")), nil))
	in := v.Properties.Subnets[0]
	config := func(address string) armnetwork.Interface {
		p := &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: in.ID}, PrivateIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodDynamic)}
		if address != "" {
			p.PrivateIPAddress, p.PrivateIPAllocationMethod = &address, to.Ptr(armnetwork.IPAllocationMethodStatic)
		}
		return armnetwork.Interface{Location: west, Properties: &armnetwork.InterfacePropertiesFormat{
			IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: to.Ptr("default"), Properties: p}},
		}}
	}
	make := func(name, address string) string {
		made := await[armnetwork.InterfacesClientCreateOrUpdateResponse](t)(nics.BeginCreateOrUpdate(ctx, group, name, config(address), nil))
		return *made.Properties.IPConfigurations[0].Properties.PrivateIPAddress
	}
	if got := make("nic-b", ""); got != "10.0.0.4" {
		t.Errorf("the first address is %s", got)
	}
	if got := make("nic-a", ""); got != "10.0.0.5" {
		t.Errorf("the next is %s, though its name sorts first", got)
	}
	if got := make("nic-b", ""); got != "10.0.0.4" {
		t.Errorf("written again it has %s", got)
	}
	_, err := nics.BeginCreateOrUpdate(ctx, group, "nic-c", config("10.0.0.5"), nil)
	wantCode(t, err, http.StatusBadRequest, "PrivateIPAddressIsAllocated")
	_, err = nics.BeginCreateOrUpdate(ctx, group, "nic-c", config("10.0.1.5"), nil)
	wantCode(t, err, http.StatusBadRequest, "PrivateIPAddressNotInSubnet")
	_, err = nics.BeginCreateOrUpdate(ctx, group, "nic-c", config("10.0.0.2"), nil)
	wantCode(t, err, http.StatusBadRequest, "PrivateIPAddressInReservedRange")
	make("nic-c", "10.0.0.6")
	_, err = nics.BeginCreateOrUpdate(ctx, group, "nic-d", config(""), nil)
	wantCode(t, err, http.StatusBadRequest, "SubnetIsFull")
	_, err = sdk.NewSubnetsClient().BeginDelete(ctx, group, "v", "s", nil)
	wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted")
}
