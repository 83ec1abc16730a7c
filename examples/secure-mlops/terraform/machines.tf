# BASTION VNET's machines: Azure Bastion for people, the jump host behind it, and
# the agents that run the pipelines.

module "bastion" {
  source = "./modules/bastion"

  name                = "bas-${var.prefix}"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = module.network.subnet_ids.bastion
}

module "jump_host" {
  source = "./modules/machine"

  name                = "vm-jump"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = module.network.subnet_ids.jump
  size                = var.vm_size
  admin               = local.admin
  image               = local.image
}

module "agents" {
  source = "./modules/agents"

  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = module.network.subnet_ids.agents
  virtual_machines    = var.agent_count
  scale_set           = var.agent_scale_set
  size                = var.vm_size
  admin               = local.admin
  image               = local.image
  package_url         = var.agent_package_url
  devops_url          = var.devops_url
  pool                = var.agent_pool
  token               = var.agent_token

  # The agent's package is fetched through the network's way out.
  depends_on = [module.egress]
}
