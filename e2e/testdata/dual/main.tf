# Two peered networks with a machine each, of IPv4 alone or of both versions of IP.

variable "dual" {
  type    = bool
  default = true
}

provider "azurerm" {
  features {}
}

resource "azurerm_resource_group" "rg" {
  name     = "rg-dual"
  location = "westeurope"
}

resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = var.dual ? ["10.1.0.0/16", "fd00:1::/48"] : ["10.1.0.0/16"]
}

resource "azurerm_subnet" "hub" {
  name                 = "snet-hub"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = var.dual ? ["10.1.0.0/24", "fd00:1::/64"] : ["10.1.0.0/24"]
}

resource "azurerm_virtual_network" "spoke" {
  name                = "vnet-spoke"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = var.dual ? ["10.2.0.0/16", "fd00:2::/48"] : ["10.2.0.0/16"]
}

resource "azurerm_subnet" "spoke" {
  name                 = "snet-spoke"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.spoke.name
  address_prefixes     = var.dual ? ["10.2.0.0/24", "fd00:2::/64"] : ["10.2.0.0/24"]
}

resource "azurerm_virtual_network_peering" "there" {
  name                      = "hub-to-spoke"
  resource_group_name       = azurerm_resource_group.rg.name
  virtual_network_name      = azurerm_virtual_network.hub.name
  remote_virtual_network_id = azurerm_virtual_network.spoke.id
}

resource "azurerm_virtual_network_peering" "back" {
  name                      = "spoke-to-hub"
  resource_group_name       = azurerm_resource_group.rg.name
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = azurerm_virtual_network.hub.id
}

resource "azurerm_network_security_group" "spoke" {
  name                = "nsg-spoke"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  security_rule {
    name                       = "no-8080-by-ipv6"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "8080"
    source_address_prefix      = "fd00:1::/64"
    destination_address_prefix = "*"
  }
}

resource "azurerm_network_security_group" "hub" {
  name                = "nsg-hub"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  security_rule {
    name                       = "no-echo-by-ipv4"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "Icmp"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "10.2.0.0/16"
    destination_address_prefix = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "hub" {
  subnet_id                 = azurerm_subnet.hub.id
  network_security_group_id = azurerm_network_security_group.hub.id
}

resource "azurerm_subnet_network_security_group_association" "spoke" {
  subnet_id                 = azurerm_subnet.spoke.id
  network_security_group_id = azurerm_network_security_group.spoke.id
}

resource "azurerm_public_ip" "six" {
  count               = var.dual ? 1 : 0
  name                = "pip-six"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  allocation_method   = "Static"
  sku                 = "Standard"
  ip_version          = "IPv6"
}

resource "azurerm_network_interface" "one" {
  name                = "nic-one"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  ip_configuration {
    name                          = "four"
    primary                       = true
    subnet_id                     = azurerm_subnet.hub.id
    private_ip_address_allocation = "Dynamic"
  }

  dynamic "ip_configuration" {
    for_each = azurerm_public_ip.six
    content {
      name                          = "six"
      subnet_id                     = azurerm_subnet.hub.id
      private_ip_address_version    = "IPv6"
      private_ip_address_allocation = "Dynamic"
      public_ip_address_id          = ip_configuration.value.id
    }
  }
}

resource "azurerm_network_interface" "two" {
  name                = "nic-two"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  ip_configuration {
    name                          = "four"
    primary                       = true
    subnet_id                     = azurerm_subnet.spoke.id
    private_ip_address_allocation = "Dynamic"
  }

  dynamic "ip_configuration" {
    for_each = var.dual ? ["fd00:2::20"] : []
    content {
      name                          = "six"
      subnet_id                     = azurerm_subnet.spoke.id
      private_ip_address_version    = "IPv6"
      private_ip_address_allocation = "Static"
      private_ip_address            = ip_configuration.value
    }
  }
}

resource "azurerm_linux_virtual_machine" "vm" {
  for_each              = { one = azurerm_network_interface.one.id, two = azurerm_network_interface.two.id }
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

resource "azurerm_private_dns_zone_virtual_network_link" "hub" {
  name                  = "hub"
  resource_group_name   = azurerm_resource_group.rg.name
  private_dns_zone_name = azurerm_private_dns_zone.corp.name
  virtual_network_id    = azurerm_virtual_network.hub.id
  registration_enabled  = true
}

resource "azurerm_private_dns_aaaa_record" "two" {
  count               = var.dual ? 1 : 0
  name                = "two"
  zone_name           = azurerm_private_dns_zone.corp.name
  resource_group_name = azurerm_resource_group.rg.name
  ttl                 = 300
  records             = ["fd00:2::20"]
}
