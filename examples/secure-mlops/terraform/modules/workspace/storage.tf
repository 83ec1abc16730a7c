# Data, models, code and logs of jobs. Nobody holds a key of the account.

resource "azurerm_storage_account" "this" {
  name                            = "st${var.suffix}"
  resource_group_name             = var.resource_group_name
  location                        = var.location
  account_kind                    = "StorageV2"
  account_tier                    = "Standard"
  account_replication_type        = "ZRS"
  min_tls_version                 = "TLS1_2"
  public_network_access_enabled   = false
  shared_access_key_enabled       = false
  allow_nested_items_to_be_public = false
  local_user_enabled              = false
  tags                            = var.tags

  network_rules {
    default_action = "Deny"
    bypass         = ["AzureServices"]
  }

  dynamic "identity" {
    for_each = local.encrypted.storage

    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.id]
    }
  }

  dynamic "customer_managed_key" {
    for_each = local.encrypted.storage

    content {
      key_vault_key_id          = local.key_id
      user_assigned_identity_id = customer_managed_key.value.id
    }
  }

  depends_on = [azurerm_role_assignment.encryption]
}
