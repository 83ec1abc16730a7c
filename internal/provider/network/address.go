package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

func preparePublicIP(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	for _, computed := range []string{"ipAddress", "ipConfiguration", "natGateway", "resourceGuid"} {
		remove(r.Properties, computed)
	}
	standard := strings.EqualFold(arm.String(r.SKU, "name"), "Standard")
	if standard && !strings.EqualFold(arm.String(r.Properties, "publicIPAllocationMethod"), "Static") {
		return r, refuse("StandardSkuPublicIPAddressesMustBeStatic", "Standard sku public IP address %s must have AllocationMethod set to Static.", r.ID)
	}
	if old != nil {
		if a := arm.String(old.Properties, "ipAddress"); a != "" && isSix(old.Properties, "publicIPAddressVersion") == isSix(r.Properties, "publicIPAddressVersion") {
			r.Properties["ipAddress"] = a
			return r, nil
		}
	}
	a := network.FromEstate(with(view, r)).PublicIP(r.ID)
	if !a.IsValid() {
		space := service.Customer
		if isSix(r.Properties, "publicIPAddressVersion") {
			space = service.Customer6
		}
		return r, refuse("PublicIPAddressesExhausted", "There is no public address left for %s: %s are given out.", r.ID, space)
	}
	r.Properties["ipAddress"] = a.String()
	return r, nil
}

func presentPublicIP(view cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "publicIPAllocationMethod", "Dynamic")
	fill(r.Properties, "publicIPAddressVersion", "IPv4")
	fill(r.Properties, "idleTimeoutInMinutes", 4.0)
	fill(r.Properties, "ipTags", []any{})
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	fill(r.Properties, "ddosSettings", arm.Object{"protectionMode": "VirtualNetworkInherited"})
	for _, u := range users(view, r.ID) {
		if strings.EqualFold(u.Type(), typeNAT) {
			r.Properties["natGateway"] = arm.Object{"id": string(u)}
			continue
		}
		user, _ := view.Get(u)
		for _, c := range arm.Objects(user.Properties, "ipConfigurations") {
			if arm.Ref(c, "properties.publicIPAddress.id").Equal(r.ID) {
				kind := "ipConfigurations"
				if user.IsType(typeBastion) {
					kind = "bastionHostIpConfigurations"
				}
				r.Properties["ipConfiguration"] = arm.Object{"id": string(u.Child(kind, arm.String(c, "name")))}
			}
		}
	}
	return r
}

func prepareNAT(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	remove(r.Properties, "subnets")
	remove(r.Properties, "resourceGuid")
	for _, o := range arm.Objects(r.Properties, "publicIpAddresses") {
		public, err := required(view, r, o, "id", typePublicIP)
		if err != nil {
			return r, err
		}
		if err := freePublicIP(view, r, public); err != nil {
			return r, err
		}
	}
	return r, nil
}

func presentNAT(view cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "idleTimeoutInMinutes", 4.0)
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	if list := usersOf(view, r.ID, typeSubnet); len(list) > 0 {
		r.Properties["subnets"] = refs(list)
	}
	return r
}

func prepareRouteTable(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	remove(r.Properties, "subnets")
	remove(r.Properties, "resourceGuid")
	plainElements(r.Properties, "routes")
	names := map[string]bool{}
	for _, route := range arm.Objects(r.Properties, "routes") {
		name := arm.String(route, "name")
		if !resourceName.MatchString(name) || names[strings.ToLower(name)] {
			return r, refuse("InvalidResourceName", "Resource name %s is invalid, or is there twice: it is the name of a route of %s.", name, r.ID)
		}
		names[strings.ToLower(name)] = true
	}
	return r, problems(view, r, "InvalidRoute")
}

func presentRouteTable(view cloud.View, r arm.Resource) arm.Resource {
	withIDs(r, "routes", "routes")
	fill(r.Properties, "disableBgpRoutePropagation", false)
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	if list := usersOf(view, r.ID, typeSubnet); len(list) > 0 {
		r.Properties["subnets"] = refs(list)
	}
	return r
}
