# The workspace with the services that it stands on, and where their logs go.

module "monitoring" {
  source = "./modules/monitoring"

  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  suffix              = local.unique
  internet_access     = var.monitor_internet_access
}

module "workspace" {
  source = "./modules/workspace"

  resource_group_name     = local.group
  location                = local.location
  tags                    = var.tags
  suffix                  = local.unique
  tenant_id               = var.tenant_id
  application_insights_id = module.monitoring.application_insights_id
  image_build_compute     = local.image_build
  customer_managed_key    = var.customer_managed_key
}

# Endpoints for scoring, and the computes, need the workspace to be reachable.
module "serving" {
  source = "./modules/serving"

  location        = local.location
  tags            = var.tags
  workspace_id    = module.workspace.workspace.id
  online_endpoint = "diabetes"
  batch_endpoint  = "diabetes-batch"

  depends_on = [module.private_service]
}

module "diagnostics" {
  source = "./modules/diagnostics"

  log_analytics_id = module.monitoring.log_analytics_id
  targets = merge(
    {
      workspace = { id = module.workspace.workspace.id }
      registry  = { id = module.workspace.registry.id }
      vault     = { id = module.workspace.vault.id }
      blob      = { id = "${module.workspace.storage.id}/blobServices/default", metrics = ["Transaction"] }
      file      = { id = "${module.workspace.storage.id}/fileServices/default", metrics = ["Transaction"] }
      queue     = { id = "${module.workspace.storage.id}/queueServices/default", metrics = ["Transaction"] }
      table     = { id = "${module.workspace.storage.id}/tableServices/default", metrics = ["Transaction"] }
      bastion   = { id = module.bastion.id }
    },
    { for subnet, id in module.network.security_group_ids : "nsg-${subnet}" => { id = id, metrics = [] } },
    { for cluster in module.aks : "aks" => { id = cluster.id } },
    { for firewall in compact([try(module.egress.firewall.id, null)]) : "firewall" => { id = firewall } },
    { for name, id in module.gateways.ids : "gateway-${name}" => { id = id } },
  )
}

module "governance" {
  source = "./modules/governance"

  resource_group_id = azurerm_resource_group.this.id
  enforce           = var.enforce_policies
}
