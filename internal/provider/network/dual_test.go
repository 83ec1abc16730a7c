package network_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"
)

// six is an IP configuration of IPv6; an empty address is left to the subnet.
func six(subnet, address string) *armnetwork.InterfaceIPConfiguration {
	p := &armnetwork.InterfaceIPConfigurationPropertiesFormat{
		Subnet: &armnetwork.Subnet{ID: &subnet}, PrivateIPAddressVersion: to.Ptr(armnetwork.IPVersionIPv6),
		PrivateIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodDynamic),
	}
	if address != "" {
		p.PrivateIPAddress, p.PrivateIPAllocationMethod = &address, to.Ptr(armnetwork.IPAllocationMethodStatic)
	}
	return &armnetwork.InterfaceIPConfiguration{Name: to.Ptr("v6"), Properties: p}
}

func four(subnet string) *armnetwork.InterfaceIPConfiguration {
	return &armnetwork.InterfaceIPConfiguration{Name: to.Ptr("v4"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
		Subnet: &armnetwork.Subnet{ID: &subnet}, Primary: to.Ptr(true), PrivateIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodDynamic),
	}}
}

func interfaceOf(configs ...*armnetwork.InterfaceIPConfiguration) armnetwork.Interface {
	return armnetwork.Interface{Location: west, Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: configs}}
}

// A dual-stack network by the official client: spaces, subnets, static and dynamic
// addresses, public addresses; and what Azure refuses.
func TestDualStackNetwork(t *testing.T) {
	_, sdk, _ := start(t)
	ctx := t.Context()
	vnets, subnets, nics, publics := sdk.NewVirtualNetworksClient(), sdk.NewSubnetsClient(), sdk.NewInterfacesClient(), sdk.NewPublicIPAddressesClient()
	dual := vnet("10.1.0.0/16",
		&armnetwork.Subnet{Name: to.Ptr("dual"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefixes: []*string{to.Ptr("10.1.0.0/24"), to.Ptr("fd00:1::/64")}}},
		subnet("four", "10.1.1.0/24"))
	dual.Properties.AddressSpace.AddressPrefixes = append(dual.Properties.AddressSpace.AddressPrefixes, to.Ptr("fd00:1::/48"))
	made := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(vnets.BeginCreateOrUpdate(ctx, group, "vnet-dual", dual, nil))
	at := map[string]string{}
	for _, s := range made.Properties.Subnets {
		at[*s.Name] = *s.ID
	}
	write := func(name string, configs ...*armnetwork.InterfaceIPConfiguration) (armnetwork.InterfacesClientCreateOrUpdateResponse, error) {
		p, err := nics.BeginCreateOrUpdate(ctx, group, name, interfaceOf(configs...), nil)
		if err != nil {
			return armnetwork.InterfacesClientCreateOrUpdateResponse{}, err
		}
		return p.PollUntilDone(ctx, nil)
	}
	addresses := func(r armnetwork.InterfacesClientCreateOrUpdateResponse) string {
		var out []string
		for _, c := range r.Properties.IPConfigurations {
			out = append(out, *c.Properties.PrivateIPAddress)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct{ name, static, want string }{
		{"nic-static", "fd00:1::40", "10.1.0.4 fd00:1::40"}, {"nic-first", "", "10.1.0.5 fd00:1::4"}, {"nic-second", "", "10.1.0.6 fd00:1::5"},
		{"nic-first", "", "10.1.0.5 fd00:1::4"}, // written again, it keeps what it has
	} {
		r, err := write(tt.name, four(at["dual"]), six(at["dual"], tt.static))
		if err != nil {
			t.Fatal(err)
		}
		if got := addresses(r); got != tt.want {
			t.Errorf("%s has %s, want %s", tt.name, got, tt.want)
		}
	}

	pip := func(name string, version armnetwork.IPVersion) *armnetwork.PublicIPAddress {
		r := await[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](t)(publics.BeginCreateOrUpdate(ctx, group, name, armnetwork.PublicIPAddress{
			Location: west, SKU: &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard)},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAddressVersion: &version, PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic)},
		}, nil))
		return &armnetwork.PublicIPAddress{ID: r.ID, Properties: r.Properties}
	}
	public6, public4 := pip("pip6", armnetwork.IPVersionIPv6), pip("pip4", armnetwork.IPVersionIPv4)
	if got := *public6.Properties.IPAddress; !strings.HasPrefix(got, "2001:db8:") {
		t.Errorf("the public address of IPv6 is %s", got)
	}
	reached := six(at["dual"], "")
	reached.Properties.PublicIPAddress = &armnetwork.PublicIPAddress{ID: public6.ID}
	if _, err := write("nic-first", four(at["dual"]), reached); err != nil {
		t.Error(err)
	}

	mixed := six(at["dual"], "")
	mixed.Properties.PublicIPAddress = &armnetwork.PublicIPAddress{ID: public4.ID}
	for _, tt := range []struct {
		name, code string
		configs    []*armnetwork.InterfaceIPConfiguration
	}{
		{"IPv6 alone", "NetworkInterfacePrimaryIPConfigurationMustBeIPv4", []*armnetwork.InterfaceIPConfiguration{six(at["dual"], "")}},
		{"a subnet without IPv6", "SubnetHasNoPrefixOfIPVersion", []*armnetwork.InterfaceIPConfiguration{four(at["four"]), six(at["four"], "")}},
		{"an address of the other version", "InvalidIPAddressFormat", []*armnetwork.InterfaceIPConfiguration{four(at["dual"]), six(at["dual"], "10.1.0.9")}},
		{"an address of another subnet", "PrivateIPAddressNotInSubnet", []*armnetwork.InterfaceIPConfiguration{four(at["dual"]), six(at["dual"], "fd00:1:0:1::9")}},
		{"an address that is taken", "PrivateIPAddressIsAllocated", []*armnetwork.InterfaceIPConfiguration{four(at["dual"]), six(at["dual"], "fd00:1::40")}},
		{"a public address of the other version", "IPVersionForPublicIpAndNicIpConfigurationMustMatch", []*armnetwork.InterfaceIPConfiguration{four(at["dual"]), mixed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := write("nic-refused", tt.configs...)
			wantCode(t, err, http.StatusBadRequest, tt.code)
		})
	}
	t.Run("one of the five that Azure keeps", func(t *testing.T) {
		_, err := write("nic-refused", four(at["dual"]), six(at["dual"], "fd00:1::3"))
		wantCode(t, err, http.StatusBadRequest, "PrivateIPAddressInReservedRange")
	})
	t.Run("a subnet that is no /64", func(t *testing.T) {
		_, err := subnets.BeginCreateOrUpdate(ctx, group, "vnet-dual", "small", *subnet("small", "fd00:1:0:2::/80"), nil)
		wantCode(t, err, http.StatusBadRequest, "NetcfgInvalidSubnet")
	})
}
