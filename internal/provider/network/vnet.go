package network

import (
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// vnetChildren are the children that a virtual network can be written with.
var vnetChildren = map[string]string{"subnets": typeSubnet, "virtualNetworkPeerings": typePeering}

// splitVNet takes subnets and peerings out of a virtual network.
func splitVNet(r arm.Resource) (arm.Resource, map[string][]arm.Resource) {
	r.Properties = arm.Clone(r.Properties)
	children := map[string][]arm.Resource{}
	for field, typ := range vnetChildren {
		if _, ok := arm.Lookup(r.Properties, field); !ok {
			continue // not spoken of: what is there stays
		}
		list := []arm.Resource{}
		for _, o := range arm.Objects(r.Properties, field) {
			properties, _ := o["properties"].(map[string]any)
			list = append(list, arm.Resource{Name: arm.String(o, "name"), Properties: writable(typ, properties)})
		}
		children[typ] = list
		remove(r.Properties, field)
	}
	return r, children
}

func prepareVNet(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	for _, computed := range []string{"resourceGuid", "defaultPublicNatGateway", "subnets", "virtualNetworkPeerings"} {
		remove(r.Properties, computed)
	}
	space, err := prefixes(r.Properties, "addressSpace.addressPrefixes")
	if err != nil {
		return r, err
	}
	if len(space) == 0 {
		return r, refuse("NullOrEmptyAddressSpace", "The address space of virtual network %s is empty. Give at least one prefix.", r.Name)
	}
	for i, p := range space {
		if overlaps(space[:i], p) {
			return r, refuse("AddressSpaceOverlap", "Address prefix %s of virtual network %s overlaps another of its prefixes.", p, r.Name)
		}
	}
	for _, s := range view.Estate().Children(r.ID, typeSubnet) {
		inside, err := prefixes(s.Properties, "addressPrefix", "addressPrefixes")
		if err != nil {
			return r, err
		}
		for _, p := range inside {
			if !contains(space, p) {
				return r, refuse("InUsePrefixCannotBeDeleted", "IpPrefix %s on Vnet %s has active allocations and cannot be deleted: subnet %s lies in it.", p, r.Name, s.Name)
			}
		}
	}
	return r, problems(view, r, "VnetAddressSpacesOverlap")
}

func presentVNet(view cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	fill(r.Properties, "enableDdosProtection", false)
	fill(r.Properties, "dhcpOptions", arm.Object{"dnsServers": []any{}})
	for field, typ := range vnetChildren {
		list := []any{}
		for _, child := range view.Estate().Children(r.ID, typ) {
			child.Properties = arm.Clone(child.Properties)
			if typ == typeSubnet {
				child = presentSubnet(view, child)
			} else {
				child = presentPeering(view, child)
			}
			list = append(list, arm.Object{"id": string(child.ID), "name": child.Name, "type": child.Type, "properties": child.Properties})
		}
		r.Properties[field] = list
	}
	return r
}

// Properties of subnets and peerings that follow from other documents: clients
// send back what they were shown.
var computedOf = map[string][]string{
	typeSubnet:  {"ipConfigurations", "privateEndpoints", "provisioningState", "purpose", "resourceNavigationLinks", "serviceAssociationLinks", "ipConfigurationProfiles"},
	typePeering: {"peeringState", "peeringSyncLevel", "provisioningState", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace", "resourceGuid"},
}

func writable(typ string, properties arm.Object) arm.Object {
	if properties == nil {
		properties = arm.Object{}
	}
	for _, field := range computedOf[typ] {
		remove(properties, field)
	}
	return properties
}

func prepareSubnet(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(r); err != nil {
		return r, err
	}
	r.Properties = writable(typeSubnet, r.Properties)
	vnet, ok := view.Get(r.ID.Parent())
	if !ok {
		return r, missing(r, r.ID.Parent())
	}
	if err := checkSubnetPrefixes(view, vnet, old, r); err != nil {
		return r, err
	}
	err := optional(view, r, map[string]string{
		"networkSecurityGroup.id": typeNSG, "routeTable.id": typeRouteTable, "natGateway.id": typeNAT,
	})
	if err != nil {
		return r, err
	}
	if strings.EqualFold(r.Name, bastionSubnet) {
		if err := checkBastionSubnet(with(view, r), r.ID); err != nil {
			return r, err
		}
	}
	return r, problems(view, r, "NetcfgInvalidSubnet")
}

func checkSubnetPrefixes(view cloud.View, vnet arm.Resource, old *arm.Resource, r arm.Resource) error {
	mine, err := prefixes(r.Properties, "addressPrefix", "addressPrefixes")
	if err != nil {
		return err
	}
	if len(mine) == 0 {
		return refuse("AddressPrefixStringCannotBeNullOrEmpty", "Address prefix string for resource %s cannot be null or empty.", r.ID)
	}
	space, err := prefixes(vnet.Properties, "addressSpace.addressPrefixes")
	if err != nil {
		return err
	}
	for _, p := range mine {
		if !contains(space, p) || p.Addr().Is4() && p.Bits() > 29 {
			return refuse("NetcfgInvalidSubnet", "Subnet '%s' is not valid in virtual network '%s': %s is not within its address space, or is smaller than a /29.", r.Name, vnet.Name, p)
		}
	}
	for _, other := range view.Estate().Children(vnet.ID, typeSubnet) {
		if other.ID.Equal(r.ID) {
			continue
		}
		theirs, err := prefixes(other.Properties, "addressPrefix", "addressPrefixes")
		if err != nil {
			continue // refused when it was written
		}
		for _, p := range mine {
			if overlaps(theirs, p) {
				return refuse("NetcfgSubnetRangesOverlap", "Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '%s': %s has %v.", r.Name, vnet.Name, other.Name, theirs)
			}
		}
	}
	return checkShrink(view, old, r, mine)
}

// checkShrink refuses new prefixes that leave out an address which is in use.
func checkShrink(view cloud.View, old *arm.Resource, r arm.Resource, mine []netip.Prefix) error {
	if old == nil {
		return nil
	}
	for _, nic := range network.FromEstate(view.Estate()).NICs {
		if !nic.Subnet.Equal(r.ID) || nic.Kind == network.KindCompute {
			continue
		}
		for _, a := range nic.Addrs {
			if !contains(mine, netip.PrefixFrom(a, a.BitLen())) {
				return refuse("InUsePrefixCannotBeDeleted", "The prefix of subnet %s cannot be changed: %s of %s is in it.", r.Name, a, nic.ID)
			}
		}
	}
	return nil
}

func presentSubnet(view cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "privateEndpointNetworkPolicies", "Disabled")
	fill(r.Properties, "privateLinkServiceNetworkPolicies", "Enabled")
	fill(r.Properties, "delegations", []any{})
	if list := usersOf(view, r.ID, service.TypePrivateEndpoint); len(list) > 0 {
		r.Properties["privateEndpoints"] = refs(list)
		r.Properties["purpose"] = "PrivateEndpoints"
	}
	var configs []any
	for _, e := range view.Estate().ReferencesTo(r.ID) {
		if user, ok := view.Get(e.From); ok && user.IsType(service.TypeNetworkInterface) {
			for _, c := range arm.Objects(user.Properties, "ipConfigurations") {
				if arm.Ref(c, "properties.subnet.id").Equal(r.ID) {
					configs = append(configs, arm.Object{"id": string(user.ID.Child("ipConfigurations", arm.String(c, "name")))})
				}
			}
		}
	}
	if configs != nil {
		r.Properties["ipConfigurations"] = configs
	}
	return r
}

func canDeleteSubnet(view cloud.View, r arm.Resource) error {
	if by := users(view, r.ID); len(by) > 0 {
		return refuse("InUseSubnetCannotBeDeleted", "Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.", r.Name, join(by))
	}
	return nil
}
