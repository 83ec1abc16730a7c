resource "azurerm_machine_learning_compute_cluster" "this" {
  name                          = "cpu-cluster"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  location                      = azurerm_resource_group.this.location
  vm_size                       = "Standard_D2s_v5"
  vm_priority                   = "Dedicated"
  subnet_resource_id            = azurerm_subnet.training.id
  node_public_ip_enabled        = false

  scale_settings {
    min_node_count                       = 0
    max_node_count                       = 2
    scale_down_nodes_after_idle_duration = "PT10M"
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_role_assignment" "cluster" {
  for_each = {
    "AzureML Data Scientist"        = azurerm_machine_learning_workspace.this.id
    "Storage Blob Data Contributor" = azurerm_storage_account.this.id
    "AcrPull"                       = azurerm_container_registry.this.id
  }

  principal_id         = azurerm_machine_learning_compute_cluster.this.identity[0].principal_id
  role_definition_name = each.key
  scope                = each.value
}
