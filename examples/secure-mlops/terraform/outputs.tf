output "workspace" {
  description = "The Azure Machine Learning workspace."
  value = {
    id   = azurerm_machine_learning_workspace.this.id
    name = azurerm_machine_learning_workspace.this.name
  }
}

output "storage_account" {
  description = "Blob endpoint of the workspace's storage account."
  value       = azurerm_storage_account.this.primary_blob_endpoint
}

output "registry" {
  description = "Login server of the workspace's registry."
  value       = azurerm_container_registry.this.login_server
}

output "vault" {
  description = "Address of the workspace's key vault."
  value       = azurerm_key_vault.this.vault_uri
}

output "jump_host" {
  description = "The machine that people reach through Bastion."
  value       = azurerm_linux_virtual_machine.jump.id
}

output "agents" {
  description = "The machines that run the pipelines."
  value       = azurerm_linux_virtual_machine.agent[*].name
}

output "private_endpoints" {
  description = "The private endpoints by service."
  value       = { for name, service in module.private_service : name => service.endpoint_id }
}
