output "workspace" {
  description = "The workspace, with the object id of its identity."
  value = {
    id           = azurerm_machine_learning_workspace.this.id
    name         = azurerm_machine_learning_workspace.this.name
    principal_id = azurerm_machine_learning_workspace.this.identity[0].principal_id
  }
}

output "storage" {
  description = "The storage account, with the address of its blobs."
  value = {
    id            = azurerm_storage_account.this.id
    blob_endpoint = azurerm_storage_account.this.primary_blob_endpoint
  }
}

output "registry" {
  description = "The container registry, with its login server."
  value = {
    id           = azurerm_container_registry.this.id
    login_server = azurerm_container_registry.this.login_server
  }
}

output "vault" {
  description = "The key vault, with its address."
  value = {
    id  = azurerm_key_vault.this.id
    uri = azurerm_key_vault.this.vault_uri
  }
}
