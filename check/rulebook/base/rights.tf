resource "azurerm_role_assignment" "workspace" {
  for_each = {
    "Storage Blob Data Contributor" = azurerm_storage_account.this.id
    "AcrPull"                       = azurerm_container_registry.this.id
    "Key Vault Administrator"       = azurerm_key_vault.this.id
  }

  principal_id         = azurerm_machine_learning_workspace.this.identity[0].principal_id
  role_definition_name = each.key
  scope                = each.value
}
