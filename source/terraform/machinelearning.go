package terraform

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const typeCompute = service.TypeWorkspace + "/computes"

var machineLearningKinds = map[string]kind{
	"azurerm_machine_learning_workspace": {
		arm: service.TypeWorkspace,
		id:  inGroup(service.TypeWorkspace),
		props: []prop{
			attr("friendly_name", "friendlyName"),
			attr("description", "description"),
			attr("storage_account_id", "storageAccount"),
			attr("key_vault_id", "keyVault"),
			attr("application_insights_id", "applicationInsights"),
			attr("container_registry_id", "containerRegistry"),
			attr("public_access_behind_virtual_network_enabled", "publicNetworkAccess").as(toggled),
			attr("public_network_access_enabled", "publicNetworkAccess").or("Enabled").as(toggled),
			attr("image_build_compute_name", "imageBuildCompute"),
			attr("high_business_impact", "hbiWorkspace"),
			attr("service_side_encryption_enabled", "enableServiceSideCMKEncryption").or(false),
			attr("managed_network.provision_on_creation_enabled", "provisionNetworkNow").or(false),
			attr("v1_legacy_mode_enabled", "v1LegacyMode").or(false),
			attr("primary_user_assigned_identity", "primaryUserAssignedIdentity"),
			attr("storage_account_access_type", "systemDatastoresAuthMode").or("AccessKey"),
			attr("managed_network.isolation_mode", "managedNetwork.isolationMode"),
			attr("serverless_compute.subnet_id", "serverlessComputeSettings.serverlessComputeCustomSubnet"),
			attr("serverless_compute.public_ip_enabled", "serverlessComputeSettings.serverlessComputeNoPublicIP").as(negated),
			attr("encryption.key_vault_id", "encryption.keyVaultProperties.keyVaultArmId"),
			attr("encryption.key_id", "encryption.keyVaultProperties.keyIdentifier"),
			attr("encryption.user_assigned_identity_id", "encryption.identity.userAssignedIdentity"),
		},
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("workspace_id", service.WorkspaceGUID(id))
			if region := v.text("location"); region != "" {
				out["discovery_url"] = cty.StringVal("https://" + service.Region(region) + ".api.azureml.ms/discovery")
			}
			return out
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Kind = kindOr(v, "kind", "Default")
			sku := or(v.json("sku_name"), "Basic")
			doc.SKU = arm.Object{"name": sku, "tier": sku}
			doc.Properties["workspaceId"] = service.WorkspaceGUID(doc.ID)
			if len(v.blocks("encryption")) > 0 {
				set(doc.Properties, "encryption.status", "Enabled")
			}
		},
	},
	"azurerm_machine_learning_compute_cluster": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		props: []prop{
			attr("description", "description").or(""),
			attr("local_auth_enabled", "disableLocalAuth").or(false).as(negated),
			attr("vm_size", "properties.vmSize"),
			attr("vm_priority", "properties.vmPriority"),
			attr("scale_settings.min_node_count", "properties.scaleSettings.minNodeCount"),
			attr("scale_settings.max_node_count", "properties.scaleSettings.maxNodeCount"),
			attr("scale_settings.scale_down_nodes_after_idle_duration", "properties.scaleSettings.nodeIdleTimeBeforeScaleDown"),
			attr("subnet_resource_id", "properties.subnet.id"),
			attr("node_public_ip_enabled", "properties.enableNodePublicIp").or(true),
			attr("ssh_public_access_enabled", "properties.remoteLoginPortPublicAccess").or("Disabled").as(toggled),
			attr("ssh.admin_username", "properties.userAccountCredentials.adminUserName"),
			attr("ssh.key_value", "properties.userAccountCredentials.adminUserSshPublicKey"),
			attr("ssh.admin_password", "properties.userAccountCredentials.adminUserPassword").secret(),
		},
		finish: func(_ view, doc *arm.Resource) {
			doc.Properties["computeType"] = "AmlCompute"
			doc.Properties["computeLocation"] = doc.Location
		},
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_compute_instance": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		props: []prop{
			attr("description", "description"),
			attr("local_auth_enabled", "disableLocalAuth").or(false).as(negated),
			attr("virtual_machine_size", "properties.vmSize"),
			attr("subnet_resource_id", "properties.subnet.id"),
			attr("node_public_ip_enabled", "properties.enableNodePublicIp").or(true),
			attr("authorization_type", "properties.computeInstanceAuthorizationType"),
			attr("ssh.public_key", "properties.sshSettings.adminPublicKey"),
			attr("assign_to_user.object_id", "properties.personalComputeInstanceSettings.assignedUser.objectId"),
			attr("assign_to_user.tenant_id", "properties.personalComputeInstanceSettings.assignedUser.tenantId"),
		},
		finish: func(v view, doc *arm.Resource) {
			access := "Disabled"
			if len(v.blocks("ssh")) > 0 {
				access = "Enabled"
			}
			set(doc.Properties, "properties.sshSettings.sshPublicAccess", access)
			doc.Properties["computeType"] = "ComputeInstance"
		},
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
}

// likeParent completes a child from its parent: where it names no region it is
// where the parent is, and a compute has its workspace's SKU.
func likeParent(parentAttr, parentType string) func(view, arm.ID, *builder) {
	return func(v view, id arm.ID, b *builder) {
		b.settle(v, v.id(parentAttr, parentType), func(parent *arm.Resource) {
			doc := b.docs[id.Key()]
			if doc == nil {
				return
			}
			if doc.Location == "" {
				doc.Location = parent.Location
			}
			if arm.String(doc.Properties, "computeType") == "AmlCompute" {
				doc.SKU = arm.Clone(parent.SKU)
			}
		})
	}
}
