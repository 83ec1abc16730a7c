locals {
  sub  = "/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/ext/providers"
  law  = "${local.sub}/Microsoft.OperationalInsights/workspaces/w"
  kv   = "${local.sub}/Microsoft.KeyVault/vaults/kv"
  sa   = "${local.sub}/Microsoft.Storage/storageAccounts/st"
  vm   = "${local.sub}/Microsoft.Compute/virtualMachines/vm"
  vmss = "${local.sub}/Microsoft.Compute/virtualMachineScaleSets/vmss"
  uai  = "${local.sub}/Microsoft.ManagedIdentity/userAssignedIdentities/u"
}
resource "azurerm_monitor_diagnostic_setting" "a" {
  name                           = "diag"
  target_resource_id             = local.kv
  log_analytics_workspace_id     = local.law
  log_analytics_destination_type = "Dedicated"
  storage_account_id             = local.sa
  eventhub_name                  = "eh"
  eventhub_authorization_rule_id = "${local.sub}/Microsoft.EventHub/namespaces/ns/authorizationRules/r"
  enabled_log {
    category = "AuditEvent"
  }
  enabled_log {
    category_group = "audit"
  }
  enabled_metric {
    category = "AllMetrics"
  }
}
resource "azurerm_monitor_diagnostic_setting" "b" {
  name                       = "diag"
  target_resource_id         = local.sa
  log_analytics_workspace_id = local.law
  enabled_metric {
    category = "Transaction"
  }
}
resource "azurerm_monitor_private_link_scope" "s" {
  name                  = "ampls"
  resource_group_name   = "rg"
  ingestion_access_mode = "PrivateOnly"
  query_access_mode     = "Open"
}
resource "azurerm_monitor_private_link_scope" "t" {
  name                = "ampls2"
  resource_group_name = "rg"
}
resource "azurerm_monitor_private_link_scoped_service" "s" {
  name                = "svc"
  resource_group_name = "rg"
  scope_name          = azurerm_monitor_private_link_scope.s.name
  linked_resource_id  = azurerm_log_analytics_workspace.w.id
}
resource "azurerm_log_analytics_workspace" "w" {
  name                                    = "lawx"
  location                                = "westeurope"
  resource_group_name                     = "rg"
  sku                                     = "CapacityReservation"
  reservation_capacity_in_gb_per_day      = 100
  retention_in_days                       = 60
  daily_quota_gb                          = 5
  cmk_for_query_forced                    = true
  allow_resource_only_permissions         = false
  internet_ingestion_access_type          = "SecuredByPerimeter"
  internet_query_access_type              = "Disabled"
  local_authentication_enabled            = false
  immediate_data_purge_on_30_days_enabled = true
  identity {
    type = "SystemAssigned"
  }
}
resource "azurerm_log_analytics_workspace" "m" {
  name                = "lawmin"
  location            = "westeurope"
  resource_group_name = "rg"
  retention_in_days   = 30
}
resource "azurerm_log_analytics_solution" "s" {
  solution_name         = "ContainerInsights"
  location              = "westeurope"
  resource_group_name   = "rg"
  workspace_resource_id = azurerm_log_analytics_workspace.w.id
  workspace_name        = azurerm_log_analytics_workspace.w.name
  plan {
    publisher = "Microsoft"
    product   = "OMSGallery/ContainerInsights"
  }
}
resource "azurerm_log_analytics_linked_storage_account" "a" {
  data_source_type    = "CustomLogs"
  resource_group_name = "rg"
  workspace_id        = azurerm_log_analytics_workspace.w.id
  storage_account_ids = [local.sa]
}
resource "azurerm_log_analytics_linked_service" "a" {
  resource_group_name = "rg"
  workspace_id        = azurerm_log_analytics_workspace.w.id
  read_access_id      = "${local.sub}/Microsoft.Automation/automationAccounts/aa"
}
resource "azurerm_log_analytics_linked_service" "b" {
  resource_group_name = "rg"
  workspace_id        = azurerm_log_analytics_workspace.w.id
  write_access_id     = azurerm_log_analytics_cluster.c.id
}
resource "azurerm_log_analytics_saved_search" "s" {
  name                       = "ss"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.w.id
  category                   = "c"
  display_name               = "d"
  query                      = "Heartbeat"
  function_alias             = "fa"
  function_parameters        = ["a:int=1"]
}
resource "azurerm_log_analytics_cluster" "c" {
  name                = "lacx"
  location            = "westeurope"
  resource_group_name = "rg"
  size_gb             = 500
  identity {
    type = "SystemAssigned"
  }
}
resource "azurerm_log_analytics_data_export_rule" "e" {
  name                    = "expx"
  resource_group_name     = "rg"
  workspace_resource_id   = azurerm_log_analytics_workspace.w.id
  destination_resource_id = local.sa
  table_names             = ["Heartbeat"]
  enabled                 = true
}
resource "azurerm_log_analytics_query_pack" "q" {
  name                = "qp"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_application_insights" "a" {
  name                                 = "ai"
  location                             = "westeurope"
  resource_group_name                  = "rg"
  application_type                     = "web"
  workspace_id                         = azurerm_log_analytics_workspace.w.id
  daily_data_cap_in_gb                 = 10
  daily_data_cap_notifications_enabled = false
  retention_in_days                    = 30
  sampling_percentage                  = 50
  ip_masking_enabled                   = false
  local_authentication_enabled         = false
  internet_ingestion_enabled           = false
  internet_query_enabled               = false
  force_customer_storage_for_profiler  = true
}
resource "azurerm_application_insights_standard_web_test" "t" {
  name                    = "swt"
  location                = "westeurope"
  resource_group_name     = "rg"
  application_insights_id = azurerm_application_insights.a.id
  geo_locations           = ["emea-nl-ams-azr"]
  description             = "d"
  retry_enabled           = true
  request {
    url       = "https://example.com"
    http_verb = "POST"
    body      = "x"
    header {
      name  = "a"
      value = "b"
    }
  }
  validation_rules {
    expected_status_code        = 200
    ssl_check_enabled           = true
    ssl_cert_remaining_lifetime = 7
    content {
      content_match      = "ok"
      ignore_case        = true
      pass_if_text_found = true
    }
  }
}
resource "azurerm_application_insights_web_test" "t" {
  name                    = "wt"
  location                = "westeurope"
  resource_group_name     = "rg"
  application_insights_id = azurerm_application_insights.a.id
  kind                    = "ping"
  geo_locations           = ["emea-nl-ams-azr"]
  configuration           = "<WebTest/>"
}
resource "azurerm_application_insights_workbook" "w" {
  name                = "85b3e8bb-fc93-40be-83f2-98f6bec18ba0"
  location            = "westeurope"
  resource_group_name = "rg"
  display_name        = "wb"
  data_json           = jsonencode({ version = "Notebook/1.0" })
}
resource "azurerm_monitor_action_group" "g" {
  name                = "ag"
  resource_group_name = "rg"
  short_name          = "ag"
  email_receiver {
    name                    = "e"
    email_address           = "a@example.com"
    use_common_alert_schema = true
  }
  arm_role_receiver {
    name    = "r"
    role_id = "de139f84-1756-47ae-9be6-808fbbe84772"
  }
  webhook_receiver {
    name        = "w"
    service_uri = "https://example.com/hook"
    aad_auth {
      object_id = "11111111-1111-1111-1111-111111111113"
    }
  }
  sms_receiver {
    name         = "s"
    country_code = "1"
    phone_number = "5555555555"
  }
  voice_receiver {
    name         = "v"
    country_code = "1"
    phone_number = "5555555555"
  }
  event_hub_receiver {
    name                = "h"
    event_hub_namespace = "ns"
    event_hub_name      = "eh"
  }
  logic_app_receiver {
    name         = "l"
    resource_id  = "${local.sub}/Microsoft.Logic/workflows/w"
    callback_url = "https://x"
  }
  azure_function_receiver {
    name                     = "f"
    function_app_resource_id = "${local.sub}/Microsoft.Web/sites/f"
    function_name            = "fn"
    http_trigger_url         = "https://y"
  }
  azure_app_push_receiver {
    name          = "p"
    email_address = "a@example.com"
  }
  automation_runbook_receiver {
    name                  = "rb"
    automation_account_id = "${local.sub}/Microsoft.Automation/automationAccounts/aa"
    runbook_name          = "rbn"
    webhook_resource_id   = "${local.sub}/Microsoft.Automation/automationAccounts/aa/webHooks/wh"
    is_global_runbook     = true
    service_uri           = "https://z"
  }
}
resource "azurerm_monitor_metric_alert" "a" {
  name                = "ma"
  resource_group_name = "rg"
  scopes              = [local.kv]
  description         = "d"
  severity            = 2
  criteria {
    metric_namespace = "Microsoft.KeyVault/vaults"
    metric_name      = "Availability"
    aggregation      = "Average"
    operator         = "LessThan"
    threshold        = 99
    dimension {
      name     = "x"
      operator = "Include"
      values   = ["*"]
    }
  }
  action {
    action_group_id    = azurerm_monitor_action_group.g.id
    webhook_properties = { a = "b" }
  }
}
resource "azurerm_monitor_metric_alert" "d" {
  name                     = "mad"
  resource_group_name      = "rg"
  scopes                   = [local.vm, "${local.vm}2"]
  target_resource_type     = "Microsoft.Compute/virtualMachines"
  target_resource_location = "westeurope"
  frequency                = "PT5M"
  window_size              = "PT15M"
  auto_mitigate            = false
  enabled                  = false
  dynamic_criteria {
    metric_namespace  = "Microsoft.Compute/virtualMachines"
    metric_name       = "Percentage CPU"
    aggregation       = "Average"
    operator          = "GreaterThan"
    alert_sensitivity = "Medium"
  }
}
resource "azurerm_monitor_metric_alert" "w" {
  name                = "maw"
  resource_group_name = "rg"
  scopes              = [azurerm_application_insights.a.id, azurerm_application_insights_web_test.t.id]
  application_insights_web_test_location_availability_criteria {
    web_test_id           = azurerm_application_insights_web_test.t.id
    component_id          = azurerm_application_insights.a.id
    failed_location_count = 2
  }
}
resource "azurerm_monitor_activity_log_alert" "a" {
  name                = "ala"
  location            = "global"
  resource_group_name = "rg"
  scopes              = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  criteria {
    category       = "Administrative"
    operation_name = "Microsoft.Network/networkSecurityGroups/write"
    level          = "Error"
    resource_types = ["a/b", "c/d"]
    status         = "Succeeded"
    caller         = "me"
  }
  action {
    action_group_id    = azurerm_monitor_action_group.g.id
    webhook_properties = { from = "terraform" }
  }
}
resource "azurerm_monitor_activity_log_alert" "h" {
  name                = "alh"
  location            = "global"
  resource_group_name = "rg"
  scopes              = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  criteria {
    category = "ServiceHealth"
    service_health {
      events    = ["Incident"]
      locations = ["Global"]
      services  = ["Azure DNS"]
    }
  }
}
resource "azurerm_monitor_activity_log_alert" "r" {
  name                = "alr"
  location            = "global"
  resource_group_name = "rg"
  scopes              = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  criteria {
    category = "ResourceHealth"
    resource_health {
      current  = ["Degraded"]
      previous = ["Available"]
      reason   = ["PlatformInitiated"]
    }
  }
}
resource "azurerm_monitor_scheduled_query_rules_alert" "a" {
  name                = "sqr"
  location            = "westeurope"
  resource_group_name = "rg"
  data_source_id      = local.law
  query               = "Heartbeat"
  frequency           = 5
  time_window         = 30
  severity            = 1
  throttling          = 10
  action {
    action_group           = [azurerm_monitor_action_group.g.id]
    email_subject          = "x"
    custom_webhook_payload = "{}"
  }
  trigger {
    operator  = "GreaterThan"
    threshold = 3
    metric_trigger {
      metric_column       = "c"
      metric_trigger_type = "Total"
      operator            = "GreaterThan"
      threshold           = 1
    }
  }
}
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "a" {
  name                              = "sqr2"
  location                          = "westeurope"
  resource_group_name               = "rg"
  scopes                            = [local.law]
  severity                          = 4
  evaluation_frequency              = "PT10M"
  window_duration                   = "PT10M"
  description                       = "d"
  display_name                      = "dn"
  mute_actions_after_alert_duration = "PT1H"
  query_time_range_override         = "PT1H"
  skip_query_validation             = true
  auto_mitigation_enabled           = false
  workspace_alerts_storage_enabled  = false
  criteria {
    query                   = "Heartbeat"
    operator                = "LessThan"
    threshold               = 17.5
    time_aggregation_method = "Maximum"
    metric_measure_column   = "c"
    resource_id_column      = "r"
    dimension {
      name     = "x"
      operator = "Exclude"
      values   = ["1"]
    }
    failing_periods {
      minimum_failing_periods_to_trigger_alert = 1
      number_of_evaluation_periods             = 1
    }
  }
  action {
    action_groups     = [azurerm_monitor_action_group.g.id]
    custom_properties = { k = "v" }
  }
  identity {
    type = "SystemAssigned"
  }
}
resource "azurerm_monitor_smart_detector_alert_rule" "a" {
  name                = "sd"
  resource_group_name = "rg"
  severity            = "Sev0"
  scope_resource_ids  = [azurerm_application_insights.a.id]
  frequency           = "PT1M"
  detector_type       = "FailureAnomaliesDetector"
  action_group {
    ids = [azurerm_monitor_action_group.g.id]
  }
}
resource "azurerm_monitor_data_collection_endpoint" "e" {
  name                          = "dce"
  location                      = "westeurope"
  resource_group_name           = "rg"
  kind                          = "Linux"
  public_network_access_enabled = false
  description                   = "d"
}
resource "azurerm_monitor_data_collection_rule" "r" {
  name                        = "dcr"
  location                    = "westeurope"
  resource_group_name         = "rg"
  data_collection_endpoint_id = azurerm_monitor_data_collection_endpoint.e.id
  description                 = "d"
  destinations {
    log_analytics {
      name                  = "la"
      workspace_resource_id = local.law
    }
    azure_monitor_metrics {
      name = "amm"
    }
    event_hub {
      name         = "eh"
      event_hub_id = "${local.sub}/Microsoft.EventHub/namespaces/ns/eventhubs/e"
    }
    storage_blob {
      name               = "sb"
      storage_account_id = local.sa
      container_name     = "c"
    }
    monitor_account {
      name               = "ma"
      monitor_account_id = "${local.sub}/Microsoft.Monitor/accounts/a"
    }
  }
  data_flow {
    streams      = ["Microsoft-Perf", "Microsoft-Syslog"]
    destinations = ["la"]
  }
  data_flow {
    streams       = ["Custom-T"]
    destinations  = ["la"]
    output_stream = "Microsoft-Syslog"
    transform_kql = "source"
  }
  data_sources {
    syslog {
      name           = "sl"
      facility_names = ["*"]
      log_levels     = ["*"]
      streams        = ["Microsoft-Syslog"]
    }
    performance_counter {
      name                          = "pc"
      streams                       = ["Microsoft-Perf"]
      sampling_frequency_in_seconds = 60
      counter_specifiers            = ["Processor(*)\\% Processor Time"]
    }
    windows_event_log {
      name           = "we"
      streams        = ["Microsoft-WindowsEvent"]
      x_path_queries = ["*!*"]
    }
    iis_log {
      name            = "iis"
      streams         = ["Microsoft-W3CIISLog"]
      log_directories = ["C:\\Logs"]
    }
    log_file {
      name          = "lf"
      format        = "text"
      streams       = ["Custom-T"]
      file_patterns = ["C:\\a.log"]
      settings {
        text {
          record_start_timestamp_format = "ISO 8601"
        }
      }
    }
    extension {
      name               = "ex"
      extension_name     = "en"
      streams            = ["Microsoft-WindowsEvent"]
      input_data_sources = ["we"]
      extension_json     = jsonencode({ a = 1 })
    }
    prometheus_forwarder {
      name    = "pf"
      streams = ["Microsoft-PrometheusMetrics"]
    }
    platform_telemetry {
      name    = "pt"
      streams = ["Microsoft.Cache/redis:Metrics-Group-All"]
    }
    windows_firewall_log {
      name    = "wf"
      streams = ["Microsoft-ASimNetworkSessionLogs-WindowsFirewall"]
    }
  }
  stream_declaration {
    stream_name = "Custom-T"
    column {
      name = "Time"
      type = "datetime"
    }
  }
}
resource "azurerm_monitor_data_collection_rule_association" "a" {
  name                    = "dcra"
  target_resource_id      = local.vm
  data_collection_rule_id = azurerm_monitor_data_collection_rule.r.id
  description             = "x"
}
resource "azurerm_monitor_data_collection_rule_association" "b" {
  target_resource_id          = local.vm
  data_collection_endpoint_id = azurerm_monitor_data_collection_endpoint.e.id
}
resource "azurerm_monitor_workspace" "w" {
  name                = "amw"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_monitor_workspace" "x" {
  name                          = "amw2"
  location                      = "westeurope"
  resource_group_name           = "rg"
  public_network_access_enabled = false
}
resource "azurerm_monitor_autoscale_setting" "a" {
  name                = "as"
  location            = "westeurope"
  resource_group_name = "rg"
  target_resource_id  = local.vmss
  profile {
    name = "default"
    capacity {
      default = 1
      minimum = 1
      maximum = 10
    }
    rule {
      metric_trigger {
        metric_name              = "Percentage CPU"
        metric_resource_id       = local.vmss
        time_grain               = "PT1M"
        statistic                = "Average"
        time_window              = "PT5M"
        time_aggregation         = "Average"
        operator                 = "GreaterThan"
        threshold                = 75
        metric_namespace         = "microsoft.compute/virtualmachinescalesets"
        divide_by_instance_count = true
        dimensions {
          name     = "AppName"
          operator = "Equals"
          values   = ["App1"]
        }
      }
      scale_action {
        direction = "Increase"
        type      = "ChangeCount"
        value     = 1
        cooldown  = "PT1M"
      }
    }
    recurrence {
      days    = ["Monday"]
      hours   = [12]
      minutes = [0]
    }
  }
  profile {
    name = "fixed"
    capacity {
      default = 1
      minimum = 1
      maximum = 3
    }
    fixed_date {
      start = "2030-07-01T00:00:00Z"
      end   = "2030-07-31T23:59:59Z"
    }
  }
  predictive {
    scale_mode      = "Enabled"
    look_ahead_time = "PT5M"
  }
  notification {
    email {
      send_to_subscription_administrator = true
      custom_emails                      = ["a@example.com"]
    }
    webhook {
      service_uri = "https://x"
      properties  = { a = "b" }
    }
  }
}
resource "azurerm_dashboard_grafana" "g" {
  name                              = "graf"
  location                          = "westeurope"
  resource_group_name               = "rg"
  grafana_major_version             = "12"
  api_key_enabled                   = true
  deterministic_outbound_ip_enabled = true
  public_network_access_enabled     = false
  zone_redundancy_enabled           = true
  identity {
    type = "SystemAssigned"
  }
  azure_monitor_workspace_integrations {
    resource_id = azurerm_monitor_workspace.w.id
  }
  smtp {
    enabled          = true
    from_address     = "a@example.com"
    host             = "smtp.example.com:25"
    user             = "u"
    password         = "p"
    start_tls_policy = "MandatoryStartTLS"
  }
}
resource "azurerm_dashboard_grafana_managed_private_endpoint" "p" {
  grafana_id                   = azurerm_dashboard_grafana.g.id
  name                         = "mpe"
  location                     = "westeurope"
  private_link_resource_id     = azurerm_monitor_workspace.w.id
  group_ids                    = ["prometheusMetrics"]
  private_link_resource_region = "westeurope"
}
