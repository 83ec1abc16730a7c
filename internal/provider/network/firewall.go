package network

import (
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
)

const (
	typeFirewall  = "Microsoft.Network/azureFirewalls"
	typePolicy    = "Microsoft.Network/firewallPolicies"
	typeRuleGroup = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
	typeIPGroup   = "Microsoft.Network/ipGroups"

	firewallSubnet = "AzureFirewallSubnet"
)

// firewallTypes are Azure Firewalls in virtual networks with what holds their
// rules. Firewalls of virtual hubs are checked and kept.
func firewallTypes() []cloud.Type {
	return []cloud.Type{
		{Name: typeFirewall, Prepare: prepareFirewall, Present: presentFirewall, Runs: func(r arm.Resource) bool {
			return len(arm.Objects(r.Properties, "ipConfigurations")) > 0
		}},
		{Name: typePolicy, Prepare: preparePolicy, CanDelete: unused("FirewallPolicyInUse"), Present: presentPolicy},
		{Name: typeRuleGroup, Prepare: prepareRuleGroup},
		{Name: typeIPGroup, Prepare: located, CanDelete: unused("IpGroupInUse"), Present: presentIPGroup},
	}
}

// prepareFirewall asks for the subnet that firewalls live in, and gives it an
// address there. Source: Microsoft Learn, "Azure Firewall FAQ".
func prepareFirewall(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	configs := arm.Objects(r.Properties, "ipConfigurations")
	if len(configs) == 0 {
		return r, nil
	}
	subnet, err := required(view, r, configs[0], "properties.subnet.id", typeSubnet)
	if err != nil {
		return r, err
	}
	if !strings.EqualFold(subnet.Name, firewallSubnet) {
		return r, refuse("AzureFirewallSubnetNameInvalid", "The subnet of Azure Firewall %s must be named %s, and is %s.", r.Name, firewallSubnet, subnet.Name)
	}
	if err := inRegion(view, r, subnet); err != nil {
		return r, err
	}
	for _, c := range configs {
		if _, err := required(view, r, c, "properties.publicIPAddress.id", typePublicIP); err != nil {
			return r, err
		}
	}
	if old != nil {
		if before := arm.Objects(old.Properties, "ipConfigurations"); len(before) > 0 {
			keepAddress(configs[0], arm.String(before[0], "properties.privateIPAddress"))
		}
	}
	return r, recordFirewall(view, r, configs[0])
}

func keepAddress(c arm.Object, address string) {
	if p, ok := c["properties"].(map[string]any); ok && address != "" {
		fill(p, "privateIPAddress", address)
	}
}

// recordFirewall writes the address that the firewall has into its document.
func recordFirewall(view cloud.View, r arm.Resource, config arm.Object) error {
	for _, fw := range network.FromEstate(with(view, r)).Firewalls {
		if !fw.ID.Equal(r.ID) {
			continue
		}
		if !fw.Private.IsValid() {
			return refuse("SubnetIsFull", "Subnet of %s does not have an address for it.", r.ID)
		}
		if p, ok := config["properties"].(map[string]any); ok {
			p["privateIPAddress"] = fw.Private.String()
			fill(p, "privateIPAllocationMethod", "Dynamic")
		}
	}
	return nil
}

func presentFirewall(_ cloud.View, r arm.Resource) arm.Resource {
	withIDs(r, "ipConfigurations", "azureFirewallIpConfigurations")
	for _, list := range []string{"networkRuleCollections", "applicationRuleCollections", "natRuleCollections"} {
		fill(r.Properties, list, []any{})
	}
	fill(r.Properties, "threatIntelMode", "Alert")
	return r
}

func preparePolicy(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	return r, optional(view, r, map[string]string{"basePolicy.id": typePolicy})
}

func presentPolicy(view cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "threatIntelMode", "Alert")
	r.Properties["firewalls"] = refs(usersOf(view, r.ID, typeFirewall))
	r.Properties["childPolicies"] = refs(usersOf(view, r.ID, typePolicy))
	var groups []arm.ID
	for _, g := range view.Estate().Children(r.ID, typeRuleGroup) {
		groups = append(groups, g.ID)
	}
	r.Properties["ruleCollectionGroups"] = refs(groups)
	return r
}

// Priorities of rule collection groups and rule collections. Source: Azure REST
// API, "Rule Collection Groups - Create Or Update".
const (
	firstPriority = 100
	lastPriority  = 65000
)

func prepareRuleGroup(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	for _, o := range append([]arm.Object{r.Properties}, arm.Objects(r.Properties, "ruleCollections")...) {
		if p := arm.Int(o, "priority", firstPriority); p < firstPriority || p > lastPriority {
			return r, refuse("FirewallPolicyRuleCollectionGroupInvalidPriorityValue", "Invalid priority %d in %s: it must be between %d and %d.", p, r.ID, firstPriority, lastPriority)
		}
	}
	for _, c := range arm.Objects(r.Properties, "ruleCollections") {
		for _, rule := range arm.Objects(c, "rules") {
			if a := arm.String(rule, "translatedAddress"); a != "" {
				if _, err := netip.ParseAddr(a); err != nil {
					return r, refuse("FirewallPolicyNatRuleInvalidTranslatedAddress", "The translated address %q of rule %s in %s is not an IP address.", a, arm.String(rule, "name"), r.ID)
				}
			}
		}
	}
	return r, nil
}

func presentIPGroup(view cloud.View, r arm.Resource) arm.Resource {
	r.Properties["firewalls"] = refs(usersOf(view, r.ID, typeFirewall))
	r.Properties["firewallPolicies"] = refs(usersOf(view, r.ID, typePolicy))
	return r
}
