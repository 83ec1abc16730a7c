output "id" {
  description = "The Bastion."
  value       = azurerm_bastion_host.this.id
}
