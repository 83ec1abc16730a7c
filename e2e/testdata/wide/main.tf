# Every type of the reference solutions that is made by the provider alone, as far
# as the control plane serves its client: once each, or as often as others need it.
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "5.2.0" }
    azapi   = { source = "azure/azapi", version = "1.15.0" }
  }
}
provider "azurerm" {
  features {}
}
provider "azapi" {}
data "azurerm_client_config" "this" {}
locals {
  location = "westeurope"
}
resource "azurerm_resource_group" "this" {
  name     = "rg-wide"
  location = local.location
}
resource "azurerm_virtual_network" "this" {
  name                = "vnet-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_virtual_network" "other" {
  name                = "vnet-other"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  address_space       = ["10.9.0.0/16"]
}
resource "azurerm_subnet" "this" {
  for_each = {
    apps                          = "10.0.1.0/24"
    endpoints                     = "10.0.2.0/24"
    GatewaySubnet                 = "10.0.3.0/24"
    AzureFirewallSubnet           = "10.0.4.0/24"
    AzureFirewallManagementSubnet = "10.0.5.0/24"
    resolver                      = "10.0.6.0/24"
    postgres                      = "10.0.7.0/24"
  }
  name                 = each.key
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.value]
  dynamic "delegation" {
    for_each = { for k, v in { resolver = "Microsoft.Network/dnsResolvers", postgres = "Microsoft.DBforPostgreSQL/flexibleServers" } : k => v if k == each.key }
    content {
      name = "delegation"
      service_delegation {
        name    = delegation.value
        actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      }
    }
  }
}
resource "azurerm_virtual_network_peering" "there" {
  name                      = "there"
  resource_group_name       = azurerm_resource_group.this.name
  virtual_network_name      = azurerm_virtual_network.this.name
  remote_virtual_network_id = azurerm_virtual_network.other.id
}
resource "azurerm_virtual_network_peering" "back" {
  name                      = "back"
  resource_group_name       = azurerm_resource_group.this.name
  virtual_network_name      = azurerm_virtual_network.other.name
  remote_virtual_network_id = azurerm_virtual_network.this.id
}
resource "azurerm_network_security_group" "this" {
  name                = "nsg-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_network_security_rule" "this" {
  name                        = "https"
  resource_group_name         = azurerm_resource_group.this.name
  network_security_group_name = azurerm_network_security_group.this.name
  priority                    = 200
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "443"
  source_address_prefix       = "VirtualNetwork"
  destination_address_prefix  = "*"
}
resource "azurerm_subnet_network_security_group_association" "this" {
  subnet_id                 = azurerm_subnet.this["apps"].id
  network_security_group_id = azurerm_network_security_group.this.id
}
resource "azurerm_route_table" "this" {
  name                = "rt-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_route" "this" {
  name                   = "out"
  resource_group_name    = azurerm_resource_group.this.name
  route_table_name       = azurerm_route_table.this.name
  address_prefix         = "0.0.0.0/0"
  next_hop_type          = "VirtualAppliance"
  next_hop_in_ip_address = "10.0.4.4"
}
resource "azurerm_subnet_route_table_association" "this" {
  subnet_id      = azurerm_subnet.this["apps"].id
  route_table_id = azurerm_route_table.this.id
}
resource "azurerm_public_ip" "this" {
  for_each            = toset(["nat", "gw", "fw", "fwm", "vm"])
  name                = "pip-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_nat_gateway" "this" {
  name                = "ng-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku_name            = "Standard"
}
resource "azurerm_nat_gateway_public_ip_association" "this" {
  nat_gateway_id       = azurerm_nat_gateway.this.id
  public_ip_address_id = azurerm_public_ip.this["nat"].id
}
resource "azurerm_subnet_nat_gateway_association" "this" {
  subnet_id      = azurerm_subnet.this["apps"].id
  nat_gateway_id = azurerm_nat_gateway.this.id
}
resource "azurerm_application_security_group" "this" {
  name                = "asg-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_network_interface" "this" {
  name                = "nic-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  ip_configuration {
    name                          = "one"
    subnet_id                     = azurerm_subnet.this["apps"].id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.this["vm"].id
  }
}
resource "azurerm_network_interface_security_group_association" "this" {
  network_interface_id      = azurerm_network_interface.this.id
  network_security_group_id = azurerm_network_security_group.this.id
}
resource "azurerm_network_interface_application_security_group_association" "this" {
  network_interface_id          = azurerm_network_interface.this.id
  application_security_group_id = azurerm_application_security_group.this.id
  # Both associations write the whole interface, and the provider holds them apart
  # only from others of their own kind.
  depends_on = [azurerm_network_interface_security_group_association.this]
}
resource "azurerm_virtual_network_gateway" "this" {
  name                = "vgw-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  type                = "Vpn"
  vpn_type            = "RouteBased"
  sku                 = "VpnGw1"
  ip_configuration {
    name                          = "one"
    public_ip_address_id          = azurerm_public_ip.this["gw"].id
    private_ip_address_allocation = "Dynamic"
    subnet_id                     = azurerm_subnet.this["GatewaySubnet"].id
  }
}
resource "azurerm_local_network_gateway" "this" {
  name                = "lgw-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  gateway_address     = "203.0.113.7"
  address_space       = ["192.168.0.0/24"]
}
resource "azurerm_virtual_network_gateway_connection" "this" {
  name                       = "con-wide"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = local.location
  type                       = "IPsec"
  virtual_network_gateway_id = azurerm_virtual_network_gateway.this.id
  local_network_gateway_id   = azurerm_local_network_gateway.this.id
  shared_key                 = "4-v3ry-53cr37-1p53c-5h4r3d-k3y"
}
resource "azurerm_firewall_policy" "this" {
  name                = "fwp-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_ip_group" "this" {
  name                = "ipg-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  cidrs               = ["10.0.1.0/24"]
}
resource "azurerm_firewall_policy_rule_collection_group" "this" {
  name               = "rcg-wide"
  firewall_policy_id = azurerm_firewall_policy.this.id
  priority           = 500
  network_rule_collection {
    name     = "net"
    priority = 400
    action   = "Allow"
    rule {
      name                  = "dns"
      protocols             = ["UDP"]
      source_ip_groups      = [azurerm_ip_group.this.id]
      destination_addresses = ["168.63.129.16"]
      destination_ports     = ["53"]
    }
  }
}
resource "azurerm_firewall" "this" {
  name                = "fw-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.this.id
  ip_configuration {
    name                 = "one"
    subnet_id            = azurerm_subnet.this["AzureFirewallSubnet"].id
    public_ip_address_id = azurerm_public_ip.this["fw"].id
  }
}
resource "azurerm_private_dns_zone" "this" {
  for_each            = toset(["privatelink.blob.core.windows.net", "wide.postgres.database.azure.com", "corp.example"])
  name                = each.key
  resource_group_name = azurerm_resource_group.this.name
}
resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  name                = "link"
  private_dns_zone_id = azurerm_private_dns_zone.this["wide.postgres.database.azure.com"].id
  virtual_network_id  = azurerm_virtual_network.this.id
}
resource "azurerm_private_dns_a_record" "this" {
  name                = "host"
  private_dns_zone_id = azurerm_private_dns_zone.this["corp.example"].id
  ttl                 = 300
  records             = ["10.0.1.10"]
}
resource "azurerm_private_dns_resolver" "this" {
  name                = "dnspr-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  virtual_network_id  = azurerm_virtual_network.this.id
}
resource "azurerm_private_dns_resolver_inbound_endpoint" "this" {
  name                    = "in"
  private_dns_resolver_id = azurerm_private_dns_resolver.this.id
  location                = local.location
  ip_configurations {
    subnet_id = azurerm_subnet.this["resolver"].id
  }
}
resource "azurerm_storage_account" "this" {
  name                     = "stwide"
  resource_group_name      = azurerm_resource_group.this.name
  location                 = local.location
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_storage_account_network_rules" "this" {
  storage_account_id = azurerm_storage_account.this.id
  default_action     = "Deny"
  ip_rules           = ["198.51.100.7"]
}
resource "azurerm_storage_container" "this" {
  name               = "data"
  storage_account_id = azurerm_storage_account.this.id
}
resource "azurerm_storage_share" "this" {
  name               = "share"
  storage_account_id = azurerm_storage_account.this.id
  quota              = 5
}
resource "azurerm_private_endpoint" "this" {
  name                = "pe-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  subnet_id           = azurerm_subnet.this["endpoints"].id
  private_service_connection {
    name                           = "blob"
    private_connection_resource_id = azurerm_storage_account.this.id
    subresource_names              = ["blob"]
    is_manual_connection           = false
  }
  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.this["privatelink.blob.core.windows.net"].id]
  }
}
resource "azurerm_private_endpoint_application_security_group_association" "this" {
  private_endpoint_id           = azurerm_private_endpoint.this.id
  application_security_group_id = azurerm_application_security_group.this.id
}
resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_application_insights" "this" {
  name                = "appi-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  application_type    = "web"
  workspace_id        = azurerm_log_analytics_workspace.this.id
}
resource "azurerm_log_analytics_solution" "this" {
  solution_name         = "ContainerInsights"
  resource_group_name   = azurerm_resource_group.this.name
  location              = local.location
  workspace_resource_id = azurerm_log_analytics_workspace.this.id
  workspace_name        = azurerm_log_analytics_workspace.this.name
  plan {
    publisher = "Microsoft"
    product   = "OMSGallery/ContainerInsights"
  }
}
resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "diag"
  target_resource_id         = azurerm_key_vault.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  enabled_log {
    category = "AuditEvent"
  }
}
resource "azurerm_monitor_private_link_scope" "this" {
  name                = "ampls-wide"
  resource_group_name = azurerm_resource_group.this.name
}
resource "azurerm_monitor_private_link_scoped_service" "this" {
  name                = "log"
  resource_group_name = azurerm_resource_group.this.name
  scope_name          = azurerm_monitor_private_link_scope.this.name
  linked_resource_id  = azurerm_log_analytics_workspace.this.id
}
resource "azurerm_key_vault" "this" {
  name                       = "kv-wide"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = local.location
  tenant_id                  = data.azurerm_client_config.this.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = false
}
resource "azurerm_key_vault_access_policy" "this" {
  key_vault_id       = azurerm_key_vault.this.id
  tenant_id          = data.azurerm_client_config.this.tenant_id
  object_id          = azurerm_user_assigned_identity.this.principal_id
  secret_permissions = ["Get", "List"]
}
resource "azurerm_container_registry" "this" {
  name                = "crwide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Premium"
}
resource "azurerm_user_assigned_identity" "this" {
  name                = "id-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_federated_identity_credential" "this" {
  name                      = "fed"
  user_assigned_identity_id = azurerm_user_assigned_identity.this.id
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://token.actions.githubusercontent.com"
  subject                   = "repo:contoso/ml:ref:refs/heads/main"
}
resource "azurerm_role_assignment" "this" {
  scope                = azurerm_resource_group.this.id
  role_definition_name = "Reader"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
}
resource "azurerm_machine_learning_workspace" "this" {
  name                    = "mlw-wide"
  resource_group_name     = azurerm_resource_group.this.name
  location                = local.location
  application_insights_id = azurerm_application_insights.this.id
  key_vault_id            = azurerm_key_vault.this.id
  storage_account_id      = azurerm_storage_account.this.id
  container_registry_id   = azurerm_container_registry.this.id
  identity {
    type = "SystemAssigned"
  }
  lifecycle {
    ignore_changes = [description] # azapi writes it
  }
}
resource "azurerm_machine_learning_compute_cluster" "this" {
  name                          = "cpu"
  location                      = local.location
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  vm_priority                   = "Dedicated"
  vm_size                       = "Standard_DS2_v2"
  identity {
    type = "SystemAssigned"
  }
  scale_settings {
    min_node_count                       = 0
    max_node_count                       = 1
    scale_down_nodes_after_idle_duration = "PT2M"
  }
}
resource "azurerm_management_lock" "this" {
  name       = "keep"
  scope      = azurerm_ip_group.this.id
  lock_level = "CanNotDelete"
}
resource "azurerm_monitor_action_group" "this" {
  name                = "ag-wide"
  resource_group_name = azurerm_resource_group.this.name
  short_name          = "wide"
}
resource "azurerm_postgresql_flexible_server" "this" {
  name                          = "psql-wide"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = local.location
  version                       = "16"
  delegated_subnet_id           = azurerm_subnet.this["postgres"].id
  private_dns_zone_id           = azurerm_private_dns_zone.this["wide.postgres.database.azure.com"].id
  public_network_access_enabled = false
  administrator_login           = "psqladmin"
  administrator_password        = "H@Sh1CoR3!"
  zone                          = "1"
  storage_mb                    = 32768
  sku_name                      = "GP_Standard_D2s_v3"
  depends_on                    = [azurerm_private_dns_zone_virtual_network_link.this]
}
resource "azurerm_service_plan" "this" {
  name                = "asp-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  os_type             = "Linux"
  sku_name            = "P1v2"
}
resource "azurerm_eventgrid_system_topic" "this" {
  name                = "egst-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  source_resource_id  = azurerm_storage_account.this.id
  topic_type          = "Microsoft.Storage.StorageAccounts"
}
resource "azurerm_monitor_data_collection_endpoint" "this" {
  name                = "dce-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
