# A small network with a storage account behind a private endpoint, in a group of
# its own: what ten people apply to one cloud at the same time.

terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "5.2.0" }
  }
}

provider "azurerm" {
  features {}
}

variable "name" {
  type = string
}

locals {
  location = "westeurope"
}

resource "azurerm_resource_group" "this" {
  name     = "rg-${var.name}"
  location = local.location
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_network_security_group" "this" {
  name                = "nsg"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}

resource "azurerm_subnet" "this" {
  for_each             = { apps = "10.0.1.0/24", endpoints = "10.0.2.0/24" }
  name                 = each.key
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.value]
}

resource "azurerm_subnet_network_security_group_association" "this" {
  subnet_id                 = azurerm_subnet.this["apps"].id
  network_security_group_id = azurerm_network_security_group.this.id
}

resource "azurerm_storage_account" "this" {
  name                          = "sttogether${var.name}"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = local.location
  account_tier                  = "Standard"
  account_replication_type      = "LRS"
  public_network_access_enabled = false
}

resource "azurerm_private_endpoint" "this" {
  name                = "pe"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  subnet_id           = azurerm_subnet.this["endpoints"].id
  private_service_connection {
    name                           = "blob"
    private_connection_resource_id = azurerm_storage_account.this.id
    subresource_names              = ["blob"]
    is_manual_connection           = false
  }
}

resource "azurerm_user_assigned_identity" "this" {
  name                = "id-apps"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
}

resource "azurerm_role_assignment" "this" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
}
