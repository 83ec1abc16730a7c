# Every service of the workspace is reached at a private endpoint, and its host
# names resolve to that endpoint from both networks.

locals {
  private_services = {
    workspace = {
      target      = module.workspace.workspace.id
      subresource = "amlworkspace"
      zones       = ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"]
    }
    blob = {
      target      = module.workspace.storage.id
      subresource = "blob"
      zones       = ["privatelink.blob.core.windows.net"]
    }
    file = {
      target      = module.workspace.storage.id
      subresource = "file"
      zones       = ["privatelink.file.core.windows.net"]
    }
    queue = { # queues and tables hold the state of batch scoring
      target      = module.workspace.storage.id
      subresource = "queue"
      zones       = ["privatelink.queue.core.windows.net"]
    }
    table = {
      target      = module.workspace.storage.id
      subresource = "table"
      zones       = ["privatelink.table.core.windows.net"]
    }
    registry = {
      target      = module.workspace.registry.id
      subresource = "registry"
      zones       = ["privatelink.azurecr.io"]
    }
    vault = {
      target      = module.workspace.vault.id
      subresource = "vault"
      zones       = ["privatelink.vaultcore.azure.net"]
    }
    monitor = {
      target      = module.monitoring.private_link_scope_id
      subresource = "azuremonitor"
      zones = [
        "privatelink.monitor.azure.com",
        "privatelink.oms.opinsights.azure.com",
        "privatelink.ods.opinsights.azure.com",
        "privatelink.agentsvc.azure-automation.net",
        "privatelink.blob.core.windows.net",
      ]
    }
  }

  # The cluster brings the endpoint of its API server itself.
  aks_zone = "privatelink.${local.region}.azmk8s.io"
  region   = replace(lower(var.location), " ", "")
}

module "private_dns" {
  source = "./modules/private-dns"

  resource_group_name = local.group
  tags                = var.tags
  zones               = toset(concat(flatten([for service in local.private_services : service.zones]), var.aks ? [local.aks_zone] : []))
  networks            = { for name, network in module.network.networks : name => network.id }
}

module "private_service" {
  source   = "./modules/private-service"
  for_each = local.private_services

  name                = each.key
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = module.network.subnet_ids.endpoints
  target_id           = each.value.target
  subresource         = each.value.subresource
  zone_ids            = [for zone in each.value.zones : module.private_dns.ids[zone]]
}
