output "id" {
  description = "The network security group."
  value       = azurerm_network_security_group.this.id
}
