# One network security group for each subnet, each with the least that its work
# needs. The comments of the rules say what that work is.

module "endpoints_nsg" {
  source = "./modules/guarded-subnet"

  name                = "nsg-endpoints"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.endpoints.id

  inbound = [
    { name = "allow-training", why = "Jobs read data and images and log their runs.", from = [local.subnets.training], to = local.subnets.endpoints },
    { name = "allow-agents", why = "Pipelines submit jobs, push images and deploy.", from = [local.subnets.agents], to = local.subnets.endpoints },
    { name = "allow-jump", why = "People score and look.", from = [local.subnets.jump], to = local.subnets.endpoints },
  ]
}

module "training_nsg" {
  source = "./modules/guarded-subnet"

  name                = "nsg-training"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.training.id

  # Nodes without a public address are called by nobody. Storage is reached through
  # its private endpoint: the Storage tag would let a job write to anyone's account.
  outbound = [
    { name = "allow-endpoints", why = "Workspace, storage, registry and vault.", to = local.subnets.endpoints },
    { name = "allow-entra", why = "Tokens of the cluster's identity.", to = "AzureActiveDirectory" },
    { name = "allow-arm", why = "Azure Resource Manager.", to = "AzureResourceManager" },
    { name = "allow-aml", why = "The service that runs the nodes.", to = "AzureMachineLearning" },
    { name = "allow-aml-udp", why = "The service that runs the nodes.", to = "AzureMachineLearning", protocol = "Udp", ports = ["5831"] },
    { name = "allow-batch", why = "Node management.", to = "BatchNodeManagement" },
    { name = "allow-mcr", why = "Microsoft's base images.", to = "MicrosoftContainerRegistry" },
    { name = "allow-frontdoor", why = "Layers of Microsoft's base images.", to = "AzureFrontDoor.FirstParty" },
    { name = "allow-monitor", why = "Application Insights.", to = "AzureMonitor" },
  ]
}

module "jump_nsg" {
  source = "./modules/guarded-subnet"

  name                = "nsg-jump"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.jump.id

  inbound = [
    { name = "allow-bastion", why = "People come through Bastion.", from = [local.subnets.bastion], to = local.subnets.jump, ports = ["22"] },
  ]

  outbound = [
    { name = "allow-endpoints", why = "Score and look.", to = local.subnets.endpoints },
    { name = "allow-entra", why = "Tokens.", to = "AzureActiveDirectory" },
    { name = "allow-arm", why = "Azure Resource Manager.", to = "AzureResourceManager" },
    { name = "allow-agents", why = "Look after the agents.", to = local.subnets.agents, ports = ["22"] },
  ]
}

module "agents_nsg" {
  source = "./modules/guarded-subnet"

  name                = "nsg-agents"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  subnet_id           = azurerm_subnet.agents.id

  inbound = [
    { name = "allow-ssh", why = "Look after the agents.", from = [local.subnets.bastion, local.subnets.jump], to = local.subnets.agents, ports = ["22"] },
  ]

  # An agent asks for work and is never called.
  outbound = [
    { name = "allow-endpoints", why = "Workspace, storage, registry and vault.", to = local.subnets.endpoints },
    { name = "allow-entra", why = "Tokens.", to = "AzureActiveDirectory" },
    { name = "allow-arm", why = "Azure Resource Manager.", to = "AzureResourceManager" },
    { name = "allow-devops", why = "Azure Pipelines: jobs, sources, logs.", to = "AzureDevOps" },
    { name = "allow-frontdoor", why = "The agent's package.", to = "AzureFrontDoor.FirstParty" },
    { name = "allow-monitor", why = "Application Insights.", to = "AzureMonitor" },
  ]
}

# Azure refuses a security group on AzureBastionSubnet that lacks any of these.
module "bastion_nsg" {
  source = "./modules/guarded-subnet"

  name                = "nsg-bastion"
  resource_group_name = local.group
  location            = local.location
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
