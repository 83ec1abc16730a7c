# The workspace and the services that it stands on. None is open to the public
# network; each trusts Azure's own services, so that the workspace can reach them.

resource "azurerm_storage_account" "this" {
  name                            = "st${local.unique}"
  resource_group_name             = local.group
  location                        = local.location
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
}

resource "azurerm_key_vault" "this" {
  name                          = "kv-${local.unique}"
  resource_group_name           = local.group
  location                      = local.location
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

resource "azurerm_container_registry" "this" {
  name                          = "cr${local.unique}"
  resource_group_name           = local.group
  location                      = local.location
  sku                           = "Premium" # the one that has private endpoints
  admin_enabled                 = false
  public_network_access_enabled = false
  network_rule_bypass_option    = "AzureServices"
  tags                          = var.tags
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${local.unique}"
  resource_group_name = local.group
  location            = local.location
  sku                 = "PerGB2018"
  retention_in_days   = 30
  tags                = var.tags
}

resource "azurerm_application_insights" "this" {
  name                = "appi-${local.unique}"
  resource_group_name = local.group
  location            = local.location
  workspace_id        = azurerm_log_analytics_workspace.this.id
  application_type    = "web"
  tags                = var.tags
}

resource "azurerm_machine_learning_workspace" "this" {
  name                          = "mlw-${local.unique}"
  friendly_name                 = "Secure MLOps"
  resource_group_name           = local.group
  location                      = local.location
  application_insights_id       = azurerm_application_insights.this.id
  container_registry_id         = azurerm_container_registry.this.id
  key_vault_id                  = azurerm_key_vault.this.id
  storage_account_id            = azurerm_storage_account.this.id
  storage_account_access_type   = "Identity"
  public_network_access_enabled = false
  image_build_compute_name      = local.cluster # a closed registry cannot build images itself
  tags                          = var.tags

  identity {
    type = "SystemAssigned"
  }
}
