package network_test

import (
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

// bastionRules are what Azure Bastion needs, in the words of its documentation.
func bastionRules() []any {
	rule := func(name string, priority int, direction, from, to string, ports ...any) any {
		return arm.Object{"name": name, "properties": arm.Object{
			"priority": float64(priority), "direction": direction, "access": "Allow", "protocol": "*", "sourcePortRange": "*",
			"sourceAddressPrefix": from, "destinationAddressPrefix": to, "destinationPortRanges": ports,
		}}
	}
	return []any{
		rule("https", 100, "Inbound", "Internet", "*", "443"),
		rule("gateway-manager", 110, "Inbound", "GatewayManager", "*", "443"),
		rule("load-balancer", 120, "Inbound", "AzureLoadBalancer", "*", "443"),
		rule("hosts-in", 130, "Inbound", "VirtualNetwork", "VirtualNetwork", "8080", "5701"),
		rule("ssh-rdp", 100, "Outbound", "*", "VirtualNetwork", "22", "3389"),
		rule("azure", 110, "Outbound", "*", "AzureCloud", "443"),
		rule("hosts-out", 120, "Outbound", "VirtualNetwork", "VirtualNetwork", "8080", "5701"),
		rule("certificates", 130, "Outbound", "*", "Internet", "80"),
	}
}

// denials come after the rules: Azure's own defaults would let some pass.
func denials() []any {
	var out []any
	for _, d := range []string{"Inbound", "Outbound"} {
		out = append(out, arm.Object{"name": "deny-" + d, "properties": arm.Object{
			"priority": 4096.0, "direction": d, "access": "Deny", "protocol": "*", "sourcePortRange": "*", "sourceAddressPrefix": "*",
			"destinationAddressPrefix": "*", "destinationPortRange": "*",
		}})
	}
	return out
}

func TestBastionSubnetNeedsItsRules(t *testing.T) {
	c, _, _ := start(t)
	id := func(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, group, typ, name) }
	vnet := id(service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	const typeNSG = "Microsoft.Network/networkSecurityGroups"
	nsg := func(name string, rules []any) arm.Resource {
		return arm.Resource{ID: id(typeNSG, name), Location: "westeurope", Properties: arm.Object{"securityRules": append(rules, denials()...)}}
	}
	subnet := func(nsg string) arm.Resource {
		return arm.Resource{ID: vnet.Child("subnets", "AzureBastionSubnet"), Properties: arm.Object{
			"addressPrefix": "10.0.0.0/26", "networkSecurityGroup": arm.Object{"id": string(id(typeNSG, nsg))},
		}}
	}
	all := bastionRules()
	for i := range all {
		if i == 0 {
			continue // from where people come is theirs to choose
		}
		put(t, c, nsg("nsg-short", slices.Delete(bastionRules(), i, i+1)))
		if _, err := c.Client().Put(t.Context(), subnet("nsg-short")); err == nil {
			t.Errorf("a group without %v is accepted", all[i])
		}
	}
	put(t, c, nsg("nsg-whole", all))
	put(t, c, subnet("nsg-whole"))
	if _, err := c.Client().Put(t.Context(), nsg("nsg-whole", all[:4])); err == nil {
		t.Error("rules are taken from a group that is in use by Bastion's subnet")
	}
	small := subnet("nsg-whole")
	small.ID, small.Properties["addressPrefix"] = vnet.Child("subnets", "other"), "10.0.1.0/26"
	put(t, c, small)
	public := arm.Resource{ID: id("Microsoft.Network/publicIPAddresses", "pip"), Location: "westeurope", SKU: arm.Object{"name": "Standard"}, Properties: arm.Object{"publicIPAllocationMethod": "Static"}}
	put(t, c, public)
	host := func(subnet arm.ID) arm.Resource {
		return arm.Resource{ID: id("Microsoft.Network/bastionHosts", "bas"), Location: "westeurope", Properties: arm.Object{"ipConfigurations": []any{
			arm.Object{"name": "default", "properties": arm.Object{"subnet": arm.Object{"id": string(subnet)}, "publicIPAddress": arm.Object{"id": string(public.ID)}}},
		}}}
	}
	if _, err := c.Client().Put(t.Context(), host(small.ID)); err == nil {
		t.Error("a Bastion host in a subnet of another name is accepted")
	}
	made := put(t, c, host(vnet.Child("subnets", "AzureBastionSubnet")))
	if arm.String(made.Properties, "dnsName") == "" {
		t.Errorf("made %+v", made.Properties)
	}
}
