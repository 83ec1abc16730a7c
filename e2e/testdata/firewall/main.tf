# An Azure Firewall between two machines, between them and the internet, and in front
# of one of them.

provider "azurerm" {
  features {}
}

resource "azurerm_resource_group" "rg" {
  name     = "rg-firewall"
  location = "westeurope"
}

resource "azurerm_virtual_network" "net" {
  name                = "vnet-inside"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.1.0.0/16"]
}

resource "azurerm_subnet" "firewall" {
  name                 = "AzureFirewallSubnet"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.net.name
  address_prefixes     = ["10.1.0.0/26"]
}

resource "azurerm_subnet" "machines" {
  for_each                        = { client = "10.1.1.0/24", server = "10.1.2.0/24" }
  name                            = "snet-${each.key}"
  resource_group_name             = azurerm_resource_group.rg.name
  virtual_network_name            = azurerm_virtual_network.net.name
  address_prefixes                = [each.value]
  default_outbound_access_enabled = false
}

resource "azurerm_route_table" "through" {
  for_each            = { client = "10.1.2.0/24", server = "10.1.1.0/24" }
  name                = "rt-${each.key}"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  route {
    name                   = "everything"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = azurerm_firewall.fw.ip_configuration[0].private_ip_address
  }

  route {
    name                   = "the-other-subnet"
    address_prefix         = each.value
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = azurerm_firewall.fw.ip_configuration[0].private_ip_address
  }
}

resource "azurerm_subnet_route_table_association" "through" {
  for_each       = azurerm_subnet.machines
  subnet_id      = each.value.id
  route_table_id = azurerm_route_table.through[each.key].id
}

resource "azurerm_public_ip" "fw" {
  name                = "pip-firewall"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_firewall" "fw" {
  name                = "afw-middle"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.policy.id

  ip_configuration {
    name                 = "front"
    subnet_id            = azurerm_subnet.firewall.id
    public_ip_address_id = azurerm_public_ip.fw.id
  }
}

resource "azurerm_firewall_policy" "policy" {
  name                = "afwp-middle"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
}

resource "azurerm_firewall_policy_rule_collection_group" "rules" {
  name               = "rcg-middle"
  firewall_policy_id = azurerm_firewall_policy.policy.id
  priority           = 100

  nat_rule_collection {
    name     = "front"
    priority = 100
    action   = "Dnat"

    rule {
      name                = "ssh-to-server"
      protocols           = ["TCP"]
      source_addresses    = ["*"]
      destination_address = azurerm_public_ip.fw.ip_address
      destination_ports   = ["2222"]
      translated_address  = azurerm_network_interface.nic["server"].private_ip_address
      translated_port     = "22"
    }
  }

  network_rule_collection {
    name     = "no-telnet"
    priority = 200
    action   = "Deny"

    rule {
      name                  = "telnet"
      protocols             = ["TCP"]
      source_addresses      = ["*"]
      destination_addresses = ["*"]
      destination_ports     = ["23"]
    }
  }

  network_rule_collection {
    name     = "between"
    priority = 300
    action   = "Allow"

    rule {
      name                  = "ssh"
      protocols             = ["TCP"]
      source_addresses      = ["10.1.1.0/24"]
      destination_addresses = ["10.1.2.0/24"]
      destination_ports     = ["22-23"]
    }

    rule {
      name                  = "echo"
      protocols             = ["ICMP"]
      source_addresses      = ["10.1.1.0/24"]
      destination_addresses = ["10.1.2.0/24"]
      destination_ports     = ["*"]
    }
  }

  application_rule_collection {
    name     = "web"
    priority = 400
    action   = "Allow"

    rule {
      name              = "one-account"
      source_addresses  = ["10.1.1.0/24"]
      destination_fqdns = ["stfirewallone.blob.core.windows.net"]

      protocols {
        type = "Https"
        port = 443
      }
    }

    rule {
      name              = "site"
      source_addresses  = ["10.1.1.0/24"]
      destination_fqdns = ["*.corp.example"]

      protocols {
        type = "Http"
        port = 80
      }
    }
  }
}

resource "azurerm_network_interface" "nic" {
  for_each            = azurerm_subnet.machines
  name                = "nic-${each.key}"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  ip_configuration {
    name                          = "primary"
    subnet_id                     = each.value.id
    private_ip_address_allocation = "Dynamic"
  }
}

# A machine elsewhere, which sees of all this the firewall's public address.

resource "azurerm_virtual_network" "outside" {
  name                = "vnet-outside"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.9.0.0/16"]
}

resource "azurerm_subnet" "outside" {
  name                 = "snet-outside"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.outside.name
  address_prefixes     = ["10.9.0.0/24"]
}

resource "azurerm_public_ip" "outside" {
  name                = "pip-outside"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_network_interface" "outside" {
  name                = "nic-outside"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  ip_configuration {
    name                          = "primary"
    subnet_id                     = azurerm_subnet.outside.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.outside.id
  }
}

resource "azurerm_linux_virtual_machine" "vm" {
  for_each = {
    client  = azurerm_network_interface.nic["client"].id
    server  = azurerm_network_interface.nic["server"].id
    outside = azurerm_network_interface.outside.id
  }
  name                  = "vm-${each.key}"
  location              = azurerm_resource_group.rg.location
  resource_group_name   = azurerm_resource_group.rg.name
  size                  = "Standard_B1s"
  admin_username        = "azureuser"
  network_interface_ids = [each.value]

  admin_ssh_key {
    username   = "azureuser"
    public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkP0Yv2Uu5o5c6bq2u9b5rQv1q3n1xO6f1r0Qb0k8Yb test"
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Standard_LRS"
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
}

resource "azurerm_private_dns_zone" "corp" {
  name                = "corp.example"
  resource_group_name = azurerm_resource_group.rg.name
}

resource "azurerm_private_dns_zone_virtual_network_link" "corp" {
  name                  = "inside"
  resource_group_name   = azurerm_resource_group.rg.name
  private_dns_zone_name = azurerm_private_dns_zone.corp.name
  virtual_network_id    = azurerm_virtual_network.net.id
}

resource "azurerm_private_dns_a_record" "site" {
  name                = "site"
  zone_name           = azurerm_private_dns_zone.corp.name
  resource_group_name = azurerm_resource_group.rg.name
  ttl                 = 300
  records             = [azurerm_network_interface.nic["server"].private_ip_address]
}

resource "azurerm_storage_account" "st" {
  for_each                 = toset(["stfirewallone", "stfirewalltwo"])
  name                     = each.key
  resource_group_name      = azurerm_resource_group.rg.name
  location                 = azurerm_resource_group.rg.location
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
