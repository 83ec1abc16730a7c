//go:build e2e

package e2e

// What is planned, one change at a time, and not applied. Whether Azure changes it in
// place is what the provider's schema says of the attribute, and its documentation.
var plannedChanges = []singleChange{
	{
		"a resource group's tags", "main.tf", "tags     = var.tags", `tags     = merge(var.tags, { team = "ml" })`,
		inPlace, "azurerm_resource_group.this",
	},
	{
		"a resource group's region", "main.tf", "location = var.location", `location = "northeurope"`,
		replaced, "azurerm_resource_group.this",
	},
	{
		"a network's address space", "modules/network/main.tf", "[var.address_spaces.aml]", `[var.address_spaces.aml, "10.77.0.0/16"]`,
		inPlace, "module.network.azurerm_virtual_network.aml",
	},
	{
		"a network's DNS servers", "modules/network/main.tf", "[var.address_spaces.bastion]", "[var.address_spaces.bastion]\n  dns_servers = [\"168.63.129.16\"]",
		inPlace, "module.network.azurerm_virtual_network.bastion",
	},
	{
		"a network's name", "modules/network/main.tf", `"vnet-aml"`, `"vnet-ml"`,
		replaced, "module.network.azurerm_virtual_network.aml",
	},
	{
		"a subnet's delegation", "modules/network/main.tf", "[var.subnets.training]", "[var.subnets.training]\n  delegation {\n    name = \"aci\"\n    service_delegation {\n      name = \"Microsoft.ContainerInstance/containerGroups\"\n    }\n  }",
		inPlace, "module.network.azurerm_subnet.training",
	},
	{
		"a subnet's prefix", "modules/network/main.tf", "[var.subnets.agents]", "[cidrsubnet(var.subnets.agents, 1, 0)]",
		inPlace, "module.network.azurerm_subnet.agents",
	},
	{
		"a subnet's name", "modules/network/main.tf", `"snet-agents"`, `"snet-builds"`,
		replaced, "module.network.azurerm_subnet.agents",
	},
	{
		"what rules apply to endpoints", "modules/network/main.tf", `"NetworkSecurityGroupEnabled"`, `"Enabled"`,
		inPlace, "module.network.azurerm_subnet.endpoints",
	},
	{
		"whether a subnet has a way out by itself", "modules/network/main.tf", "[var.subnets.aks]\n  default_outbound_access_enabled = false", "[var.subnets.aks]\n  default_outbound_access_enabled = true",
		inPlace, "module.network.azurerm_subnet.aks",
	},
	{
		"one more security rule", "modules/guarded-subnet/main.tf", "  dynamic \"security_rule\" {\n    for_each = [\"Inbound\"", "  security_rule {\n    name                       = \"more\"\n    priority                   = 4000\n    direction                  = \"Inbound\"\n    access                     = \"Allow\"\n    protocol                   = \"Tcp\"\n    source_port_range          = \"*\"\n    source_address_prefix      = \"VirtualNetwork\"\n    destination_address_prefix = \"*\"\n    destination_port_range     = \"8443\"\n  }\n  dynamic \"security_rule\" {\n    for_each = [\"Inbound\"",
		inPlace, "module.network.module.training_nsg.azurerm_network_security_group.this",
	},
	{
		"one security rule less", "modules/guarded-subnet/main.tf", `["Inbound", "Outbound"]`, `["Inbound"]`,
		inPlace, "module.network.module.training_nsg.azurerm_network_security_group.this",
	},
	{
		"a public address's idle time", "modules/bastion/main.tf", `allocation_method   = "Static"`, "allocation_method   = \"Static\"\n  idle_timeout_in_minutes = 10",
		inPlace, "module.bastion.azurerm_public_ip.this",
	},
	{
		"a public address's zones", "modules/bastion/main.tf", `allocation_method   = "Static"`, "allocation_method   = \"Static\"\n  zones = [\"1\"]",
		replaced, "module.bastion.azurerm_public_ip.this",
	},
	{
		"a NAT gateway's zone", "modules/egress/nat.tf", `sku_name            = "Standard"`, "sku_name = \"Standard\"\n  zones = [\"1\"]",
		replaced, `module.egress.azurerm_nat_gateway.this["aml"]`,
	},
	{
		"a Bastion's SKU", "modules/bastion/main.tf", "sku                 = \"Standard\"\n  tunneling", "sku                 = \"Premium\"\n  tunneling",
		inPlace, "module.bastion.azurerm_bastion_host.this",
	},
	{
		"a Bastion's name", "machines.tf", `"bas-${var.prefix}"`, `"bastion-${var.prefix}"`,
		replaced, "module.bastion.azurerm_bastion_host.this",
	},
	{
		"a virtual machine's image", "modules/machine/main.tf", "var.image.version", `"24.04.202404230"`,
		replaced, "module.jump_host.azurerm_linux_virtual_machine.this",
	},
	{
		"a virtual machine's first start", "modules/machine/main.tf", "size                  = var.size", "size                  = var.size\n  custom_data = base64encode(\"#!/bin/sh\")",
		replaced, "module.jump_host.azurerm_linux_virtual_machine.this",
	},
	{
		"a virtual machine's boot diagnostics", "modules/machine/main.tf", "  identity {", "  boot_diagnostics {}\n  identity {",
		inPlace, "module.jump_host.azurerm_linux_virtual_machine.this",
	},
	{
		"an interface's acceleration", "modules/machine/main.tf", "  ip_configuration {", "  accelerated_networking_enabled = true\n  ip_configuration {",
		inPlace, "module.jump_host.azurerm_network_interface.this",
	},
	{
		"an extension's version", "modules/agents/main.tf", `"2.1"`, `"2.0"`,
		inPlace, "module.agents.azurerm_virtual_machine_extension.agent[0]",
	},
	{
		"a daily quota of logs", "modules/monitoring/main.tf", `sku                            = "PerGB2018"`, "sku                            = \"PerGB2018\"\n  daily_quota_gb = 5",
		inPlace, "module.monitoring.azurerm_log_analytics_workspace.this",
	},
	{
		"how much telemetry is kept", "modules/monitoring/main.tf", `application_type           = "web"`, "application_type           = \"web\"\n  sampling_percentage = 50",
		inPlace, "module.monitoring.azurerm_application_insights.this",
	},
	{
		"a component's kind", "modules/monitoring/main.tf", `application_type           = "web"`, `application_type           = "other"`,
		replaced, "module.monitoring.azurerm_application_insights.this",
	},
	{
		"a private link scope's mode", "modules/monitoring/main.tf", `ingestion_access_mode = "Open"`, `ingestion_access_mode = "PrivateOnly"`,
		inPlace, "module.monitoring.azurerm_monitor_private_link_scope.this",
	},
	{
		"an account's copies, in zones still", "modules/workspace/storage.tf", `"ZRS"`, `"GZRS"`,
		inPlace, "module.workspace.azurerm_storage_account.this",
	},
	{
		"an account's copies, in no zones", "modules/workspace/storage.tf", `"ZRS"`, `"LRS"`,
		replaced, "module.workspace.azurerm_storage_account.this",
	},
	{
		"whether an account takes keys", "modules/workspace/storage.tf", "shared_access_key_enabled       = false", "shared_access_key_enabled       = true",
		inPlace, "module.workspace.azurerm_storage_account.this",
	},
	{
		"an account's public access", "modules/workspace/storage.tf", "public_network_access_enabled   = false", "public_network_access_enabled   = true",
		inPlace, "module.workspace.azurerm_storage_account.this",
	},
	{
		"who passes an account's firewall", "modules/workspace/storage.tf", `["AzureServices"]`, `["AzureServices", "Logging"]`,
		inPlace, "module.workspace.azurerm_storage_account.this",
	},
	{
		"an account's second encryption", "modules/workspace/storage.tf", "local_user_enabled              = false", "local_user_enabled              = false\n  infrastructure_encryption_enabled = true",
		replaced, "module.workspace.azurerm_storage_account.this",
	},
	{
		"an account's name space", "modules/workspace/storage.tf", "local_user_enabled              = false", "local_user_enabled              = false\n  is_hns_enabled = true",
		replaced, "module.workspace.azurerm_storage_account.this",
	},
	{
		"a vault's SKU", "modules/workspace/vault.tf", `"standard"`, `"premium"`,
		inPlace, "module.workspace.azurerm_key_vault.this",
	},
	{
		"a vault's name", "modules/workspace/vault.tf", `"kv-${var.suffix}"`, `"v-${var.suffix}"`,
		replaced, "module.workspace.azurerm_key_vault.this",
	},
	{
		"a vault's public access", "modules/workspace/vault.tf", "public_network_access_enabled = false", "public_network_access_enabled = true",
		inPlace, "module.workspace.azurerm_key_vault.this",
	},
	{
		"a registry's admin", "modules/workspace/registry.tf", "admin_enabled                 = false", "admin_enabled                 = true",
		inPlace, "module.workspace.azurerm_container_registry.this",
	},
	{
		"a registry's data endpoint", "modules/workspace/registry.tf", "admin_enabled                 = false", "admin_enabled                 = false\n  data_endpoint_enabled = true",
		inPlace, "module.workspace.azurerm_container_registry.this",
	},
	{
		"a registry's zones", "modules/workspace/registry.tf", "admin_enabled                 = false", "admin_enabled                 = false\n  zone_redundancy_enabled = true",
		replaced, "module.workspace.azurerm_container_registry.this",
	},
	{
		"a private endpoint's address", "modules/private-service/main.tf", "  private_dns_zone_group {", "  ip_configuration {\n    name               = \"fixed\"\n    private_ip_address = \"10.1.1.200\"\n    subresource_name   = var.subresource\n    member_name        = var.subresource\n  }\n  private_dns_zone_group {",
		replaced, `module.private_service["table"].azurerm_private_endpoint.this`,
	},
	{
		"the name of an endpoint's zones", "modules/private-service/main.tf", `"default"`, `"zones"`,
		inPlace, `module.private_service["table"].azurerm_private_endpoint.this`,
	},
	{
		"the name of an endpoint's interface", "modules/private-service/main.tf", `"nic-pe-${var.name}"`, `"nic-${var.name}"`,
		replaced, `module.private_service["table"].azurerm_private_endpoint.this`,
	},
	{
		"where a zone's names are sought besides", "modules/private-dns/main.tf", "registration_enabled = false", "registration_enabled = false\n  resolution_policy = \"NxDomainRedirect\"",
		inPlace, `module.private_dns.azurerm_private_dns_zone_virtual_network_link.this["privatelink.vaultcore.azure.net/aml"]`,
	},
	{
		"a link's name", "modules/private-dns/main.tf", `"link-${each.value.network}"`, `"to-${each.value.network}"`,
		replaced, `module.private_dns.azurerm_private_dns_zone_virtual_network_link.this["privatelink.vaultcore.azure.net/aml"]`,
	},
	{
		"how long a zone says that a name is not there", "modules/private-dns/main.tf", "name                = each.key", "name                = each.key\n  soa_record {\n    email = \"hostmaster.example.com\"\n    minimum_ttl = 60\n  }",
		inPlace, `module.private_dns.azurerm_private_dns_zone.this["privatelink.vaultcore.azure.net"]`,
	},
	{
		"what a peering lets through", "modules/peering/main.tf", "allow_forwarded_traffic      = false", "allow_forwarded_traffic      = true",
		inPlace, "module.peering.azurerm_virtual_network_peering.hub_to_spoke",
	},
	{
		"a workspace's builder of images", "modules/workspace/main.tf", "var.image_build_compute", `"cpu-cluster"`,
		inPlace, "module.workspace.azurerm_machine_learning_workspace.this",
	},
	{
		"a workspace's public access", "modules/workspace/main.tf", "public_network_access_enabled = false", "public_network_access_enabled = true",
		inPlace, "module.workspace.azurerm_machine_learning_workspace.this",
	},
	{
		"whether a workspace has secrets of business", "modules/workspace/main.tf", "public_network_access_enabled = false", "public_network_access_enabled = false\n  high_business_impact = true",
		replaced, "module.workspace.azurerm_machine_learning_workspace.this",
	},
	{
		"the machines of a cluster", "compute.tf", "vm_size = var.training.vm_size", `vm_size = "Standard_D16s_v5"`,
		replaced, `module.training.azurerm_machine_learning_compute_cluster.this["image-build"]`,
	},
	{
		"how long a cluster's nodes are idle", "modules/training/main.tf", `"PT30S"`, `"PT5M"`,
		inPlace, `module.training.azurerm_machine_learning_compute_cluster.this["image-build"]`,
	},
	{
		"the priority of a cluster", "modules/training/main.tf", `"Dedicated"`, `"LowPriority"`,
		replaced, `module.training.azurerm_machine_learning_compute_cluster.this["image-build"]`,
	},
	{
		"a Kubernetes cluster's tier", "modules/aks/main.tf", `sku_tier                            = "Standard"`, `sku_tier                            = "Free"`,
		inPlace, "module.aks[0].azurerm_kubernetes_cluster.this",
	},
	{
		"whether commands run in a Kubernetes cluster", "modules/aks/main.tf", "run_command_enabled                 = false", "run_command_enabled                 = true",
		inPlace, "module.aks[0].azurerm_kubernetes_cluster.this",
	},
	{
		"the services' addresses of a Kubernetes cluster", "modules/aks/main.tf", "service_cidr        = var.service_cidr", `service_cidr        = "172.30.0.0/16"`,
		replaced, "module.aks[0].azurerm_kubernetes_cluster.this",
	},
	{
		"whether a Kubernetes cluster is private", "modules/aks/main.tf", "private_cluster_enabled             = true", "private_cluster_enabled             = false",
		replaced, "module.aks[0].azurerm_kubernetes_cluster.this",
	},
	{
		"how a Kubernetes cluster is kept up to date", "modules/aks/main.tf", `"patch"`, `"stable"`,
		inPlace, "module.aks[0].azurerm_kubernetes_cluster.this",
	},
	{
		"how an endpoint authenticates", "modules/serving/main.tf", `authMode            = "Key"`, `authMode            = "AADToken"`,
		inPlace, "module.serving.azapi_resource.online",
	},
	{
		"an endpoint's name", "services.tf", `"diabetes"`, `"glucose"`,
		replaced, "module.serving.azapi_resource.online",
	},
	{
		"a condition of a role assignment", "roles.tf", `principal_type       = "ServicePrincipal"`, "principal_type = \"ServicePrincipal\"\n  condition = each.key == \"jump: Reader on group\" ? \"@Resource[x:y] StringEquals 'z'\" : null\n  condition_version = each.key == \"jump: Reader on group\" ? \"2.0\" : null",
		inPlace, `azurerm_role_assignment.this["jump: Reader on group"]`,
	},
	{
		"a policy assignment's title", "modules/governance/main.tf", "display_name         = each.value.title", "display_name         = upper(each.value.title)",
		inPlace, `module.governance.azurerm_resource_group_policy_assignment.this["aks-private"]`,
	},
	{
		"a diagnostic setting's name", "modules/diagnostics/main.tf", `"to-log-analytics"`, `"logs"`,
		replaced, `module.diagnostics.azurerm_monitor_diagnostic_setting.this["vault"]`,
	},
}
