package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

const typeBalancer = "Microsoft.Network/loadBalancers"

// partsOfBalancer are the lists of a load balancer whose elements have ids.
var partsOfBalancer = []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "inboundNatPools", "outboundRules"}

// balancerTypes are load balancers.
func balancerTypes() []cloud.Type {
	return []cloud.Type{{Name: typeBalancer, Prepare: prepareBalancer, CanDelete: unusedBalancer, Present: presentBalancer}}
}

// unusedBalancer refuses to delete a load balancer that machines are behind.
func unusedBalancer(view cloud.View, r arm.Resource) error {
	const code = "InUseLoadBalancerCannotBeDeleted"
	for _, nic := range view.Estate().OfType(service.TypeNetworkInterface) {
		for _, p := range arm.Objects(r.Properties, "backendAddressPools") {
			if len(inPool(nic, r.ID.Child("backendAddressPools", arm.String(p, "name")))) > 0 {
				return refuse(code, "%s cannot be deleted because it is in use by the following resources: %s.", r.ID, nic.ID)
			}
		}
	}
	return unused(code)(view, r)
}

// balancerParts are the elements of load balancers that have addresses of their own.
func balancerParts() []cloud.Type {
	var out []cloud.Type
	for _, list := range partsOfBalancer {
		out = append(out, cloud.Type{Name: typeBalancer + "/" + list, Nested: list})
	}
	return out
}

func prepareBalancer(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	for _, f := range arm.Objects(r.Properties, "frontendIPConfigurations") {
		if err := checkFrontend(view, r, f); err != nil {
			return r, err
		}
		if old != nil {
			keepFrontend(*old, f)
		}
	}
	if err := checkParts(r); err != nil {
		return r, err
	}
	if err := checkPorts(r); err != nil {
		return r, err
	}
	if err := oneNetwork(view, r); err != nil {
		return r, err
	}
	recordFrontends(view, r)
	return r, nil
}

// checkFrontend asks that a frontend is private or public, and that both are of one
// SKU. Source: Microsoft Learn, "Azure Load Balancer SKUs".
func checkFrontend(view cloud.View, r arm.Resource, f arm.Object) error {
	subnet, inside, err := reference(view, r, f, "properties.subnet.id", typeSubnet)
	if err != nil {
		return err
	}
	public, outside, err := reference(view, r, f, "properties.publicIPAddress.id", typePublicIP)
	if err != nil {
		return err
	}
	switch name := arm.String(f, "name"); {
	case inside == outside && arm.String(f, "properties.publicIPPrefix.id") == "":
		return refuse("LoadBalancerFrontendIPConfigurationMustHaveSubnetOrPublicIP", "Frontend %s of load balancer %s must refer to a subnet or to a public IP address, and not to both.", name, r.ID)
	case outside && standard(public.SKU) != standard(r.SKU):
		return refuse("PublicIPAndLBSkuDoNotMatch", "The SKU of load balancer %s does not match that of public IP address %s.", r.ID, public.ID)
	case outside:
		return freePublicIP(view, r, public)
	case inside:
		if err := inRegion(view, r, subnet); err != nil {
			return err
		}
		if a := arm.String(f, "properties.privateIPAddress"); a != "" {
			return checkAddress(view, r, subnet, f, a)
		}
	}
	return nil
}

func standard(sku arm.Object) bool { return strings.EqualFold(arm.String(sku, "name"), "Standard") }

// checkParts asks that rules name parts that the load balancer has.
func checkParts(r arm.Resource) error {
	for _, list := range []string{"loadBalancingRules", "inboundNatRules", "inboundNatPools", "outboundRules"} {
		for _, rule := range arm.Objects(r.Properties, list) {
			var named []string
			for _, path := range []string{"frontendIPConfiguration.id", "backendAddressPool.id", "probe.id"} {
				named = append(named, arm.String(rule, "properties."+path))
			}
			for _, path := range []string{"frontendIPConfigurations", "backendAddressPools"} {
				for _, o := range arm.Objects(rule, "properties."+path) {
					named = append(named, arm.String(o, "id"))
				}
			}
			for _, text := range named {
				if text != "" && !hasPart(r, text) {
					return refuse("InvalidResourceReference", "Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", text, r.ID.Child(list, arm.String(rule, "name")))
				}
			}
			if list != "outboundRules" && named[0] == "" {
				return refuse("MissingJsonReference", "Value for reference id is missing. Path properties.%s.properties.frontendIPConfiguration of %s.", list, r.ID)
			}
		}
	}
	return nil
}

func hasPart(r arm.Resource, text string) bool {
	id, err := arm.ParseID(text)
	if err != nil || !id.Parent().Equal(r.ID) {
		return false
	}
	for _, list := range partsOfBalancer {
		for _, o := range arm.Objects(r.Properties, list) {
			if id.Equal(r.ID.Child(list, arm.String(o, "name"))) {
				return true
			}
		}
	}
	return false
}

// checkPorts refuses two rules that take the same connections, and probes that ask
// nothing. Source: Azure REST API, "Load Balancers - Create Or Update".
func checkPorts(r arm.Resource) error {
	taken := map[string]string{}
	for _, list := range []string{"loadBalancingRules", "inboundNatRules"} {
		for _, rule := range arm.Objects(r.Properties, list) {
			name, port := arm.String(rule, "name"), arm.Int(rule, "properties.frontendPort", 0)
			if port < 0 || port > 65535 {
				return refuse("InvalidRequestFormat", "The frontend port %d of rule %s must be between 0 and 65535.", port, name)
			}
			if list == "inboundNatRules" && arm.String(rule, "properties.backendAddressPool.id") != "" {
				continue
			}
			key := strings.ToLower(fmt.Sprint(arm.String(rule, "properties.frontendIPConfiguration.id"), " ", arm.String(rule, "properties.protocol"), " ", port))
			if other, ok := taken[key]; ok {
				return refuse("RulesUseSameFrontendPortProtocolAndIPConfig", "Load balancer rules %s and %s use the same frontend IP configuration, protocol and frontend port %d.", other, name, port)
			}
			taken[key] = name
		}
	}
	for _, p := range arm.Objects(r.Properties, "probes") {
		port, path := arm.Int(p, "properties.port", 0), arm.String(p, "properties.requestPath")
		switch tcp := strings.EqualFold(arm.String(p, "properties.protocol"), "Tcp"); {
		case port < 1 || port > 65535:
			return refuse("LoadBalancerProbePortInvalid", "The port %d of probe %s must be between 1 and 65535.", port, arm.String(p, "name"))
		case tcp && path != "":
			return refuse("LoadBalancerTcpProbeMustNotHaveRequestPath", "Probe %s is of protocol Tcp and must not have a request path.", arm.String(p, "name"))
		case !tcp && path == "":
			return refuse("LoadBalancerHttpProbeMustHaveRequestPath", "Probe %s of protocol %s must have a request path.", arm.String(p, "name"), arm.String(p, "properties.protocol"))
		}
	}
	return nil
}

// oneNetwork refuses a pool whose machines are of several networks, or that lists
// addresses of none. Source: Microsoft Learn, "Backend pool management".
func oneNetwork(view cloud.View, r arm.Resource) error {
	for _, p := range arm.Objects(r.Properties, "backendAddressPools") {
		var first arm.ID
		common := arm.String(p, "properties.virtualNetwork.id")
		for _, a := range arm.Objects(p, "properties.loadBalancerBackendAddresses") {
			if arm.String(a, "properties.networkInterfaceIPConfiguration.id") != "" {
				continue
			}
			text := arm.String(a, "properties.virtualNetwork.id")
			if text == "" {
				text = common
			}
			if text == "" && arm.String(a, "properties.subnet.id") != "" {
				text = string(arm.ID(arm.String(a, "properties.subnet.id")).Parent())
			}
			if text == "" {
				return refuse("BackendAddressMustHaveVirtualNetwork", "Backend address %s of pool %s must refer to a virtual network.", arm.String(a, "name"), arm.String(p, "name"))
			}
			id := arm.ID(text)
			if _, ok := view.Get(id); !ok {
				return missing(r, id)
			}
			if first != "" && !first.Equal(id) {
				return refuse("BackendAddressPoolAcrossVirtualNetworks", "Backend addresses of pool %s are in the virtual networks %s and %s: all must be in one.", arm.String(p, "name"), first, id)
			}
			first = id
		}
	}
	return nil
}

// checkPools asks that the pools and NAT rules that a network interface names are
// there, and that the machines of a pool are in one network.
func checkPools(view cloud.View, r arm.Resource, c arm.Object, vnet arm.ID) error {
	for _, list := range []string{"backendAddressPools", "inboundNatRules", "inboundNatPools"} {
		for _, o := range arm.Objects(c, "properties.loadBalancer"+strings.ToUpper(list[:1])+list[1:]) {
			id := arm.ID(arm.String(o, "id"))
			lb, ok := view.Get(id.Parent())
			if !ok || !hasPart(lb, string(id)) {
				return missing(r, id)
			}
			for _, n := range network.FromEstate(view.Estate()).NICs {
				if list != "backendAddressPools" || n.ID.Equal(r.ID) || n.Subnet.Parent().Equal(vnet) {
					continue
				}
				if other, _ := view.Get(n.ID); len(inPool(other, id)) > 0 {
					return refuse("NetworkInterfacesInBackendPoolMustBeInSameVirtualNetwork", "Network interface %s cannot be in backend pool %s: %s is in another virtual network.", r.ID, id, n.ID)
				}
			}
		}
	}
	return nil
}

// inPool are the IP configurations of a network interface that are in a pool.
func inPool(nic arm.Resource, pool arm.ID) []arm.Object {
	return slices.DeleteFunc(slices.Clone(arm.Objects(nic.Properties, "ipConfigurations")), func(c arm.Object) bool {
		return !slices.ContainsFunc(arm.Objects(c, "properties.loadBalancerBackendAddressPools"), func(p arm.Object) bool { return arm.ID(arm.String(p, "id")).Equal(pool) })
	})
}

// keepFrontend keeps the address that was chosen for a frontend before, as long as
// the subnet is the same.
func keepFrontend(old arm.Resource, f arm.Object) {
	for _, was := range arm.Objects(old.Properties, "frontendIPConfigurations") {
		if strings.EqualFold(arm.String(was, "name"), arm.String(f, "name")) && arm.Ref(was, "properties.subnet.id").Equal(arm.Ref(f, "properties.subnet.id")) &&
			!strings.EqualFold(arm.String(f, "properties.privateIPAllocationMethod"), "Static") && arm.String(was, "properties.subnet.id") != "" {
			keepAddress(f, arm.String(was, "properties.privateIPAddress"))
		}
	}
}

// recordFrontends writes the addresses of internal frontends into the document.
func recordFrontends(view cloud.View, r arm.Resource) {
	for _, fe := range network.FromEstate(with(view, r)).Frontends() {
		for _, f := range arm.Objects(r.Properties, "frontendIPConfigurations") {
			p, ok := f["properties"].(map[string]any)
			if !ok || fe.Public || !fe.ID.Equal(r.ID.Child("frontendIPConfigurations", arm.String(f, "name"))) {
				continue
			}
			p["privateIPAddress"] = fe.Address.String()
			fill(p, "privateIPAllocationMethod", "Dynamic")
			fill(p, "privateIPAddressVersion", "IPv4")
		}
	}
}

func presentBalancer(view cloud.View, r arm.Resource) arm.Resource {
	for _, list := range partsOfBalancer {
		withIDs(r, list, list)
		fill(r.Properties, list, []any{})
	}
	for _, p := range arm.Objects(r.Properties, "backendAddressPools") {
		showMembers(view, r, p)
	}
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}

// showMembers adds to a pool the configurations of network interfaces that are in it.
func showMembers(view cloud.View, r arm.Resource, pool arm.Object) {
	id := r.ID.Child("backendAddressPools", arm.String(pool, "name"))
	var configs []any
	for _, nic := range view.Estate().OfType(service.TypeNetworkInterface) {
		for _, c := range inPool(nic, id) {
			configs = append(configs, arm.Object{"id": string(nic.ID.Child("ipConfigurations", arm.String(c, "name")))})
		}
	}
	if p, ok := pool["properties"].(map[string]any); ok && len(configs) > 0 {
		p["backendIPConfigurations"] = configs
	} else if len(configs) > 0 {
		pool["properties"] = arm.Object{"backendIPConfigurations": configs}
	}
}
