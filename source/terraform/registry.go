package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

var registryKinds = map[string]kind{
	"azurerm_container_registry": {
		arm: service.TypeRegistry,
		id:  inGroup(service.TypeRegistry),
		props: []prop{
			attr("admin_enabled", "adminUserEnabled").or(false),
			attr("anonymous_pull_enabled", "anonymousPullEnabled").or(false),
			attr("data_endpoint_enabled", "dataEndpointEnabled").or(false),
			attr("public_network_access_enabled", "publicNetworkAccess").or("Enabled").as(toggled),
			attr("network_rule_bypass_option", "networkRuleBypassOptions").or("AzureServices"),
			attr("zone_redundancy_enabled", "zoneRedundancy").or("Disabled").as(toggled),
			attr("export_policy_enabled", "policies.exportPolicy.status").or("enabled").as(lowToggled),
			attr("quarantine_policy_enabled", "policies.quarantinePolicy.status").or("disabled").as(lowToggled),
			attr("azuread_authentication_as_arm_policy_enabled", "policies.azureADAuthenticationAsArmPolicy.status").or("enabled").as(lowToggled),
			attr("retention_policy_in_days", "policies.retentionPolicy.days"),
			attr("retention_policy.days", "policies.retentionPolicy.days"),
			attr("trust_policy_enabled", "policies.trustPolicy.status").as(lowToggled),
			attr("encryption.key_vault_key_id", "encryption.keyVaultProperties.keyIdentifier"),
			attr("encryption.identity_client_id", "encryption.keyVaultProperties.identity"),
			attr("network_rule_bypass_for_tasks_enabled", "networkRuleBypassAllowedForTasks").or(false),
			attr("role_assignment_mode", "roleAssignmentMode").or("LegacyRegistryPermissions"),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("login_server", loginServer(id))
		},
		finish: func(v view, doc *arm.Resource) {
			doc.SKU = arm.Object{"name": v.json("sku"), "tier": v.json("sku")}
			if !strings.HasPrefix(doc.Name, "{") {
				doc.Properties["loginServer"] = loginServer(doc.ID)
			}
			if v.has("retention_policy_in_days") || v.flag("retention_policy.enabled", false) {
				set(doc.Properties, "policies.retentionPolicy.status", "enabled")
			}
			if len(v.blocks("encryption")) > 0 {
				set(doc.Properties, "encryption.status", "enabled")
			}
			for _, rules := range v.blocks("network_rule_set") {
				acls := arm.Object{}
				apply(rules, []prop{
					attr("default_action", "defaultAction").or("Allow"),
					each("ip_rule", "ipRules", attr("ip_range", "value"), attr("action", "action")),
					each("virtual_network", "virtualNetworkRules", attr("subnet_id", "id"), attr("action", "action")), // up to version 3 of azurerm
				}, acls)
				doc.Properties["networkRuleSet"] = acls
			}
		},
		effect: replications,
	},
	"azurerm_container_registry_webhook": {
		arm: service.TypeRegistry + "/webHooks",
		id:  under(service.TypeRegistry, "registry_name", "webHooks"),
		rows: tabled(`
			actions
			custom_headers
			scope
			service_uri
			status =enabled
		`),
	},
	"azurerm_container_registry_token": {
		arm: service.TypeRegistry + "/tokens",
		id:  under(service.TypeRegistry, "container_registry_name", "tokens"),
		rows: tabled(`
			enabled status =enabled ~lowToggled
			scope_map_id
		`),
	},
	"azurerm_container_registry_token_password": {},
	"azurerm_container_registry_scope_map": {
		arm:  service.TypeRegistry + "/scopeMaps",
		id:   under(service.TypeRegistry, "container_registry_name", "scopeMaps"),
		rows: tabled(`* actions description`),
	},
	"azurerm_container_registry_cache_rule": {
		arm: service.TypeRegistry + "/cacheRules",
		id:  childOf("container_registry_id", service.TypeRegistry, "cacheRules"),
		rows: tabled(`
			credential_set_id credentialSetResourceId
			source_repo sourceRepository
			target_repo targetRepository
		`),
	},
	"azurerm_container_registry_credential_set": {
		arm: service.TypeRegistry + "/credentialSets",
		id:  childOf("container_registry_id", service.TypeRegistry, "credentialSets"),
		rows: tabled(`
			login_server
			authentication_credentials[]: authCredentials
				+name Credential1
				password_secret_id passwordSecretIdentifier
				username_secret_id usernameSecretIdentifier
		`),
	},
	"azurerm_container_registry_agent_pool": {
		arm: service.TypeRegistry + "/agentPools",
		id:  under(service.TypeRegistry, "container_registry_name", "agentPools"),
		rows: tabled(`
			instance_count count =1
			tier =S1
			virtual_network_subnet_id virtualNetworkSubnetResourceId
			+os Linux
		`),
	},
	"azurerm_container_registry_task": {
		arm:    service.TypeRegistry + "/tasks",
		id:     childOf("container_registry_id", service.TypeRegistry, "tasks"),
		rows:   taskRows,
		finish: finishTask,
		effect: likeParent("container_registry_id", service.TypeRegistry),
	},
}

// replications are the registry's copies in other regions: children of it.
func replications(v view, id arm.ID, b *builder) {
	rows := tabled(`
		global_endpoint_routing_enabled|regional_endpoint_enabled regionEndpointEnabled =true
		zone_redundancy_enabled zoneRedundancy =Disabled ~toggled
	`)
	for _, g := range v.blocks("georeplications") {
		region := service.Region(g.symbol("location"))
		replica := id.Child("replications", region)
		props := rows.object(g)
		unplaced(props)
		b.put(v, arm.Resource{
			ID: replica, Name: region, Type: replica.Type(), Location: region, Tags: tags(g), Properties: props, Source: g.source(),
		})
	}
}

var taskRows = tabled(`
	agent_pool_name
	agent_setting: agentConfiguration
		cpu
	enabled status =Enabled ~toggled
	is_system_task =false
	log_template
	timeout_in_seconds timeout =3600
	platform: platform
		* architecture os variant
	docker_step: step
		+type Docker
		context_access_token !secret
		* context_path image_names target
		dockerfile_path dockerFilePath
		push_enabled isPushEnabled =true
		cache_enabled noCache =false ~negated
	file_step: step
		+type FileTask
		context_access_token !secret
		* context_path task_file_path
		value_file_path valuesFilePath
	encoded_step: step
		+type EncodedTask
		context_access_token !secret
		context_path
		task_content encodedTaskContent ~encoded
		value_content encodedValuesContent ~encoded
	base_image_trigger: trigger.baseImageTrigger
		enabled status =Enabled ~toggled
		name
		type baseImageTriggerType
		update_trigger_endpoint !secret
		update_trigger_payload_type
	source_trigger[]: trigger.sourceTriggers
		name
		enabled status =Enabled ~toggled
		events sourceTriggerEvents
		branch sourceRepository.branch
		repository_url sourceRepository.repositoryUrl
		source_type sourceRepository.sourceControlType
		authentication: sourceRepository.sourceControlAuthProperties
			expire_in_seconds expiresIn
			refresh_token !secret
			scope
			token !secret
			token_type
	timer_trigger[]: trigger.timerTriggers
		name
		enabled status =Enabled ~toggled
		schedule
	registry_credential: credentials
		source: sourceRegistry
			login_mode
`)

// finishTask sets what stands by name: arguments, values, registries.
func finishTask(v view, doc *arm.Resource) {
	for _, p := range []struct{ block, open, hidden, to string }{
		{"docker_step", "arguments", "secret_arguments", "arguments"},
		{"file_step", "values", "secret_values", "values"},
		{"encoded_step", "values", "secret_values", "values"},
	} {
		var list []any
		for _, step := range v.blocks(p.block) {
			list = append(list, taskValues(step.json(p.open), false)...)
			list = append(list, taskValues(step.hidden(p.hidden), true)...)
		}
		if list != nil {
			set(doc.Properties, "step."+p.to, list)
		}
	}
	for _, c := range v.blocks("registry_credential") {
		for _, custom := range c.blocks("custom") {
			o := tabled("identity\nusername userName.value\npassword password.value !secret").object(custom)
			registries, _ := arm.Lookup(doc.Properties, "credentials.customRegistries")
			all, ok := registries.(arm.Object)
			if !ok {
				all = arm.Object{}
			}
			all[custom.symbol("login_server")] = o
			set(doc.Properties, "credentials.customRegistries", all)
		}
	}
}

func taskValues(v any, hidden bool) []any {
	m, ok := v.(arm.Object)
	if !ok {
		if v == nil {
			return nil
		}
		return []any{arm.Object{"isSecret": hidden, "value": v}}
	}
	var out []any
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, arm.Object{"name": name, "value": m[name], "isSecret": hidden})
	}
	return out
}

func loginServer(id arm.ID) string { return strings.ToLower(id.Name()) + ".azurecr.io" }

// lowToggled is toggled in the spelling of the registry's policies.
func lowToggled(v any) any {
	if v == true {
		return "enabled"
	}
	return "disabled"
}
