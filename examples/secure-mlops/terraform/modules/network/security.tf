# One network security group for each subnet, each with the least that its work
# needs. The comments of the rules say what that work is.

module "endpoints_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-endpoints"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.endpoints.id

  inbound = concat(
    [
      { name = "allow-training", why = "Jobs read data and images and log their runs.", from = [var.subnets.training], to = var.subnets.endpoints },
      { name = "allow-agents", why = "Pipelines submit jobs, push images and deploy.", from = [var.subnets.agents], to = var.subnets.endpoints },
      { name = "allow-jump", why = "People score and look.", from = [var.subnets.jump], to = var.subnets.endpoints },
      { name = "allow-aks", why = "Served models read images and data and report.", from = [var.subnets.aks], to = var.subnets.endpoints },
    ],
    [
      for pool in compact([var.vpn_clients]) :
      { name = "allow-vpn", why = "People who come by VPN.", from = [pool], to = var.subnets.endpoints }
    ],
  )
}

module "training_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-training"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.training.id

  # Nodes without a public address are called by nobody.
  outbound = concat(
    [{ name = "allow-endpoints", why = "Workspace, storage, registry and vault.", to = var.subnets.endpoints }],
    local.services.training,
  )
}

module "aks_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-aks"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.aks.id

  inbound = [
    { name = "allow-cluster-in", why = "Nodes, the API server's endpoint and the load balancer among themselves.", from = [var.subnets.aks], to = var.subnets.aks, protocol = "*", ports = ["*"] },
    { name = "allow-load-balancer", why = "Health probes.", from = ["AzureLoadBalancer"], to = var.subnets.aks, ports = ["*"] },
    { name = "allow-callers", why = "Scoring requests, and kubectl.", from = [var.subnets.agents, var.subnets.jump], to = var.subnets.aks },
  ]

  outbound = concat(
    [
      { name = "allow-cluster-out", why = "Nodes, the API server's endpoint and the load balancer among themselves.", from = [var.subnets.aks], to = var.subnets.aks, protocol = "*", ports = ["*"] },
      { name = "allow-endpoints", why = "Workspace, storage, registry and vault.", to = var.subnets.endpoints },
    ],
    local.services.aks,
  )
}

module "jump_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-jump"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.jump.id

  inbound = [
    { name = "allow-bastion", why = "People come through Bastion.", from = [var.subnets.bastion], to = var.subnets.jump, ports = ["22"] },
  ]

  outbound = concat(
    [
      { name = "allow-endpoints", why = "Score and look.", to = var.subnets.endpoints },
      { name = "allow-aks", why = "Score and look after the cluster.", to = var.subnets.aks },
      { name = "allow-agents", why = "Look after the agents.", to = var.subnets.agents, ports = ["22"] },
    ],
    local.services.jump,
  )
}

module "agents_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-agents"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.agents.id

  inbound = [
    { name = "allow-ssh", why = "Look after the agents.", from = [var.subnets.bastion, var.subnets.jump], to = var.subnets.agents, ports = ["22"] },
  ]

  # An agent asks for work and is never called.
  outbound = concat(
    [
      { name = "allow-endpoints", why = "Workspace, storage, registry and vault.", to = var.subnets.endpoints },
      { name = "allow-aks", why = "Try what was deployed.", to = var.subnets.aks },
    ],
    local.services.agents,
  )
}

# Azure refuses a security group on AzureBastionSubnet that lacks any of these.
module "bastion_nsg" {
  source = "../guarded-subnet"

  name                = "nsg-bastion"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.bastion.id

  inbound = [
    { name = "allow-https", why = "People, from their browsers.", from = ["Internet"] },
    { name = "allow-gateway-manager", why = "Bastion's control plane.", from = ["GatewayManager"] },
    { name = "allow-load-balancer", why = "Health probes.", from = ["AzureLoadBalancer"] },
    { name = "allow-hosts-in", why = "Bastion's hosts among themselves.", from = ["VirtualNetwork"], to = "VirtualNetwork", protocol = "*", ports = ["8080", "5701"] },
  ]

  outbound = [
    { name = "allow-ssh-rdp", why = "The machines behind Bastion.", to = "VirtualNetwork", protocol = "*", ports = ["22", "3389"] },
    { name = "allow-azure", why = "Diagnostics and metering.", to = "AzureCloud" },
    { name = "allow-hosts-out", why = "Bastion's hosts among themselves.", from = ["VirtualNetwork"], to = "VirtualNetwork", protocol = "*", ports = ["8080", "5701"] },
    { name = "allow-certificates", why = "Certificate validation.", to = "Internet", protocol = "*", ports = ["80"] },
  ]
}
