resource "azurerm_subnet" "aks" {
  name                 = "aks"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.aml.name
  address_prefixes     = ["10.1.3.0/24"]
}

resource "azapi_resource" "aks" {
  type      = "Microsoft.MachineLearningServices/workspaces/computes@2024-04-01"
  name      = "aks"
  parent_id = azurerm_machine_learning_workspace.this.id
  location  = azurerm_resource_group.this.location

  body = {
    properties = {
      computeType = "Kubernetes"
      resourceId  = azurerm_kubernetes_cluster.this.id
      properties  = { namespace = "default" }
    }
  }
}
