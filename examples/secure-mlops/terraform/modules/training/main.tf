# The nodes that train and build images: none while nothing runs, no public
# addresses, no passwords, and an identity of their own.

resource "azurerm_machine_learning_compute_cluster" "this" {
  for_each = var.clusters

  name                          = each.key
  description                   = each.value.description
  machine_learning_workspace_id = var.workspace_id
  location                      = var.location
  vm_size                       = each.value.vm_size
  vm_priority                   = "Dedicated"
  subnet_resource_id            = var.subnet_id
  node_public_ip_enabled        = false
  ssh_public_access_enabled     = false
  local_auth_enabled            = false
  tags                          = var.tags

  scale_settings {
    min_node_count                       = each.value.min_nodes
    max_node_count                       = each.value.max_nodes
    scale_down_nodes_after_idle_duration = "PT30S"
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_machine_learning_compute_instance" "this" {
  for_each = var.instances

  name                          = each.key
  machine_learning_workspace_id = var.workspace_id
  virtual_machine_size          = each.value.vm_size
  authorization_type            = "personal"
  subnet_resource_id            = var.subnet_id
  node_public_ip_enabled        = false
  local_auth_enabled            = false
  tags                          = var.tags

  dynamic "assign_to_user" {
    for_each = each.value.object_id == null ? [] : [each.value]

    content {
      object_id = assign_to_user.value.object_id
      tenant_id = assign_to_user.value.tenant_id
    }
  }

  identity {
    type = "SystemAssigned"
  }
}
