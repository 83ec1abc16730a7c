# Or through one firewall, to which the subnets' route tables lead. It lets out
# what each subnet's security group lets out, so that a rule that is loosened in
# one place opens nothing by itself.

locals {
  firewalls = var.mode == "firewall" ? 1 : 0
  routed    = { for name, subnet in var.subnets : name => subnet if var.mode == "firewall" }
}

resource "azurerm_subnet" "firewall" {
  count = local.firewalls

  name                 = "AzureFirewallSubnet" # the name that Azure asks for
  resource_group_name  = var.resource_group_name
  virtual_network_name = var.firewall_network_name
  address_prefixes     = [var.firewall_prefix]
}

resource "azurerm_public_ip" "firewall" {
  count = local.firewalls

  name                = "pip-firewall"
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_firewall_policy" "this" {
  count = local.firewalls

  name                     = "afwp-egress"
  resource_group_name      = var.resource_group_name
  location                 = var.location
  sku                      = var.firewall_sku
  threat_intelligence_mode = "Deny"
  tags                     = var.tags
}

resource "azurerm_firewall_policy_rule_collection_group" "this" {
  count = local.firewalls

  name               = "services"
  firewall_policy_id = azurerm_firewall_policy.this[0].id
  priority           = 200

  dynamic "network_rule_collection" {
    for_each = { for i, name in keys(var.subnets) : name => 200 + 10 * i }

    content {
      name     = network_rule_collection.key
      action   = "Allow"
      priority = network_rule_collection.value

      dynamic "rule" {
        for_each = var.subnets[network_rule_collection.key].services

        content {
          name                  = "${rule.value.tag}-${lower(rule.value.protocol)}"
          source_addresses      = [var.subnets[network_rule_collection.key].prefix]
          destination_addresses = [rule.value.tag]
          destination_ports     = rule.value.ports
          protocols             = [upper(rule.value.protocol)]
        }
      }
    }
  }
}

resource "azurerm_firewall" "this" {
  count = local.firewalls

  name                = "afw-egress"
  resource_group_name = var.resource_group_name
  location            = var.location
  sku_name            = "AZFW_VNet"
  sku_tier            = var.firewall_sku
  firewall_policy_id  = azurerm_firewall_policy.this[0].id
  tags                = var.tags

  ip_configuration {
    name                 = "default"
    subnet_id            = azurerm_subnet.firewall[0].id
    public_ip_address_id = azurerm_public_ip.firewall[0].id
  }

  depends_on = [azurerm_firewall_policy_rule_collection_group.this]
}

resource "azurerm_route_table" "this" {
  for_each = local.routed

  name                          = "rt-${each.key}"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  bgp_route_propagation_enabled = false # a gateway must not offer a way around the firewall
  tags                          = var.tags
}

resource "azurerm_route" "out" {
  for_each = local.routed

  name                   = "out-by-firewall"
  resource_group_name    = var.resource_group_name
  route_table_name       = azurerm_route_table.this[each.key].name
  address_prefix         = "0.0.0.0/0"
  next_hop_type          = "VirtualAppliance"
  next_hop_in_ip_address = azurerm_firewall.this[0].ip_configuration[0].private_ip_address
}

resource "azurerm_subnet_route_table_association" "this" {
  for_each = local.routed

  subnet_id      = each.value.id
  route_table_id = azurerm_route_table.this[each.key].id

  # A subnet whose table is still empty would be cut off.
  depends_on = [azurerm_route.out]
}
