# The two networks, the link between them, and the ways out and in.

module "network" {
  source = "./modules/network"

  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  address_spaces      = { aml = var.aml_address_space, bastion = var.bastion_address_space }
  subnets             = local.subnets
  vpn_clients         = var.vpn_gateway ? var.vpn_client_pool : null
}

module "egress" {
  source = "./modules/egress"

  resource_group_name   = local.group
  location              = local.location
  tags                  = var.tags
  mode                  = var.egress
  firewall_network_name = module.network.networks.bastion.name
  firewall_prefix       = local.subnets.firewall

  subnets = {
    for name, network in { training = "aml", aks = "aml", jump = "bastion", agents = "bastion" } : name => {
      id                            = module.network.subnet_ids[name]
      prefix                        = local.subnets[name]
      network                       = network
      services                      = module.network.services[name]
    }
  }
}

module "gateways" {
  source = "./modules/gateways"

  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  network_name        = module.network.networks.bastion.name
  prefix              = local.subnets.gateway
  vpn                 = var.vpn_gateway ? { client_pool = var.vpn_client_pool, tenant_id = var.tenant_id } : null
  express_route       = var.express_route_gateway ? { circuit_id = var.express_route_circuit_id } : null
}

# BASTION VNET is the hub: whoever comes in or goes out passes through it.
module "peering" {
  source = "./modules/peering"

  resource_group_name = local.group
  hub                 = merge(module.network.networks.bastion, { short = "bastion" })
  spoke               = merge(module.network.networks.aml, { short = "aml" })
  forwarded_traffic   = var.egress == "firewall"
  gateway_transit     = length(module.gateways.ids) > 0
}
