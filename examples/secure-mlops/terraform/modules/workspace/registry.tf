# Images of environments. They leave by no other way than a pull.

resource "azurerm_container_registry" "this" {
  name                          = "cr${var.suffix}"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  sku                           = "Premium" # the one that has private endpoints
  admin_enabled                 = false
  public_network_access_enabled = false
  export_policy_enabled         = false
  network_rule_bypass_option    = "AzureServices"
  tags                          = var.tags

  dynamic "identity" {
    for_each = local.encrypted.registry

    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.id]
    }
  }

  encryption = [
    for identity in local.encrypted.registry :
    { key_vault_key_id = local.key_id, identity_client_id = identity.client_id }
  ]

  depends_on = [azurerm_role_assignment.encryption]
}
