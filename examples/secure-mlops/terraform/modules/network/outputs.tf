# What is built in a subnet waits for the subnet's security group.

output "networks" {
  description = "The virtual networks: aml and bastion."
  value = {
    aml     = { id = azurerm_virtual_network.aml.id, name = azurerm_virtual_network.aml.name }
    bastion = { id = azurerm_virtual_network.bastion.id, name = azurerm_virtual_network.bastion.name }
  }
}

output "subnet_ids" {
  description = "Ids of the subnets: endpoints, training, aks, bastion, jump, agents."
  value = {
    endpoints = azurerm_subnet.endpoints.id
    training  = azurerm_subnet.training.id
    aks       = azurerm_subnet.aks.id
    bastion   = azurerm_subnet.bastion.id
    jump      = azurerm_subnet.jump.id
    agents    = azurerm_subnet.agents.id
  }

  depends_on = [
    module.endpoints_nsg, module.training_nsg, module.aks_nsg, module.bastion_nsg, module.jump_nsg, module.agents_nsg,
  ]
}

output "services" {
  description = "Service tags that each subnet calls, with protocol and ports."
  value = {
    for subnet, rules in local.services : subnet => [
      for rule in rules : { tag = rule.to, protocol = try(rule.protocol, "Tcp"), ports = try(rule.ports, ["443"]) }
    ]
  }
}

output "security_group_ids" {
  description = "Ids of the network security groups, by subnet."
  value = {
    endpoints = module.endpoints_nsg.id
    training  = module.training_nsg.id
    aks       = module.aks_nsg.id
    bastion   = module.bastion_nsg.id
    jump      = module.jump_nsg.id
    agents    = module.agents_nsg.id
  }
}
