resource "azurerm_postgresql_flexible_server" "p" {
  name = "pgpg"
  location = "westeurope"
  resource_group_name = "rg"
  version = "16"
  delegated_subnet_id = local.sn
  private_dns_zone_id = "${local.net}/privateDnsZones/x.postgres.database.azure.com"
  public_network_access_enabled = false
  administrator_login = "psql"
  administrator_password = "not-a-real-Passw0rd"
  zone = "1"
  storage_mb = 32768
  storage_tier = "P4"
  sku_name = "GP_Standard_D4s_v3"
  backup_retention_days = 7
  authentication { 
    active_directory_auth_enabled = true
    password_auth_enabled = true
    tenant_id = local.g
  }
  high_availability { mode = "ZoneRedundant" }
}
resource "azurerm_postgresql_flexible_server_database" "d" {
  name = "db"
  server_id = azurerm_postgresql_flexible_server.p.id
}
resource "azurerm_mssql_server" "s" {
  name = "sqlsql"
  location = "westeurope"
  resource_group_name = "rg"
  version = "12.0"
  administrator_login = "sqladm"
  administrator_login_password = "not-a-real-Passw0rd"
  public_network_access_enabled = false
  azuread_administrator { 
    login_username = "aad"
    object_id = local.g
  }
  identity { type = "SystemAssigned" }
}
resource "azurerm_cosmosdb_account" "c" {
  name = "cosmos1"
  location = "westeurope"
  resource_group_name = "rg"
  offer_type = "Standard"
  kind = "GlobalDocumentDB"
  public_network_access_enabled = false
  local_authentication_enabled = false
  is_virtual_network_filter_enabled = true
  ip_range_filter = ["192.0.2.1"]
  consistency_policy { consistency_level = "Session" }
  geo_location { 
    location = "westeurope"
    failover_priority = 0
  }
  capabilities { name = "EnableServerless" }
  virtual_network_rule { id = local.sn }
}
resource "azurerm_redis_cache" "r" {
  name = "redis1"
  location = "westeurope"
  resource_group_name = "rg"
  capacity = 1
  family = "P"
  sku_name = "Premium"
  public_network_access_enabled = false
  redis_configuration { maxmemory_policy = "allkeys-lru" }
}
resource "azurerm_eventhub_namespace" "e" {
  name = "ehns01"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Standard"
  capacity = 2
  local_authentication_enabled = false
  public_network_access_enabled = false
}
resource "azurerm_servicebus_namespace" "e" {
  name = "sbns01"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Premium"
  capacity = 1
  premium_messaging_partitions = 1
  public_network_access_enabled = false
  local_auth_enabled = false
}
resource "azurerm_eventgrid_topic" "t" {
  name = "topic1"
  location = "westeurope"
  resource_group_name = "rg"
  public_network_access_enabled = false
  local_auth_enabled = false
}
resource "azurerm_eventgrid_system_topic" "t" {
  name = "stopic1"
  location = "westeurope"
  resource_group_name = "rg"
  source_resource_id = local.st
  topic_type = "Microsoft.Storage.StorageAccounts"
  identity { type = "SystemAssigned" }
}
resource "azurerm_eventgrid_event_subscription" "s" {
  name = "sub1"
  scope = local.st
  storage_queue_endpoint { 
    storage_account_id = local.st
    queue_name = "q"
  }
  included_event_types = ["Microsoft.Storage.BlobCreated"]
  subject_filter { subject_begins_with = "/x" }
  advanced_filter { 
    string_in { 
      key = "subject"
      values = ["a"]
    }
  }
  retry_policy { 
    event_time_to_live = 11
    max_delivery_attempts = 5
  }
}
resource "azurerm_service_plan" "p" {
  name = "plan"
  location = "westeurope"
  resource_group_name = "rg"
  os_type = "Linux"
  sku_name = "P1v2"
}
resource "azurerm_data_factory" "d" {
  name = "adf1"
  location = "westeurope"
  resource_group_name = "rg"
  managed_virtual_network_enabled = true
  public_network_enabled = false
  identity { type = "SystemAssigned" }
}
resource "azurerm_synapse_workspace" "s" {
  name = "syn1"
  location = "westeurope"
  resource_group_name = "rg"
  storage_data_lake_gen2_filesystem_id = "https://stacc.dfs.core.windows.net/fs"
  sql_administrator_login = "sqladm"
  sql_administrator_login_password = "not-a-real-Passw0rd"
  managed_virtual_network_enabled = true
  data_exfiltration_protection_enabled = true
  public_network_access_enabled = false
  identity { type = "SystemAssigned" }
}
resource "azurerm_kusto_cluster" "k" {
  name = "kusto1"
  location = "westeurope"
  resource_group_name = "rg"
  sku { 
    name = "Standard_D13_v2"
    capacity = 2
  }
  public_network_access_enabled = false
}
resource "azurerm_recovery_services_vault" "v" {
  name = "rsv1"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Standard"
  public_network_access_enabled = false
  immutability = "Unlocked"
}
resource "azurerm_app_configuration" "a" {
  name = "appconf1"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "standard"
  public_network_access = "Disabled"
  local_auth_enabled = false
}
resource "azurerm_automation_account" "a" {
  name = "auto-1"
  location = "westeurope"
  resource_group_name = "rg"
  sku_name = "Basic"
  public_network_access_enabled = false
}
resource "azurerm_batch_account" "b" {
  name = "batch1"
  location = "westeurope"
  resource_group_name = "rg"
  public_network_access_enabled = false
  storage_account_id = local.st
  storage_account_authentication_mode = "BatchAccountManagedIdentity"
  identity { type = "SystemAssigned" }
}
resource "azurerm_purview_account" "p" {
  name = "pview1"
  location = "westeurope"
  resource_group_name = "rg"
  public_network_enabled = false
  identity { type = "SystemAssigned" }
}
resource "azurerm_container_group" "c" {
  name = "cg1"
  location = "westeurope"
  resource_group_name = "rg"
  os_type = "Linux"
  ip_address_type = "Private"
  subnet_ids = [local.sn]
  container { 
    name = "a"
    image = "b"
    cpu = 1
    memory = 1
    ports { port = 80 }
    environment_variables = { A = "b" }
  }
}
resource "azurerm_container_app_environment" "e" {
  name = "cae1"
  location = "westeurope"
  resource_group_name = "rg"
  infrastructure_subnet_id = local.sn
  internal_load_balancer_enabled = true
  workload_profile { 
    name = "Consumption"
    workload_profile_type = "Consumption"
  }
}
resource "azurerm_api_management" "a" {
  name = "apim1"
  location = "westeurope"
  resource_group_name = "rg"
  publisher_name = "n"
  publisher_email = "a@example.com"
  sku_name = "Developer_1"
  virtual_network_type = "Internal"
  virtual_network_configuration { subnet_id = local.sn }
}
resource "azurerm_signalr_service" "s" {
  name = "sigr1"
  location = "westeurope"
  resource_group_name = "rg"
  public_network_access_enabled = false
  sku { 
    name = "Standard_S1"
    capacity = 1
  }
}
resource "azurerm_dashboard_grafana" "g" {
  name = "graf1"
  location = "westeurope"
  resource_group_name = "rg"
  grafana_major_version = "12"
  public_network_access_enabled = false
}
resource "azurerm_policy_definition" "d" {
  name = "pd"
  policy_type = "Custom"
  mode = "All"
  display_name = "d"
  metadata = jsonencode({ category = "x" })
  parameters = jsonencode({ a = { type = "String" } })
  policy_rule = jsonencode({ if = { field = "location", equals = "x" }, then = { effect = "deny" } })
}
resource "azurerm_policy_set_definition" "d" {
  name = "psd"
  policy_type = "Custom"
  display_name = "d"
  policy_definition_reference { 
    policy_definition_id = "${local.s}/providers/Microsoft.Authorization/policyDefinitions/x"
    parameter_values = jsonencode({ a = { value = "b" } })
    reference_id = "r"
  }
}
resource "azurerm_resource_group_policy_assignment" "a" {
  name = "rga"
  resource_group_id = local.rg
  policy_definition_id = "/providers/Microsoft.Authorization/policyDefinitions/11111111-2222-3333-4444-555555555555"
  parameters = jsonencode({ a = { value = "b" } })
  enforce = false
  location = "westeurope"
  identity { type = "SystemAssigned" }
  non_compliance_message { content = "no" }
}
resource "azurerm_subscription_policy_assignment" "a" {
  name = "suba"
  subscription_id = local.s
  policy_definition_id = "/providers/Microsoft.Authorization/policyDefinitions/11111111-2222-3333-4444-555555555555"
}
resource "azurerm_resource_policy_exemption" "e" {
  name = "ex"
  resource_id = local.kv
  policy_assignment_id = "${local.rg}/providers/Microsoft.Authorization/policyAssignments/rga"
  exemption_category = "Waiver"
}
resource "azurerm_management_lock" "l" {
  name = "lock"
  scope = local.rg
  lock_level = "CanNotDelete"
  notes = "n"
}
resource "azurerm_resource_group_template_deployment" "t" {
  name = "dep"
  resource_group_name = "rg"
  deployment_mode = "Incremental"
  template_content = jsonencode({ "$schema" = "x", contentVersion = "1.0.0.0", resources = [] })
}
resource "azurerm_security_center_storage_defender" "d" {
  storage_account_id = local.st
  malware_scanning_on_upload_enabled = true
}
resource "azurerm_databricks_workspace" "d" {
  name                          = "dbx1"
  location                      = "westeurope"
  resource_group_name           = "rg"
  sku                           = "premium"
  public_network_access_enabled = true
  custom_parameters { no_public_ip = true }
}
