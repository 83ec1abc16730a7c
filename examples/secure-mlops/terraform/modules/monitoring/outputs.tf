output "log_analytics_id" {
  description = "The Log Analytics workspace."
  value       = azurerm_log_analytics_workspace.this.id
}

output "application_insights_id" {
  description = "The Application Insights component."
  value       = azurerm_application_insights.this.id
}

output "private_link_scope_id" {
  description = "The Monitor private link scope."
  value       = azurerm_monitor_private_link_scope.this.id

  # An endpoint takes over the names of what its scope holds.
  depends_on = [azurerm_monitor_private_link_scoped_service.this]
}
