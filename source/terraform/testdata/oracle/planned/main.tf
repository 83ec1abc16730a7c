# Resources that refer to each other in the ways that a plan describes: directly, by
# the same key, through a module's variables and outputs.

terraform {
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

provider "azurerm" {
  features {}
  subscription_id = var.subscription
}

variable "subscription" {
  type    = string
  default = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"
}

resource "azurerm_resource_group" "this" {
  name     = "rg-planned"
  location = "North Europe"
  tags     = { team = "a" }
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "this" {
  for_each = toset(["a", "b"])

  name                 = "snet-${each.key}"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.key == "a" ? "10.0.1.0/24" : "10.0.2.0/24"]
}

resource "azurerm_network_security_group" "this" {
  for_each = toset(["a", "b"])

  name                = "nsg-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location

  security_rule {
    name                       = "deny-out"
    priority                   = 100
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "Internet"
  }
}

resource "azurerm_subnet_network_security_group_association" "this" {
  for_each = toset(["a", "b"])

  subnet_id                 = azurerm_subnet.this[each.key].id
  network_security_group_id = azurerm_network_security_group.this[each.key].id
}

resource "azurerm_network_interface" "this" {
  count = 2

  name                = "nic-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location

  ip_configuration {
    name                          = "default"
    subnet_id                     = azurerm_subnet.this["a"].id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "this" {
  count = 2

  name                  = "vm-${count.index}"
  resource_group_name   = azurerm_resource_group.this.name
  location              = azurerm_resource_group.this.location
  size                  = "Standard_D2s_v5"
  network_interface_ids = [azurerm_network_interface.this[count.index].id]

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }

  identity {
    type = "SystemAssigned"
  }

  admin_username = "azureuser"
  admin_ssh_key {
    username   = "azureuser"
    public_key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDuZLkwsSPWjD+IdBD+JZ5p4GaQytUXzUbSoyCqronALobUiDUGrBVVbDaRtvQIjMCAqtJL02lvR0fTogV8I9O+OYsbN0uvI21cFjf4jn/9uD+cyapAS3esd3yDZzgWrel5aWh0cT0IxkZ9dIsfvhCNZclUWgjHj5NNKmYs7eLDW8POVjCDJDzSTcWlSR1AZSG8t4Gjr8fRG4AI9NMuyEIQdnncKp2GIBneiq1NQgoSrahVpVnm3VY9/JWn/zK+aPNeq57dYp+J+f52rUPBVoJMoeBe5oMRItVOOiLOSmWz6w67EaPqVCOsssMzDS/49ZSDux+UC7AsBSNM+CWK1zKYnFw9j98iT3ohSCSkfPvxHzl1WVvlG54W6RQzzOscHlsOswlMEIgBHtdxFYxfg16UZKVZWk62o8eutHG+0VVTnQBG1XERCIx4ZHSffAG+oOzOus5rcl1kIPNf67n52FfCgB1rPPm85zP53caL8ci8x6iFxDi0SC39HTloNuCOads= nobody@example.com"
  }
}

resource "azurerm_storage_account" "this" {
  name                            = "stplanned"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  public_network_access_enabled   = false
  allow_nested_items_to_be_public = false # azurerm 4 and 5 differ where it is not written
}

resource "azurerm_user_assigned_identity" "this" {
  name                = "id-planned"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_role_assignment" "user" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
}

resource "azurerm_role_assignment" "machine" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_linux_virtual_machine.this[0].identity[0].principal_id
}

module "endpoint" {
  source = "./modules/endpoint"

  group     = azurerm_resource_group.this.name
  location  = azurerm_resource_group.this.location
  subnet_id = azurerm_subnet.this["b"].id
  target_id = azurerm_storage_account.this.id
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  name                = "link"
  private_dns_zone_id = module.endpoint.zone_id
  virtual_network_id  = azurerm_virtual_network.this.id
}
