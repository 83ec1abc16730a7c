# A network security group on a subnet: what is listed passes, nothing else does.
# Rules are written in the order in which they are tried.

resource "azurerm_network_security_group" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  dynamic "security_rule" {
    for_each = local.rules

    content {
      name                       = security_rule.value.name
      description                = security_rule.value.why
      priority                   = security_rule.value.priority
      direction                  = security_rule.value.direction
      access                     = "Allow"
      protocol                   = security_rule.value.protocol
      source_port_range          = "*"
      source_address_prefix      = length(security_rule.value.from) == 1 ? security_rule.value.from[0] : null
      source_address_prefixes    = length(security_rule.value.from) > 1 ? security_rule.value.from : null
      destination_address_prefix = security_rule.value.to
      destination_port_range     = length(security_rule.value.ports) == 1 ? security_rule.value.ports[0] : null
      destination_port_ranges    = length(security_rule.value.ports) > 1 ? security_rule.value.ports : null
    }
  }

  # Azure's own last rules let a virtual network and its peers talk among
  # themselves, and everyone call out. These come before them.
  dynamic "security_rule" {
    for_each = ["Inbound", "Outbound"]

    content {
      name                       = "deny-all-${lower(security_rule.value)}"
      description                = "Nothing but what is listed."
      priority                   = 4096
      direction                  = security_rule.value
      access                     = "Deny"
      protocol                   = "*"
      source_port_range          = "*"
      source_address_prefix      = "*"
      destination_address_prefix = "*"
      destination_port_range     = "*"
    }
  }
}

resource "azurerm_subnet_network_security_group_association" "this" {
  subnet_id                 = var.subnet_id
  network_security_group_id = azurerm_network_security_group.this.id
}

locals {
  rules = concat(
    [for i, rule in var.inbound : merge(rule, { direction = "Inbound", priority = 100 + 10 * i })],
    [for i, rule in var.outbound : merge(rule, { direction = "Outbound", priority = 100 + 10 * i })],
  )
}
