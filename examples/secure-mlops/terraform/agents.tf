# BASTION VNET's machines: Azure Bastion for people, the jump host behind it, and
# the agents that run the pipelines.

resource "azurerm_public_ip" "bastion" {
  name                = "pip-bastion"
  resource_group_name = local.group
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_bastion_host" "this" {
  name                = "bas-${var.prefix}"
  resource_group_name = local.group
  location            = local.location
  sku                 = "Standard"
  tunneling_enabled   = true # az network bastion ssh
  tags                = var.tags

  ip_configuration {
    name                 = "default"
    subnet_id            = azurerm_subnet.bastion.id
    public_ip_address_id = azurerm_public_ip.bastion.id
  }

  depends_on = [module.bastion_nsg]
}

resource "azurerm_network_interface" "jump" {
  name                = "nic-jump"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags

  ip_configuration {
    name                          = "default"
    subnet_id                     = azurerm_subnet.jump.id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "jump" {
  name                  = "vm-jump"
  resource_group_name   = local.group
  location              = local.location
  size                  = var.vm_size
  admin_username        = var.admin_username
  network_interface_ids = [azurerm_network_interface.jump.id]
  tags                  = var.tags

  admin_ssh_key {
    username   = var.admin_username
    public_key = var.admin_ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = local.image.publisher
    offer     = local.image.offer
    sku       = local.image.sku
    version   = local.image.version
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_network_interface" "agent" {
  count = var.agent_count

  name                = "nic-agent-${count.index}"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags

  ip_configuration {
    name                          = "default"
    subnet_id                     = azurerm_subnet.agents.id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "agent" {
  count = var.agent_count

  name                  = "vm-agent-${count.index}"
  resource_group_name   = local.group
  location              = local.location
  size                  = var.vm_size
  admin_username        = var.admin_username
  network_interface_ids = [azurerm_network_interface.agent[count.index].id]
  tags                  = var.tags

  admin_ssh_key {
    username   = var.admin_username
    public_key = var.admin_ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = local.image.publisher
    offer     = local.image.offer
    sku       = local.image.sku
    version   = local.image.version
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_virtual_machine_extension" "agent" {
  count = var.agent_count

  name                       = "install-agent"
  virtual_machine_id         = azurerm_linux_virtual_machine.agent[count.index].id
  publisher                  = "Microsoft.Azure.Extensions"
  type                       = "CustomScript"
  type_handler_version       = "2.1"
  auto_upgrade_minor_version = true
  tags                       = var.tags

  # The script holds the token: protected settings are encrypted, and shown to nobody.
  protected_settings = jsonencode({
    script = base64encode(templatefile("${path.module}/scripts/install-agent.sh.tftpl", {
      package_url = var.agent_package_url
      devops_url  = var.devops_url
      pool        = var.agent_pool
      token       = var.agent_token
    }))
  })

  # The package is fetched through the NAT gateway, past the security group.
  depends_on = [
    module.agents_nsg,
    azurerm_subnet_nat_gateway_association.bastion,
  ]
}

locals {
  image = {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
}
