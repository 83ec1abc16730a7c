locals {
  endpoints = {
    workspace = { of = azurerm_machine_learning_workspace.this.id, group = "amlworkspace", zones = ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"] }
    blob      = { of = azurerm_storage_account.this.id, group = "blob", zones = ["privatelink.blob.core.windows.net"] }
    file      = { of = azurerm_storage_account.this.id, group = "file", zones = ["privatelink.file.core.windows.net"] }
    registry  = { of = azurerm_container_registry.this.id, group = "registry", zones = ["privatelink.azurecr.io"] }
    vault     = { of = azurerm_key_vault.this.id, group = "vault", zones = ["privatelink.vaultcore.azure.net"] }
  }
}

resource "azurerm_private_endpoint" "this" {
  for_each = local.endpoints

  name                = "pe-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  subnet_id           = azurerm_subnet.endpoints.id

  private_service_connection {
    name                           = "psc-${each.key}"
    private_connection_resource_id = each.value.of
    subresource_names              = [each.value.group]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [for zone in each.value.zones : azurerm_private_dns_zone.this[zone].id]
  }
}
