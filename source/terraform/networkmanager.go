package terraform

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeManager   = "Microsoft.Network/networkManagers"
	typeGroup     = typeManager + "/networkGroups"
	typeAdmin     = typeManager + "/securityAdminConfigurations"
	typePerimeter = "Microsoft.Network/networkSecurityPerimeters"
)

var adminAddress = []prop{attr("address_prefix", "addressPrefix"), attr("address_prefix_type", "addressPrefixType")}

var networkManagerKinds = map[string]kind{
	"azurerm_network_manager": {
		arm: typeManager,
		id:  inGroup(typeManager),
		props: []prop{
			attr("description", "description"),
			attr("scope_accesses", "networkManagerScopeAccesses"),
			attr("scope.management_group_ids", "networkManagerScopes.managementGroups"),
			attr("scope.subscription_ids", "networkManagerScopes.subscriptions"),
		},
	},
	"azurerm_network_manager_network_group": {
		arm:   typeGroup,
		id:    childOf("network_manager_id", typeManager, "networkGroups"),
		props: []prop{attr("description", "description"), attr("member_type", "memberType").or("VirtualNetwork")},
	},
	"azurerm_network_manager_static_member": {
		arm:   typeGroup + "/staticMembers",
		id:    childOf("network_group_id", typeGroup, "staticMembers"),
		props: []prop{attr("target_virtual_network_id", "resourceId")},
	},
	"azurerm_network_manager_security_admin_configuration": {
		arm: typeAdmin,
		id:  childOf("network_manager_id", typeManager, "securityAdminConfigurations"),
		props: []prop{
			attr("description", "description"),
			attr("apply_on_network_intent_policy_based_services", "applyOnNetworkIntentPolicyBasedServices"),
		},
	},
	"azurerm_network_manager_admin_rule_collection": {
		arm: typeAdmin + "/ruleCollections",
		id:  childOf("security_admin_configuration_id", typeAdmin, "ruleCollections"),
		props: []prop{
			attr("description", "description"),
			attr("network_group_ids", "appliesToGroups").as(listed("networkGroupId", nil)),
		},
	},
	"azurerm_network_manager_admin_rule": {
		arm: typeAdmin + "/ruleCollections/rules",
		id:  childOf("admin_rule_collection_id", typeAdmin+"/ruleCollections", "rules"),
		props: []prop{
			attr("description", "description"),
			attr("action", "access"),
			attr("direction", "direction"),
			attr("priority", "priority"),
			attr("protocol", "protocol"),
			attr("source_port_ranges", "sourcePortRanges"),
			attr("destination_port_ranges", "destinationPortRanges"),
			each("source", "sources", adminAddress...),
			each("destination", "destinations", adminAddress...),
		},
		finish: func(_ view, doc *arm.Resource) { doc.Kind = "Custom" },
	},
	"azurerm_network_manager_connectivity_configuration": {
		arm: typeManager + "/connectivityConfigurations",
		id:  childOf("network_manager_id", typeManager, "connectivityConfigurations"),
		props: []prop{
			attr("description", "description"),
			attr("connectivity_topology", "connectivityTopology"),
			attr("delete_existing_peering_enabled", "deleteExistingPeering").or("False").as(worded("True", "False")),
			attr("global_mesh_enabled", "isGlobal").or("False").as(worded("True", "False")),
			attr("connected_group_address_overlap_enabled", "connectivityCapabilities.connectedGroupAddressOverlap").or("Allowed").as(worded("Allowed", "Disallowed")),
			attr("connected_group_private_endpoints_scale", "connectivityCapabilities.connectedGroupPrivateEndpointsScale").or("Standard"),
			attr("peering_enforcement_enabled", "connectivityCapabilities.peeringEnforcement").or("Unenforced").as(worded("Enforced", "Unenforced")),
			each("applies_to_group", "appliesToGroups",
				attr("group_connectivity", "groupConnectivity"),
				attr("network_group_id", "networkGroupId"),
				attr("global_mesh_enabled", "isGlobal").or("False").as(worded("True", "False")),
				attr("use_hub_gateway", "useHubGateway").or("False").as(worded("True", "False"))),
			each("hub", "hubs", attr("resource_id", "resourceId"), attr("resource_type", "resourceType")),
		},
	},
	"azurerm_network_manager_ipam_pool": {
		arm: typeManager + "/ipamPools",
		id:  childOf("network_manager_id", typeManager, "ipamPools"),
		props: []prop{
			attr("address_prefixes", "addressPrefixes"),
			attr("description", "description"),
			attr("display_name", "displayName"),
			attr("parent_pool_name", "parentPoolName"),
		},
	},
	// What a region was last told to put in force: an action without a document in
	// Azure, which has one here so that it can be seen what takes hold.
	"azurerm_network_manager_deployment": {
		arm: typeManager + "/commits",
		id: func(v view) arm.ID {
			return v.id("network_manager_id", typeManager).Child("commits", v.symbol("scope_access")+"-"+service.Region(v.symbol("location")))
		},
		props: []prop{
			attr("scope_access", "commitType"),
			attr("location", "targetLocations").as(inRegion),
			attr("configuration_ids", "configurationIds"),
		},
	},
}

// inRegion is a list of one region.
func inRegion(v any) any {
	name, _ := v.(string)
	return []any{service.Region(name)}
}

var perimeterKinds = map[string]kind{
	"azurerm_network_security_perimeter": {arm: typePerimeter, id: inGroup(typePerimeter)},
	"azurerm_network_security_perimeter_profile": {
		arm: typePerimeter + "/profiles",
		id:  childOf("network_security_perimeter_id", typePerimeter, "profiles"),
	},
	"azurerm_network_security_perimeter_access_rule": {
		arm: typePerimeter + "/profiles/accessRules",
		id:  childOf("network_security_perimeter_profile_id", typePerimeter+"/profiles", "accessRules"),
		props: []prop{
			attr("direction", "direction"),
			attr("address_prefixes", "addressPrefixes"),
			attr("fqdns", "fullyQualifiedDomainNames"),
			attr("service_tags", "serviceTags"),
			attr("subscription_ids", "subscriptions").as(references),
		},
	},
	"azurerm_network_security_perimeter_association": {
		arm: typePerimeter + "/resourceAssociations",
		id: func(v view) arm.ID {
			profile := v.id("network_security_perimeter_profile_id", typePerimeter+"/profiles")
			return profile.Parent().Child("resourceAssociations", v.symbol("name"))
		},
		props: []prop{
			attr("access_mode", "accessMode"),
			attr("network_security_perimeter_profile_id", "profile.id"),
			attr("resource_id", "privateLinkResource.id"),
		},
	},
}
