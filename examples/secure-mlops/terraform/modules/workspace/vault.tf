# The key vault, and in it the key of whatever is encrypted at rest.

resource "azurerm_key_vault" "this" {
  name                          = "kv-${var.suffix}"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  tenant_id                     = var.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  public_network_access_enabled = false
  tags                          = var.tags

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
  }
}

# The key is made by Azure Resource Manager: whoever runs Terraform from outside
# stands before the vault's closed door.
resource "azapi_resource" "key" {
  count = local.keys

  type      = "Microsoft.KeyVault/vaults/keys@2023-07-01"
  name      = "encryption"
  parent_id = azurerm_key_vault.this.id

  body = {
    properties = {
      kty     = "RSA"
      keySize = 3072
      keyOps  = ["wrapKey", "unwrapKey"]
    }
  }
}

# Whatever is encrypted uses the key as this identity, which may use keys of the
# vault and nothing else.
resource "azurerm_user_assigned_identity" "encryption" {
  count = local.keys

  name                = "id-encryption"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_role_assignment" "encryption" {
  count = local.keys

  principal_id         = azurerm_user_assigned_identity.encryption[0].principal_id
  principal_type       = "ServicePrincipal"
  role_definition_name = "Key Vault Crypto Service Encryption User"
  scope                = azurerm_key_vault.this.id
}

locals {
  keys = anytrue(values(var.customer_managed_key)) ? 1 : 0

  # Without a version: what is encrypted follows the key when it is rotated.
  key_id = one([for key in azapi_resource.key : "${azurerm_key_vault.this.vault_uri}keys/${key.name}"])

  # The identity of each that is encrypted; nothing for the others.
  encrypted = {
    for what, wanted in var.customer_managed_key : what => wanted ? azurerm_user_assigned_identity.encryption[*] : []
  }
}
