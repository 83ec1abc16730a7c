# The workspace. It and the services that it stands on are closed to the public
# network; each service trusts Azure's own, so that the workspace can reach it.

resource "azurerm_machine_learning_workspace" "this" {
  name                          = "mlw-${var.suffix}"
  friendly_name                 = "Secure MLOps"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  application_insights_id       = var.application_insights_id
  container_registry_id         = azurerm_container_registry.this.id
  key_vault_id                  = azurerm_key_vault.this.id
  storage_account_id            = azurerm_storage_account.this.id
  storage_account_access_type   = "Identity"
  public_network_access_enabled = false
  image_build_compute_name      = var.image_build_compute
  tags                          = var.tags

  # What the service keeps about the workspace is encrypted where the service keeps it.
  service_side_encryption_enabled = var.customer_managed_key.workspace

  identity {
    type         = var.customer_managed_key.workspace ? "SystemAssigned, UserAssigned" : "SystemAssigned"
    identity_ids = local.encrypted.workspace[*].id
  }

  dynamic "encryption" {
    for_each = local.encrypted.workspace

    content {
      key_vault_id              = azurerm_key_vault.this.id
      key_id                    = local.key_id
      user_assigned_identity_id = encryption.value.id
    }
  }

  depends_on = [azurerm_role_assignment.encryption]
}
