# Types that are kept and not run, with what their clients ask of them.
resource "azurerm_cognitive_account" "this" {
  name                = "cog-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  kind                = "CognitiveServices"
  sku_name            = "S0"
}
resource "azurerm_search_service" "this" {
  name                = "srch-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "standard"
}
resource "azurerm_recovery_services_vault" "this" {
  name                = "rsv-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Standard"
}
resource "azurerm_backup_policy_vm" "this" {
  name                = "daily"
  resource_group_name = azurerm_resource_group.this.name
  recovery_vault_name = azurerm_recovery_services_vault.this.name
  backup {
    frequency = "Daily"
    time      = "23:00"
  }
  retention_daily {
    count = 10
  }
}
resource "azurerm_postgresql_flexible_server_database" "this" {
  name      = "mlflow"
  server_id = azurerm_postgresql_flexible_server.this.id
}
resource "azurerm_postgresql_flexible_server_configuration" "this" {
  name      = "azure.extensions"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = "VECTOR"
}
resource "azurerm_linux_web_app" "this" {
  name                = "app-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  service_plan_id     = azurerm_service_plan.this.id
  site_config {}
}
resource "azurerm_linux_function_app" "this" {
  name                       = "func-wide"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = local.location
  service_plan_id            = azurerm_service_plan.this.id
  storage_account_name       = azurerm_storage_account.this.name
  storage_account_access_key = azurerm_storage_account.this.primary_access_key
  site_config {}
}
resource "azurerm_container_app_environment" "this" {
  name                       = "cae-wide"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = local.location
  logs_destination           = "log-analytics"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
}
resource "azurerm_container_app" "this" {
  name                         = "ca-wide"
  resource_group_name          = azurerm_resource_group.this.name
  container_app_environment_id = azurerm_container_app_environment.this.id
  revision_mode                = "Single"
  template {
    container {
      name   = "app"
      image  = "mcr.microsoft.com/k8se/quickstart:latest"
      cpu    = 0.25
      memory = "0.5Gi"
    }
  }
}
resource "azurerm_kusto_cluster" "this" {
  name                = "kustowide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku {
    name     = "Standard_D13_v2"
    capacity = 2
  }
}
resource "azurerm_kusto_database" "this" {
  name                = "events"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  cluster_name        = azurerm_kusto_cluster.this.name
}
resource "azurerm_redis_cache" "this" {
  name                = "redis-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  capacity            = 1
  family              = "C"
  sku_name            = "Standard"
}
resource "azurerm_managed_redis" "this" {
  name                = "amr-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku_name            = "Balanced_B3"
  default_database {}
}
resource "azurerm_eventhub_namespace" "this" {
  name                = "evhns-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Standard"
}
resource "azurerm_eventhub" "this" {
  name              = "events"
  namespace_id      = azurerm_eventhub_namespace.this.id
  partition_count   = 2
  message_retention = 1
}
resource "azurerm_servicebus_namespace" "this" {
  name                = "sb-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Standard"
}
resource "azurerm_servicebus_queue" "this" {
  name         = "jobs"
  namespace_id = azurerm_servicebus_namespace.this.id
}
resource "azurerm_eventgrid_system_topic_event_subscription" "this" {
  name                          = "made"
  system_topic                  = azurerm_eventgrid_system_topic.this.name
  resource_group_name           = azurerm_resource_group.this.name
  service_bus_queue_id = azurerm_servicebus_queue.this.id
}
resource "azurerm_eventgrid_event_subscription" "this" {
  name                          = "changed"
  scope                         = azurerm_storage_account.this.id
  service_bus_queue_id = azurerm_servicebus_queue.this.id
}
resource "azurerm_monitor_data_collection_rule" "this" {
  name                = "dcr-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  destinations {
    log_analytics {
      name                  = "logs"
      workspace_resource_id = azurerm_log_analytics_workspace.this.id
    }
  }
  data_flow {
    streams      = ["Microsoft-Syslog"]
    destinations = ["logs"]
  }
}
resource "azurerm_monitor_data_collection_rule_association" "this" {
  name                    = "vm"
  target_resource_id      = azurerm_linux_virtual_machine.this.id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.this.id
}
resource "azurerm_monitor_workspace" "this" {
  name                = "amw-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_dashboard_grafana" "this" {
  name                  = "graf-wide"
  resource_group_name   = azurerm_resource_group.this.name
  location              = local.location
  grafana_major_version = 12
}
resource "azurerm_monitor_smart_detector_alert_rule" "this" {
  name                = "failures"
  resource_group_name = azurerm_resource_group.this.name
  severity            = "Sev3"
  scope_resource_ids  = [azurerm_application_insights.this.id]
  frequency           = "PT1M"
  detector_type       = "FailureAnomaliesDetector"
  action_group {
    ids = [azurerm_monitor_action_group.this.id]
  }
}
resource "azurerm_data_factory" "this" {
  name                = "adf-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_cosmosdb_account" "this" {
  name                = "cosmos-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  offer_type          = "Standard"
  consistency_policy {
    consistency_level = "Session"
  }
  geo_location {
    location          = local.location
    failover_priority = 0
  }
}
resource "azurerm_databricks_workspace" "this" {
  name                = "dbw-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "premium"
}
resource "azurerm_dev_test_global_vm_shutdown_schedule" "this" {
  virtual_machine_id    = azurerm_linux_virtual_machine.this.id
  location              = local.location
  enabled               = true
  daily_recurrence_time = "1900"
  timezone              = "UTC"
  notification_settings {
    enabled = false
  }
}
