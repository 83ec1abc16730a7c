output "ids" {
  description = "The settings, by the target's short name."
  value       = { for name, setting in azurerm_monitor_diagnostic_setting.this : name => setting.id }
}
