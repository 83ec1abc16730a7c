# What services say of themselves goes to Log Analytics.

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = var.targets

  name                       = "to-log-analytics"
  target_resource_id         = each.value.id
  log_analytics_workspace_id = var.log_analytics_id

  dynamic "enabled_log" {
    for_each = each.value.logs

    content {
      category_group = enabled_log.value
    }
  }

  dynamic "enabled_metric" {
    for_each = each.value.metrics

    content {
      category = enabled_metric.value
    }
  }
}
