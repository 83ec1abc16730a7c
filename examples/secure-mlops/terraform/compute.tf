# What trains, builds images and serves.

locals {
  image_build = "image-build"
}

module "training" {
  source = "./modules/training"

  location     = local.location
  tags         = var.tags
  workspace_id = module.workspace.workspace.id
  subnet_id    = module.network.subnet_ids.training

  clusters = {
    cpu-cluster         = merge(var.training, { description = "Trains." })
    (local.image_build) = { vm_size = var.training.vm_size, max_nodes = 1, description = "Builds the images of environments." }
  }
  instances = var.compute_instances

  # Nodes without a public address need the workspace's endpoint and a way out
  # before the first of them starts.
  depends_on = [module.private_service, module.egress]
}

module "aks" {
  source = "./modules/aks"
  count  = var.aks ? 1 : 0

  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  suffix              = local.unique
  tenant_id           = var.tenant_id
  subnet_id           = module.network.subnet_ids.aks
  dns_zone_id         = module.private_dns.ids[local.aks_zone]
  outbound_type       = var.egress == "firewall" ? "userDefinedRouting" : "userAssignedNATGateway"
  log_analytics_id    = module.monitoring.log_analytics_id
  registry_id         = module.workspace.registry.id
  workspace_id        = module.workspace.workspace.id
  tls_secret          = var.aks_tls_secret

  depends_on = [module.private_service, module.egress]
}
