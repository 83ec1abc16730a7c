# The whole solution, in modules: this file holds what all of them share, and each
# file beside it puts together one part.

resource "azurerm_resource_group" "this" {
  name     = "rg-${var.prefix}"
  location = var.location
  tags     = var.tags
}

locals {
  location = azurerm_resource_group.this.location
  group    = azurerm_resource_group.this.name

  # Names that are unique in all of Azure end with six digits that follow from the
  # subscription and the prefix.
  unique = "${var.prefix}${substr(sha1("${var.subscription_id}/${var.prefix}"), 0, 6)}"

  # The address plan: AML VNET, then BASTION VNET.
  subnets = {
    endpoints = cidrsubnet(var.aml_address_space, 8, 1)
    training  = cidrsubnet(var.aml_address_space, 8, 2)
    aks       = cidrsubnet(var.aml_address_space, 8, 3)

    bastion  = cidrsubnet(var.bastion_address_space, 10, 0)
    firewall = cidrsubnet(var.bastion_address_space, 10, 1)
    gateway  = cidrsubnet(var.bastion_address_space, 11, 4)
    jump     = cidrsubnet(var.bastion_address_space, 8, 1)
    agents   = cidrsubnet(var.bastion_address_space, 8, 2)
  }

  admin = { username = var.admin_username, ssh_public_key = var.admin_ssh_public_key }
  image = { publisher = "Canonical", offer = "ubuntu-24_04-lts", sku = "server", version = "latest" }
}
