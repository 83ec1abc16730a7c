package network

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

func prepareNIC(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	if _, ok := findEndpointNIC(view, r.ID); ok {
		return r, refuse("CannotModifyNicAttachedToPrivateEndpoint", "Network interface %s belongs to a private endpoint and cannot be written.", r.ID)
	}
	for _, computed := range []string{"virtualMachine", "macAddress", "privateEndpoint", "resourceGuid", "hostedWorkloads", "tapConfigurations"} {
		remove(r.Properties, computed)
	}
	if err := optional(view, r, map[string]string{"networkSecurityGroup.id": typeNSG}); err != nil {
		return r, err
	}
	configs := arm.Objects(r.Properties, "ipConfigurations")
	if len(configs) == 0 {
		return r, refuse("NetworkInterfaceMustHaveAtLeastOneIPConfiguration", "Network interface %s must have at least one IP configuration.", r.ID)
	}
	if err := checkVersions(r, configs); err != nil {
		return r, err
	}
	for _, c := range configs {
		if err := prepareConfig(view, old, r, c); err != nil {
			return r, err
		}
	}
	return r, recordAddresses(view, r, configs)
}

// prepareConfig checks one IP configuration. Of an address that Azure chooses it
// keeps the one that was chosen before, as long as the subnet is the same.
func prepareConfig(view cloud.View, old *arm.Resource, r arm.Resource, c arm.Object) error {
	subnet, err := required(view, r, c, "properties.subnet.id", typeSubnet)
	if err != nil {
		return err
	}
	if err := inRegion(view, r, subnet); err != nil {
		return err
	}
	if public, ok, err := reference(view, r, c, "properties.publicIPAddress.id", typePublicIP); err != nil {
		return err
	} else if ok {
		if err := freePublicIP(view, r, public); err != nil {
			return err
		}
		if isSix(public.Properties, "publicIPAddressVersion") != isSix(c, configVersion) {
			return refuse("IPVersionForPublicIpAndNicIpConfigurationMustMatch", "IP version for publicIPAddress '%s', version '%s' and network interface ipConfiguration '%s', version '%s' must match.",
				public.ID, version(public.Properties, "publicIPAddressVersion"), r.ID.Child("ipConfigurations", arm.String(c, "name")), version(c, configVersion))
		}
	}
	for _, asg := range arm.Objects(c, "properties.applicationSecurityGroups") {
		if _, err := required(view, r, asg, "id", typeASG); err != nil {
			return err
		}
	}
	if err := checkPools(view, r, c, subnet.ID.Parent()); err != nil {
		return err
	}
	properties, _ := c["properties"].(map[string]any)
	remove(properties, "provisioningState")
	for _, field := range []string{"id", "etag", "type"} {
		remove(c, field)
	}
	if strings.EqualFold(arm.String(properties, "privateIPAllocationMethod"), "Static") {
		if arm.String(properties, "privateIPAddress") == "" {
			return refuse("PrivateIPAddressRequired", "IP configuration %s of %s is static and names no private IP address.", arm.String(c, "name"), r.ID)
		}
		return checkAddress(view, r, subnet, c, arm.String(properties, "privateIPAddress"))
	}
	if err := hasVersion(r, subnet, c); err != nil {
		return err
	}
	remove(properties, "privateIPAddress")
	if old != nil {
		for _, was := range arm.Objects(old.Properties, "ipConfigurations") {
			if address := arm.String(was, "properties.privateIPAddress"); address != "" &&
				strings.EqualFold(arm.String(was, "name"), arm.String(c, "name")) && isSix(was, configVersion) == isSix(c, configVersion) && arm.Ref(was, "properties.subnet.id").Equal(subnet.ID) {
				properties["privateIPAddress"] = address
			}
		}
	}
	return nil
}

// configVersion is the version of IP of a configuration: IPv4 unless it says so.
const configVersion = "properties.privateIPAddressVersion"

func isSix(o arm.Object, path string) bool { return strings.EqualFold(arm.String(o, path), "IPv6") }

func version(o arm.Object, path string) string {
	if isSix(o, path) {
		return "IPv6"
	}
	return "IPv4"
}

// checkVersions refuses a network interface whose primary configuration is not of
// IPv4. Source: Microsoft Learn, "What is IPv6 for Azure Virtual Network?"
// (limitations).
func checkVersions(r arm.Resource, configs []arm.Object) error {
	primary := configs[0]
	for _, c := range configs {
		if arm.Bool(c, "properties.primary", false) {
			primary = c
			break
		}
	}
	if isSix(primary, configVersion) {
		return refuse("NetworkInterfacePrimaryIPConfigurationMustBeIPv4", "IP configuration %s of %s is primary and of IPv6: the primary one, which each network interface must have, is of IPv4.", arm.String(primary, "name"), r.ID)
	}
	return nil
}

// hasVersion refuses a configuration of a version of which its subnet has no prefix.
func hasVersion(r, subnet arm.Resource, c arm.Object) error {
	space, err := prefixes(subnet.Properties, "addressPrefix", "addressPrefixes")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(space, func(p netip.Prefix) bool { return p.Addr().Is6() == isSix(c, configVersion) }) {
		return refuse("SubnetHasNoPrefixOfIPVersion", "IP configuration %s of %s is of %s, and subnet %s has only %v: add a prefix of that version to the subnet.",
			arm.String(c, "name"), r.ID, version(c, configVersion), subnet.ID, space)
	}
	return nil
}

// freePublicIP refuses a public IP address that something else has.
func freePublicIP(view cloud.View, r, public arm.Resource) error {
	for _, u := range users(view, public.ID) {
		if !u.Equal(r.ID) {
			return refuse("PublicIPAddressInUse", "Resource %s is referencing public IP address %s that is already allocated to resource %s.", r.ID, public.ID, u)
		}
	}
	return nil
}

// checkAddress refuses an address that a subnet cannot give to r.
func checkAddress(view cloud.View, r, subnet arm.Resource, c arm.Object, text string) error {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is6() != isSix(c, configVersion) {
		return refuse("InvalidIPAddressFormat", "IP address %s of %s has an invalid format: IP configuration %s is of %s.", text, r.ID, arm.String(c, "name"), version(c, configVersion))
	}
	space, err := prefixes(subnet.Properties, "addressPrefix", "addressPrefixes")
	if err != nil {
		return err
	}
	if !contains(space, netip.PrefixFrom(a, a.BitLen())) {
		return refuse("PrivateIPAddressNotInSubnet", "Private static IP address %s does not belong to the range of subnet prefix %v.", a, space)
	}
	t := network.FromEstate(view.Estate())
	for _, nic := range t.NICs {
		for _, other := range nic.Addrs {
			if other == a && nic.Subnet.Equal(subnet.ID) && !nic.ID.Equal(r.ID) && nic.Kind != network.KindCompute {
				return refuse("PrivateIPAddressIsAllocated", "IP configuration of %s is using the private IP address %s which is already allocated to resource %s.", r.ID, a, nic.ID)
			}
		}
	}
	return problems(view, r, "PrivateIPAddressInReservedRange")
}

// recordAddresses writes down the addresses that are given to the NIC, so that
// they stay its own while others come and go.
func recordAddresses(view cloud.View, r arm.Resource, configs []arm.Object) error {
	nic, ok := network.FromEstate(with(view, r)).NIC(r.ID)
	if !ok || len(nic.Addrs) != len(configs) {
		return refuse("SubnetIsFull", "Subnet of %s does not have enough capacity for %d IP addresses.", r.ID, len(configs))
	}
	for i, c := range configs {
		properties, _ := c["properties"].(map[string]any)
		properties["privateIPAddress"] = nic.Addrs[i].String()
		fill(properties, "privateIPAllocationMethod", "Dynamic")
	}
	return nil
}

func presentNIC(view cloud.View, r arm.Resource) arm.Resource {
	for i, c := range arm.Objects(r.Properties, "ipConfigurations") {
		if p, ok := c["properties"].(map[string]any); ok {
			fill(p, "primary", i == 0)
			fill(p, "privateIPAddressVersion", "IPv4")
		}
	}
	withIDs(r, "ipConfigurations", "ipConfigurations")
	if vms := usersOf(view, r.ID, "Microsoft.Compute/virtualMachines"); len(vms) > 0 {
		r.Properties["virtualMachine"] = arm.Object{"id": string(vms[0])}
		r.Properties["primary"] = true
	}
	fill(r.Properties, "macAddress", service.MAC(r.ID))
	fill(r.Properties, "enableAcceleratedNetworking", false)
	fill(r.Properties, "enableIPForwarding", false)
	fill(r.Properties, "dnsSettings", arm.Object{"dnsServers": []any{}, "appliedDnsServers": []any{}})
	fill(r.Properties, "nicType", "Standard")
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}

// findEndpointNIC makes the network interface of a private endpoint, which is no
// document of its own.
func findEndpointNIC(view cloud.View, id arm.ID) (arm.Resource, bool) {
	for _, pe := range view.Estate().OfType(service.TypePrivateEndpoint) {
		if endpointNIC(pe).Equal(id) {
			return makeEndpointNIC(view, pe), true
		}
	}
	return arm.Resource{}, false
}

// endpointNIC is the id of a private endpoint's network interface.
func endpointNIC(pe arm.Resource) arm.ID {
	name := arm.String(pe.Properties, "customNetworkInterfaceName")
	if name == "" {
		name = pe.Name + ".nic." + arm.StableGUID(pe.ID, "networkInterface")
	}
	return pe.ID.Group() + arm.ID("/providers/"+service.TypeNetworkInterface+"/"+name)
}

func makeEndpointNIC(view cloud.View, pe arm.Resource) arm.Resource {
	id := endpointNIC(pe)
	r := arm.Resource{ID: id, Name: id.Name(), Type: service.TypeNetworkInterface, Location: pe.Location, Properties: arm.Object{
		"privateEndpoint": arm.Object{"id": string(pe.ID)}, "provisioningState": "Succeeded",
	}}
	nic, _ := network.FromEstate(view.Estate()).NIC(pe.ID)
	configs := []any{}
	for i, a := range nic.Addrs {
		member := nic.Members[i]
		configs = append(configs, arm.Object{
			"name": "privateEndpointIpConfig." + arm.StableGUID(pe.ID, member),
			"properties": arm.Object{
				"privateIPAddress": a.String(), "privateIPAllocationMethod": "Dynamic", "primary": i == 0, "privateIPAddressVersion": "IPv4",
				"subnet": arm.Object{"id": string(nic.Subnet)},
				"privateLinkConnectionProperties": arm.Object{
					"groupId": nic.Group, "requiredMemberName": member, "fqdns": hostsOf(view, nic, member),
				},
			},
		})
	}
	r.Properties["ipConfigurations"] = configs
	return presentNIC(view, r)
}

func listNICs(view cloud.View, scope arm.ID, _ url.Values, stored []arm.Resource) ([]arm.Resource, error) {
	for _, pe := range view.Estate().OfType(service.TypePrivateEndpoint) {
		if pe.ID.Within(scope) {
			stored = append(stored, makeEndpointNIC(view, pe))
		}
	}
	return stored, nil
}
