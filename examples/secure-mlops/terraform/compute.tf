# The nodes that train: none while nothing runs, no public addresses, and an
# identity of their own.

locals {
  cluster = "cpu-cluster"
}

resource "azurerm_machine_learning_compute_cluster" "training" {
  name                          = local.cluster
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  location                      = local.location
  vm_size                       = var.training.vm_size
  vm_priority                   = "Dedicated"
  subnet_resource_id            = azurerm_subnet.training.id
  node_public_ip_enabled        = false
  ssh_public_access_enabled     = false
  local_auth_enabled            = false
  tags                          = var.tags

  scale_settings {
    min_node_count                       = var.training.min_nodes
    max_node_count                       = var.training.max_nodes
    scale_down_nodes_after_idle_duration = "PT30S"
  }

  identity {
    type = "SystemAssigned"
  }

  # Nodes without a public address need the workspace's endpoint and a way out
  # before the first of them starts.
  depends_on = [
    module.private_service,
    module.training_nsg,
    azurerm_subnet_nat_gateway_association.training,
  ]
}
