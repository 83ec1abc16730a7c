# Two hundred resources that the provider makes without waiting for long.
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "5.2.0" }
  }
}
provider "azurerm" {
  features {}
}
locals {
  location = "westeurope"
  networks = 30
}
resource "azurerm_resource_group" "this" {
  name     = "rg-many"
  location = local.location
}
resource "azurerm_virtual_network" "this" {
  count               = local.networks
  name                = "vnet-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  address_space       = ["10.${count.index}.0.0/16"]
}
resource "azurerm_subnet" "this" {
  count                = local.networks
  name                 = "snet"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this[count.index].name
  address_prefixes     = ["10.${count.index}.1.0/24"]
}
resource "azurerm_network_security_group" "this" {
  count               = local.networks
  name                = "nsg-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  security_rule {
    name                       = "deny"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}
resource "azurerm_network_interface" "this" {
  count               = local.networks
  name                = "nic-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  ip_configuration {
    name                          = "one"
    subnet_id                     = azurerm_subnet.this[count.index].id
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_route_table" "this" {
  count               = local.networks
  name                = "rt-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_application_security_group" "this" {
  count               = local.networks
  name                = "asg-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
resource "azurerm_user_assigned_identity" "this" {
  count               = 19
  name                = "id-${count.index}"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}
