resource "azurerm_key_vault" "this" {
  name                          = "kv-mlops"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  tenant_id                     = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  public_network_access_enabled = false
}

resource "azurerm_application_insights" "this" {
  name                = "appi-mlops"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  application_type    = "web"
}

resource "azurerm_machine_learning_workspace" "this" {
  name                          = "mlw-mlops"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  storage_account_id            = azurerm_storage_account.this.id
  container_registry_id         = azurerm_container_registry.this.id
  key_vault_id                  = azurerm_key_vault.this.id
  application_insights_id       = azurerm_application_insights.this.id
  image_build_compute_name      = "cpu-cluster"
  public_network_access_enabled = false

  identity {
    type = "SystemAssigned"
  }
}
