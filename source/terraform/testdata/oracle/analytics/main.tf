resource "azurerm_data_factory" "d" {
  name                            = "adfa"
  location                        = "westeurope"
  resource_group_name             = "rg"
  managed_virtual_network_enabled = true
  identity { type = "SystemAssigned" }
}
resource "azurerm_data_factory_integration_runtime_self_hosted" "r" {
  name            = "self"
  data_factory_id = azurerm_data_factory.d.id
}
resource "azurerm_data_factory_linked_service_azure_blob_storage" "l" {
  name                 = "blob"
  data_factory_id      = azurerm_data_factory.d.id
  service_endpoint     = "https://stacc.blob.core.windows.net"
  use_managed_identity = true
}
resource "azurerm_data_factory_linked_service_data_lake_storage_gen2" "l" {
  name                 = "lake"
  data_factory_id      = azurerm_data_factory.d.id
  url                  = "https://stacc.dfs.core.windows.net"
  use_managed_identity = true
}
resource "azurerm_data_factory_managed_private_endpoint" "e" {
  name               = "mpe"
  data_factory_id    = azurerm_data_factory.d.id
  target_resource_id = local.st
  subresource_name   = "blob"
}
resource "azurerm_databricks_access_connector" "c" {
  name                = "conn"
  location            = "westeurope"
  resource_group_name = "rg"
  identity { type = "SystemAssigned" }
}
resource "azurerm_synapse_workspace" "s" {
  name                                 = "synws"
  location                             = "westeurope"
  resource_group_name                  = "rg"
  storage_data_lake_gen2_filesystem_id = "https://stacc.dfs.core.windows.net/fs"
  sql_administrator_login              = "sqladm"
  sql_administrator_login_password     = "not-a-real-Passw0rd"
  managed_virtual_network_enabled      = true
  identity { type = "SystemAssigned" }
}
resource "azurerm_synapse_firewall_rule" "r" {
  name                 = "rule"
  synapse_workspace_id = azurerm_synapse_workspace.s.id
  start_ip_address     = "192.0.2.1"
  end_ip_address       = "192.0.2.9"
}
resource "azurerm_synapse_spark_pool" "p" {
  name                 = "pool"
  synapse_workspace_id = azurerm_synapse_workspace.s.id
  node_size_family     = "MemoryOptimized"
  node_size            = "Small"
  node_count           = 3
  spark_version        = "3.4"
}
resource "azurerm_batch_account" "b" {
  name                = "batcha"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_batch_pool" "p" {
  name                = "pool"
  account_name        = azurerm_batch_account.b.name
  resource_group_name = "rg"
  vm_size             = "STANDARD_D2S_V3"
  node_agent_sku_id   = "batch.node.ubuntu 22.04"
  fixed_scale { target_dedicated_nodes = 1 }
  storage_image_reference {
    publisher = "canonical"
    offer     = "0001-com-ubuntu-server-jammy"
    sku       = "22_04-lts"
    version   = "latest"
  }
  network_configuration { subnet_id = local.sn }
}
resource "azurerm_data_protection_backup_vault" "v" {
  name                = "bvault"
  location            = "westeurope"
  resource_group_name = "rg"
  datastore_type      = "VaultStore"
  redundancy          = "LocallyRedundant"
}
resource "azurerm_kubernetes_fleet_manager" "f" {
  name                = "fleet"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_application_insights" "a" {
  name                = "ai"
  location            = "westeurope"
  resource_group_name = "rg"
  application_type    = "web"
  workspace_id        = local.la
}
resource "azurerm_log_analytics_query_pack" "p" {
  name                = "pack"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_log_analytics_query_pack_query" "q" {
  name          = "aaaaaaaa-2222-3333-4444-555555555555"
  query_pack_id = azurerm_log_analytics_query_pack.p.id
  body          = "AppMetrics"
  display_name  = "d"
}
resource "azurerm_log_analytics_cluster" "c" {
  name                = "lacluster"
  location            = "westeurope"
  resource_group_name = "rg"
  identity { type = "SystemAssigned" }
}
resource "azurerm_log_analytics_cluster_customer_managed_key" "k" {
  log_analytics_cluster_id = azurerm_log_analytics_cluster.c.id
  key_vault_key_id         = "https://kv.vault.azure.net/keys/k/abc"
}
