# Self-hosted Azure Pipelines agents, as machines of their own and as a scale set:
# each installs the agent's package when it starts and joins the pool.

locals {
  extension = {
    name                 = "install-agent"
    publisher            = "Microsoft.Azure.Extensions"
    type                 = "CustomScript"
    type_handler_version = "2.1"
  }

  # The script holds the token: protected settings are encrypted, and shown to nobody.
  install = jsonencode({
    script = base64encode(templatefile("${path.module}/install-agent.sh.tftpl", {
      package_url = var.package_url
      devops_url  = var.devops_url
      pool        = var.pool
      token       = var.token
    }))
  })
}

module "machine" {
  source = "../machine"
  count  = var.virtual_machines

  name                = "vm-agent-${count.index}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
  subnet_id           = var.subnet_id
  size                = var.size
  admin               = var.admin
  image               = var.image
}

resource "azurerm_virtual_machine_extension" "agent" {
  count = var.virtual_machines

  name                       = local.extension.name
  virtual_machine_id         = module.machine[count.index].id
  publisher                  = local.extension.publisher
  type                       = local.extension.type
  type_handler_version       = local.extension.type_handler_version
  auto_upgrade_minor_version = true
  protected_settings         = local.install
  tags                       = var.tags
}

resource "azurerm_linux_virtual_machine_scale_set" "agents" {
  count = var.scale_set == null ? 0 : 1

  name                        = "vmss-agents"
  resource_group_name         = var.resource_group_name
  location                    = var.location
  sku                         = var.size
  instances                   = var.scale_set.instances
  computer_name_prefix        = "vmss-agent-"
  admin_username              = var.admin.username
  overprovision               = false # an agent that is taken away again would be left in the pool
  single_placement_group      = false
  platform_fault_domain_count = 1
  upgrade_mode                = "Manual"
  tags                        = var.tags

  admin_ssh_key {
    username   = var.admin.username
    public_key = var.admin.ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = var.image.publisher
    offer     = var.image.offer
    sku       = var.image.sku
    version   = var.image.version
  }

  network_interface {
    name    = "nic-agents"
    primary = true

    ip_configuration {
      name      = "default"
      primary   = true
      subnet_id = var.subnet_id
    }
  }

  extension {
    name                       = local.extension.name
    publisher                  = local.extension.publisher
    type                       = local.extension.type
    type_handler_version       = local.extension.type_handler_version
    auto_upgrade_minor_version = true
    protected_settings         = local.install
  }

  identity {
    type = "SystemAssigned"
  }

  lifecycle {
    ignore_changes = [instances] # the pool's own scaling says how many there are
  }
}
