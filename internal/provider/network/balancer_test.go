package network_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

const balancer = "Microsoft.Network/loadBalancers"

func netID(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, group, typ, name) }

func sub(id arm.ID) *armnetwork.SubResource { return &armnetwork.SubResource{ID: to.Ptr(string(id))} }

// internal is a load balancer in subnet a of network v, with a rule, a probe and a
// pool.
func internal(name string) armnetwork.LoadBalancer {
	id := netID(balancer, name)
	return armnetwork.LoadBalancer{
		Location: west, SKU: &armnetwork.LoadBalancerSKU{Name: to.Ptr(armnetwork.LoadBalancerSKUNameStandard)},
		Properties: &armnetwork.LoadBalancerPropertiesFormat{
			FrontendIPConfigurations: []*armnetwork.FrontendIPConfiguration{{Name: to.Ptr("front"), Properties: &armnetwork.FrontendIPConfigurationPropertiesFormat{
				Subnet: &armnetwork.Subnet{ID: to.Ptr(string(netID("Microsoft.Network/virtualNetworks", "v").Child("subnets", "a")))},
			}}},
			BackendAddressPools: []*armnetwork.BackendAddressPool{{Name: to.Ptr("pool")}},
			Probes: []*armnetwork.Probe{{Name: to.Ptr("alive"), Properties: &armnetwork.ProbePropertiesFormat{
				Protocol: to.Ptr(armnetwork.ProbeProtocolTCP), Port: to.Ptr[int32](443), IntervalInSeconds: to.Ptr[int32](5), NumberOfProbes: to.Ptr[int32](2),
			}}},
			LoadBalancingRules: []*armnetwork.LoadBalancingRule{{Name: to.Ptr("https"), Properties: &armnetwork.LoadBalancingRulePropertiesFormat{
				Protocol: to.Ptr(armnetwork.TransportProtocolTCP), FrontendPort: to.Ptr[int32](443), BackendPort: to.Ptr[int32](8443),
				FrontendIPConfiguration: sub(id.Child("frontendIPConfigurations", "front")),
				BackendAddressPool:      sub(id.Child("backendAddressPools", "pool")), Probe: sub(id.Child("probes", "alive")),
			}}},
		},
	}
}

func TestLoadBalancers(t *testing.T) {
	_, sdk, f := start(t)
	ctx := t.Context()
	for _, v := range []string{"v", "w"} {
		await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, v, vnet("10.0.0.0/16", subnet("a", "10.0.1.0/24")), nil))
	}
	client := sdk.NewLoadBalancersClient()
	syncs := f.syncs.Load()
	made := await[armnetwork.LoadBalancersClientCreateOrUpdateResponse](t)(client.BeginCreateOrUpdate(ctx, group, "lb", internal("lb"), nil))
	if f.syncs.Load() == syncs {
		t.Error("the fabric was not asked to make it real")
	}
	front := made.Properties.FrontendIPConfigurations[0]
	if front.ID == nil || front.Properties.PrivateIPAddress == nil || *front.Properties.PrivateIPAddress != "10.0.1.4" {
		t.Fatalf("the frontend is %+v", front.Properties)
	}

	t.Run("it keeps the address that was chosen for it", func(t *testing.T) {
		again := await[armnetwork.LoadBalancersClientCreateOrUpdateResponse](t)(client.BeginCreateOrUpdate(ctx, group, "lb", internal("lb"), nil))
		if got := *again.Properties.FrontendIPConfigurations[0].Properties.PrivateIPAddress; got != "10.0.1.4" {
			t.Errorf("it is %s now", got)
		}
	})
	t.Run("its parts are resources", func(t *testing.T) {
		probe, err := sdk.NewLoadBalancerProbesClient().Get(ctx, group, "lb", "alive", nil)
		if err != nil || *probe.Properties.Port != 443 {
			t.Errorf("the probe is %+v, %v", probe.Properties, err)
		}
		pools := sdk.NewLoadBalancerBackendAddressPoolsClient()
		listed := armnetwork.BackendAddressPool{Properties: &armnetwork.BackendAddressPoolPropertiesFormat{
			VirtualNetwork: sub(netID("Microsoft.Network/virtualNetworks", "v")),
			LoadBalancerBackendAddresses: []*armnetwork.LoadBalancerBackendAddress{{Name: to.Ptr("one"), Properties: &armnetwork.LoadBalancerBackendAddressPropertiesFormat{
				IPAddress: to.Ptr("10.0.1.9")}}},
		}}
		pool := await[armnetwork.LoadBalancerBackendAddressPoolsClientCreateOrUpdateResponse](t)(pools.BeginCreateOrUpdate(ctx, group, "lb", "listed", listed, nil))
		if len(pool.Properties.LoadBalancerBackendAddresses) != 1 {
			t.Errorf("the pool is %+v", pool.Properties)
		}
		listed.Properties.LoadBalancerBackendAddresses[0].Properties.VirtualNetwork = sub(netID("Microsoft.Network/virtualNetworks", "w"))
		listed.Properties.LoadBalancerBackendAddresses = append(listed.Properties.LoadBalancerBackendAddresses, &armnetwork.LoadBalancerBackendAddress{
			Name: to.Ptr("two"), Properties: &armnetwork.LoadBalancerBackendAddressPropertiesFormat{IPAddress: to.Ptr("10.0.1.8")}})
		_, err = pools.BeginCreateOrUpdate(ctx, group, "lb", "listed", listed, nil)
		wantCode(t, err, http.StatusBadRequest, "BackendAddressPoolAcrossVirtualNetworks")
	})

	nic := func(vnet string, pool arm.ID) armnetwork.Interface {
		return armnetwork.Interface{Location: west, Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{
			Name: to.Ptr("one"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
				Subnet:                          &armnetwork.Subnet{ID: to.Ptr(string(netID("Microsoft.Network/virtualNetworks", vnet).Child("subnets", "a")))},
				LoadBalancerBackendAddressPools: []*armnetwork.BackendAddressPool{{ID: to.Ptr(string(pool))}},
			}}}}}
	}
	nics, pool := sdk.NewInterfacesClient(), netID(balancer, "lb").Child("backendAddressPools", "pool")
	t.Run("the pool shows who is in it", func(t *testing.T) {
		await[armnetwork.InterfacesClientCreateOrUpdateResponse](t)(nics.BeginCreateOrUpdate(ctx, group, "n1", nic("v", pool), nil))
		got, err := client.Get(ctx, group, "lb", nil)
		if err != nil || len(got.Properties.BackendAddressPools[0].Properties.BackendIPConfigurations) != 1 {
			t.Errorf("the pool is %+v, %v", got.Properties.BackendAddressPools[0].Properties, err)
		}
	})
	t.Run("its machines are of one network", func(t *testing.T) {
		_, err := nics.BeginCreateOrUpdate(ctx, group, "n2", nic("w", pool), nil)
		wantCode(t, err, http.StatusBadRequest, "NetworkInterfacesInBackendPoolMustBeInSameVirtualNetwork")
	})
	t.Run("a pool that is not there", func(t *testing.T) {
		_, err := nics.BeginCreateOrUpdate(ctx, group, "n2", nic("v", pool+"x"), nil)
		wantCode(t, err, http.StatusBadRequest, "InvalidResourceReference")
	})
	t.Run("it cannot go while a machine is in its pool", func(t *testing.T) {
		_, err := client.BeginDelete(ctx, group, "lb", nil)
		wantCode(t, err, http.StatusBadRequest, "InUseLoadBalancerCannotBeDeleted")
	})
}

func TestLoadBalancersThatAreRefused(t *testing.T) {
	_, sdk, _ := start(t)
	ctx := t.Context()
	await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(sdk.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "v", vnet("10.0.0.0/16", subnet("a", "10.0.1.0/24")), nil))
	await[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](t)(sdk.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, group, "basic", armnetwork.PublicIPAddress{
		Location: west, SKU: &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameBasic)}}, nil))
	id := netID(balancer, "lb")
	for _, c := range []struct {
		name, code string
		change     func(p *armnetwork.LoadBalancerPropertiesFormat)
	}{
		{"a rule of a frontend that is not there", "InvalidResourceReference", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.LoadBalancingRules[0].Properties.FrontendIPConfiguration = sub(id.Child("frontendIPConfigurations", "other"))
		}},
		{"a rule to a pool that is not there", "InvalidResourceReference", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.BackendAddressPools = nil
		}},
		{"a rule with a probe that is not there", "InvalidResourceReference", func(p *armnetwork.LoadBalancerPropertiesFormat) { p.Probes = nil }},
		{"a rule without a frontend", "MissingJsonReference", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.LoadBalancingRules[0].Properties.FrontendIPConfiguration = nil
		}},
		{"two rules of one port", "RulesUseSameFrontendPortProtocolAndIPConfig", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			again := *p.LoadBalancingRules[0]
			again.Name = to.Ptr("again")
			p.LoadBalancingRules = append(p.LoadBalancingRules, &again)
		}},
		{"a frontend of neither kind", "LoadBalancerFrontendIPConfigurationMustHaveSubnetOrPublicIP", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.FrontendIPConfigurations[0].Properties.Subnet = nil
		}},
		{"a public IP address of another SKU", "PublicIPAndLBSkuDoNotMatch", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.FrontendIPConfigurations[0].Properties = &armnetwork.FrontendIPConfigurationPropertiesFormat{
				PublicIPAddress: &armnetwork.PublicIPAddress{ID: to.Ptr(string(netID("Microsoft.Network/publicIPAddresses", "basic")))}}
		}},
		{"an address outside the subnet", "PrivateIPAddressNotInSubnet", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.FrontendIPConfigurations[0].Properties.PrivateIPAddress = to.Ptr("10.9.0.4")
		}},
		{"an HTTP probe of no path", "LoadBalancerHttpProbeMustHaveRequestPath", func(p *armnetwork.LoadBalancerPropertiesFormat) {
			p.Probes[0].Properties.Protocol = to.Ptr(armnetwork.ProbeProtocolHTTP)
		}},
		{"a probe of no port", "LoadBalancerProbePortInvalid", func(p *armnetwork.LoadBalancerPropertiesFormat) { p.Probes[0].Properties.Port = to.Ptr[int32](0) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			lb := internal("lb")
			c.change(lb.Properties)
			_, err := sdk.NewLoadBalancersClient().BeginCreateOrUpdate(ctx, group, "lb", lb, nil)
			wantCode(t, err, http.StatusBadRequest, c.code)
		})
	}
}
