# Every service of the workspace is reached at a private endpoint, and its host
# names resolve to that endpoint from both networks.

module "private_service" {
  source   = "./modules/private-service"
  for_each = local.private_services

  name                = each.key
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.endpoints.id
  target_id           = each.value.target
  subresource         = each.value.subresource
  zones               = each.value.zones
  networks            = local.networks
}

locals {
  private_services = {
    workspace = {
      target      = azurerm_machine_learning_workspace.this.id
      subresource = "amlworkspace"
      zones       = ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"]
    }
    blob = {
      target      = azurerm_storage_account.this.id
      subresource = "blob"
      zones       = ["privatelink.blob.core.windows.net"]
    }
    registry = {
      target      = azurerm_container_registry.this.id
      subresource = "registry"
      zones       = ["privatelink.azurecr.io"]
    }
    vault = {
      target      = azurerm_key_vault.this.id
      subresource = "vault"
      zones       = ["privatelink.vaultcore.azure.net"]
    }
  }
}
