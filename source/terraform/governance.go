package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeLock             = authorization + "/locks"
	typePolicyDefinition = authorization + "/policyDefinitions"
	typePolicySet        = authorization + "/policySetDefinitions"
	typePolicyAssignment = authorization + "/policyAssignments"
	typePolicyExemption  = authorization + "/policyExemptions"
	typeRemediation      = "Microsoft.PolicyInsights/remediations"
	typeDeployment       = "Microsoft.Resources/deployments"
)

// at is the id of an extension resource of the scope whose id an attribute gives.
func at(scopeAttr, scopeType, typ string) func(view) arm.ID {
	namespace, last, _ := strings.Cut(typ, "/")
	return func(v view) arm.ID {
		return scopeID(v, scopeAttr, scopeType).Extension(namespace, last, v.symbol("name"))
	}
}

// scopeID is the scope that an attribute gives: an id, or a subscription's GUID.
func scopeID(v view, attribute, typ string) arm.ID {
	s := v.text(attribute)
	switch {
	case s == "" && typ == arm.TypeSubscription:
		return arm.SubscriptionID(v.subscription)
	case s != "" && !strings.HasPrefix(s, "/") && typ == arm.TypeSubscription:
		return arm.SubscriptionID(s)
	case typ == arm.TypeManagementGroup && (s == "" || !strings.HasPrefix(s, "/")):
		return arm.ManagementGroupID(v.symbol(attribute))
	}
	return v.id(attribute, typ)
}

// inSubscription is the id of what is deployed to the subscription itself.
func inSubscription(typ string) func(view) arm.ID {
	namespace, last, _ := strings.Cut(typ, "/")
	return func(v view) arm.ID {
		return arm.SubscriptionID(v.subscription).Extension(namespace, last, v.symbol("name"))
	}
}

// defined is the id of a policy definition, which a management group or the
// subscription holds.
func defined(typ string) func(view) arm.ID {
	return func(v view) arm.ID {
		if v.has("management_group_id") {
			return at("management_group_id", arm.TypeManagementGroup, typ)(v)
		}
		return inSubscription(typ)(v)
	}
}

var policyDefinitionRows = tabled(`
	* description display_name mode policy_type
	metadata    ~parsed
	parameters  ~parsed
	policy_rule ~parsed
`)

var policySetRows = tabled(`
	* description display_name policy_type
	metadata    ~parsed
	parameters  ~parsed
	policy_definition_group[]: policyDefinitionGroups
		* category description display_name name
		additional_metadata_resource_id additionalMetadataId
	policy_definition_reference[]: policyDefinitions
		parameter_values parameters ~parsed
		policy_definition_id
		policy_group_names groupNames
		reference_id policyDefinitionReferenceId
		version definitionVersion
`)

const selectorRows = `
	overrides[]: overrides
		+kind policyEffect
		value
		selectors[]: selectors
			* in kind not_in
	resource_selectors[]: resourceSelectors
		name
		selectors[]: selectors
			* in kind not_in
`

var policyAssignmentRows = tabled(selectorRows, `
	* description display_name policy_definition_id
	enforce enforcementMode =Default ~enforcement
	metadata ~parsed
	not_scopes
	parameters ~parsed
	non_compliance_message[]: nonComplianceMessages
		content message
		policy_definition_reference_id
`)

var policyExemptionRows = tabled(`
	* description display_name exemption_category expires_on policy_assignment_id policy_definition_reference_ids
	metadata ~parsed
`)

var remediationRows = tabled(`
	failure_percentage failureThreshold.percentage
	location_filters filters.locations
	parallel_deployments
	policy_assignment_id
	policy_definition_reference_id|policy_definition_id policyDefinitionReferenceId
	resource_count
`)

// scopes are the four kinds of scope that policies are assigned at, by the word in
// the type's name.
var scopes = map[string]struct{ attribute, typ string }{
	"management_group": {"management_group_id", arm.TypeManagementGroup},
	"subscription":     {"subscription_id", arm.TypeSubscription},
	"resource_group":   {"resource_group_id", arm.TypeResourceGroup},
	"resource":         {"resource_id", "Microsoft.Resources/resources"},
}

// assigned are the kinds of policy assignments, exemptions and remediations.
func assigned() map[string]kind {
	out := map[string]kind{}
	for word, s := range scopes {
		out["azurerm_"+word+"_policy_assignment"] = kind{
			arm: typePolicyAssignment, id: at(s.attribute, s.typ, typePolicyAssignment), rows: policyAssignmentRows,
			finish: func(_ view, doc *arm.Resource) { doc.Properties["scope"] = string(doc.ID.Parent()) },
		}
		out["azurerm_"+word+"_policy_exemption"] = kind{
			arm: typePolicyExemption, id: at(s.attribute, s.typ, typePolicyExemption), rows: policyExemptionRows,
		}
		remediation := kind{arm: typeRemediation, id: at(s.attribute, s.typ, typeRemediation), rows: remediationRows}
		if word != "management_group" {
			remediation.rows = tabled(`resource_discovery_mode =ExistingNonCompliant`).and(remediationRows)
		}
		out["azurerm_"+word+"_policy_remediation"] = remediation
	}
	return out
}

var governanceKinds = gather(assigned(), map[string]kind{
	"azurerm_policy_definition": {
		arm: typePolicyDefinition, id: defined(typePolicyDefinition), rows: policyDefinitionRows,
		decide: func(_ view, id arm.ID) map[string]cty.Value { return nil },
	},
	"azurerm_policy_set_definition": {arm: typePolicySet, id: defined(typePolicySet), rows: policySetRows},
	"azurerm_management_group_policy_set_definition": {
		arm: typePolicySet, id: at("management_group_id", arm.TypeManagementGroup, typePolicySet), rows: policySetRows,
	},
	"azurerm_policy_assignment": {arm: typePolicyAssignment, id: at("scope", arm.TypeResourceGroup, typePolicyAssignment), rows: legacyAssignmentRows},
	"azurerm_management_lock": {
		arm:  typeLock,
		id:   at("scope", arm.TypeResourceGroup, typeLock),
		rows: tabled("lock_level level\nnotes"),
	},
	"azurerm_management_group": {
		arm: arm.TypeManagementGroup,
		id:  func(v view) arm.ID { return arm.ManagementGroupID(groupName(v)) },
		rows: tabled(`
			display_name
			parent_management_group_id details.parent.id
		`),
		decide: func(_ view, id arm.ID) map[string]cty.Value { return texts("name", id.Name()) },
	},
	"azurerm_management_group_subscription_association": {},
	"azurerm_subscription": {
		arm: "Microsoft.Subscription/aliases",
		id: func(v view) arm.ID {
			return arm.Tenant.Extension("Microsoft.Subscription", "aliases", subscriptionAlias(v))
		},
		rows: tabled(`
			billing_scope_id billingScope
			subscription_id
			subscription_name displayName
			workload
		`),
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("alias", id.Name())
			if !v.has("subscription_id") {
				out["subscription_id"] = cty.StringVal(arm.StableGUID(id, "subscriptionId"))
			}
			return out
		},
	},
	"azurerm_resource_provider_registration":       {},
	"azurerm_marketplace_agreement":                {},
	"azurerm_resource_provider_feature":            {},
	"azurerm_resource_group_template_deployment":   deployment(inGroup(typeDeployment)),
	"azurerm_template_deployment":                  deployment(inGroup(typeDeployment)),
	"azurerm_subscription_template_deployment":     deployment(inSubscription(typeDeployment)),
	"azurerm_management_group_template_deployment": deployment(at("management_group_id", arm.TypeManagementGroup, typeDeployment)),
	"azurerm_tenant_template_deployment": deployment(func(v view) arm.ID {
		return arm.Tenant.Extension("Microsoft.Resources", "deployments", v.symbol("name"))
	}),
	"azurerm_pim_eligible_role_assignment": pim("roleEligibilityScheduleRequests"),
	"azurerm_pim_active_role_assignment":   pim("roleAssignmentScheduleRequests"),
	"azurerm_policy_virtual_machine_configuration_assignment": {
		arm: "Microsoft.GuestConfiguration/guestConfigurationAssignments",
		id:  extensionOf("virtual_machine_id", typeVM, "Microsoft.GuestConfiguration", "guestConfigurationAssignments"),
		rows: tabled(`
			name guestConfiguration.name
			configuration: guestConfiguration
				* assignment_type content_hash content_uri version
				parameter[]: configurationParameter
					* name value
		`),
		effect: likeParent("virtual_machine_id", typeVM),
	},
	"azurerm_security_center_subscription_pricing": {
		arm: "Microsoft.Security/pricings",
		id: func(v view) arm.ID {
			name := or(v.json("resource_type"), "VirtualMachines")
			s, _ := name.(string)
			return arm.SubscriptionID(v.subscription).Extension("Microsoft.Security", "pricings", s)
		},
		rows: tabled(`
			tier pricingTier
			subplan subPlan
			extension[]: extensions
				name
				+isEnabled True
				additional_extension_properties
		`),
	},
	"azurerm_security_center_contact": {
		arm: "Microsoft.Security/securityContacts",
		id: func(v view) arm.ID {
			name := v.symbol("name")
			if !v.has("name") {
				name = "default1"
			}
			return arm.SubscriptionID(v.subscription).Extension("Microsoft.Security", "securityContacts", name)
		},
		rows: tabled(`
			alert_notifications alertNotifications ~onOff
			alerts_to_admins alertsToAdmins ~onOff
			* email phone
		`),
	},
	"azurerm_security_center_setting": {
		arm: "Microsoft.Security/settings",
		id: func(v view) arm.ID {
			return arm.SubscriptionID(v.subscription).Extension("Microsoft.Security", "settings", v.symbol("setting_name"))
		},
		rows: tabled("enabled\n+/kind DataExportSettings"),
	},
	"azurerm_security_center_workspace": {
		arm: "Microsoft.Security/workspaceSettings",
		id: func(v view) arm.ID {
			return scopeID(v, "scope", arm.TypeSubscription).Extension("Microsoft.Security", "workspaceSettings", "default")
		},
		rows: tabled("scope\nworkspace_id"),
	},
	"azurerm_security_center_auto_provisioning": {
		arm: "Microsoft.Security/autoProvisioningSettings",
		id: func(v view) arm.ID {
			return arm.SubscriptionID(v.subscription).Extension("Microsoft.Security", "autoProvisioningSettings", "default")
		},
		rows: tabled("auto_provision"),
	},
	"azurerm_security_center_storage_defender": {
		arm: "Microsoft.Security/defenderForStorageSettings",
		id: func(v view) arm.ID {
			return v.id("storage_account_id", "Microsoft.Storage/storageAccounts").Extension("Microsoft.Security", "defenderForStorageSettings", "current")
		},
		rows: tabled(`
			+isEnabled true
			malware_scanning_on_upload_enabled malwareScanning.onUpload.isEnabled =false
			malware_scanning_on_upload_cap_gb_per_month malwareScanning.onUpload.capGBPerMonth =-1
			scan_results_event_grid_topic_id malwareScanning.scanResultsEventGridTopicResourceId
			override_subscription_settings_enabled overrideSubscriptionLevelSettings =false
			sensitive_data_discovery_enabled sensitiveDataDiscovery.isEnabled =false
		`),
	},
	"azurerm_advanced_threat_protection": {
		arm: "Microsoft.Security/advancedThreatProtectionSettings",
		id: func(v view) arm.ID {
			return v.id("target_resource_id", "Microsoft.Storage/storageAccounts").Extension("Microsoft.Security", "advancedThreatProtectionSettings", "current")
		},
		rows: tabled("enabled isEnabled"),
	},
})

var legacyAssignmentRows = tabled(`
	* description display_name policy_definition_id
	enforcement_mode enforcementMode =Default ~enforcement
	metadata ~parsed
	not_scopes
	parameters ~parsed
`)

// enforcement is whether an assignment's effect is carried out.
func enforcement(v any) any {
	if v == false {
		return "DoNotEnforce"
	}
	return "Default"
}

func groupName(v view) string {
	if v.has("name") {
		return v.symbol("name")
	}
	return arm.StableGUID(arm.Tenant, "managementGroup/"+v.r.Address)
}

func subscriptionAlias(v view) string {
	if v.has("alias") {
		return v.symbol("alias")
	}
	return arm.StableGUID(arm.Tenant, "subscriptionAlias/"+v.r.Address)
}

// deployment is a template deployment, kept as what it is: its template is not
// read.
func deployment(id func(view) arm.ID) kind {
	return kind{
		arm: typeDeployment,
		id:  id,
		finish: func(v view, doc *arm.Resource) {
			p := doc.Properties
			p["mode"] = or(v.json("deployment_mode"), "Incremental")
			for to, names := range map[string][]string{"template": {"template_content", "template_body"}, "parameters": {"parameters_content", "parameters_body"}} {
				for _, name := range names {
					if val := v.encoded(name); val != nil {
						p[to] = val
					}
				}
			}
			if params, ok := v.json("parameters").(arm.Object); ok {
				all := arm.Object{}
				for name, val := range params {
					all[name] = arm.Object{"value": val}
				}
				p["parameters"] = all
			}
			if v.has("template_spec_version_id") {
				p["templateLink"] = arm.Object{"id": v.json("template_spec_version_id")}
			}
			p["debugSetting"] = arm.Object{"detailLevel": or(v.json("debug_level"), "none")}
		},
	}
}

// pim is a request of Privileged Identity Management: a role held, or to be
// claimed, for a time.
func pim(typ string) kind {
	return kind{
		arm: authorization + "/" + typ,
		id: func(v view) arm.ID {
			scope := v.id("scope", arm.TypeResourceGroup)
			return scope.Extension(authorization, typ, arm.StableGUID(scope, typ+"/"+v.symbol("role_definition_id")+"/"+v.symbol("principal_id")))
		},
		rows: tabled(`
			+requestType AdminAssign
			* principal_id role_definition_id justification
			schedule: scheduleInfo
				start_date_time
				expiration: expiration
					end_date_time
			ticket: ticketInfo
				number ticketNumber
				system ticketSystem
		`),
		finish: func(v view, doc *arm.Resource) {
			for unit, letter := range map[string]string{"duration_days": "P%sD", "duration_hours": "PT%sH"} {
				if n := v.json("schedule.expiration." + unit); n != nil {
					set(doc.Properties, "scheduleInfo.expiration.type", "AfterDuration")
					set(doc.Properties, "scheduleInfo.expiration.duration", strings.Replace(letter, "%s", words(text(n)), 1))
				}
			}
		},
	}
}
