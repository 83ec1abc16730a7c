output "id" {
  description = "The virtual machine."
  value       = azurerm_linux_virtual_machine.this.id
}

output "name" {
  description = "Name of the virtual machine."
  value       = azurerm_linux_virtual_machine.this.name
}

output "principal_id" {
  description = "Object id of the machine's identity."
  value       = azurerm_linux_virtual_machine.this.identity[0].principal_id
}
