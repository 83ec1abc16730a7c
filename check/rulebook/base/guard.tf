locals {
  open = {
    endpoints = { to = "10.1.1.0/24", protocol = "Tcp", port = "443" }
    entra     = { to = "AzureActiveDirectory", protocol = "Tcp", port = "443" }
    aml       = { to = "AzureMachineLearning", protocol = "Tcp", port = "443" }
    aml-udp   = { to = "AzureMachineLearning", protocol = "Udp", port = "5831" }
    batch     = { to = "BatchNodeManagement.westeurope", protocol = "Tcp", port = "443" }
    arm       = { to = "AzureResourceManager", protocol = "Tcp", port = "443" }
    images    = { to = "MicrosoftContainerRegistry", protocol = "Tcp", port = "443" }
    frontdoor = { to = "AzureFrontDoor.FirstParty", protocol = "Tcp", port = "443" }
    monitor   = { to = "AzureMonitor", protocol = "Tcp", port = "443" }
  }
}

resource "azurerm_network_security_group" "training" {
  name                = "nsg-training"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_network_security_rule" "open" {
  for_each = local.open

  name                        = "allow-${each.key}"
  resource_group_name         = azurerm_resource_group.this.name
  network_security_group_name = azurerm_network_security_group.training.name
  priority                    = 100 + 10 * index(keys(local.open), each.key)
  direction                   = "Outbound"
  access                      = "Allow"
  protocol                    = each.value.protocol
  source_port_range           = "*"
  source_address_prefix       = "*"
  destination_address_prefix  = each.value.to
  destination_port_range      = each.value.port
}

resource "azurerm_network_security_rule" "deny" {
  name                        = "deny-all"
  resource_group_name         = azurerm_resource_group.this.name
  network_security_group_name = azurerm_network_security_group.training.name
  priority                    = 4096
  direction                   = "Outbound"
  access                      = "Deny"
  protocol                    = "*"
  source_port_range           = "*"
  source_address_prefix       = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "*"
}
