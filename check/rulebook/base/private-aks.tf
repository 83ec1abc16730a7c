resource "azurerm_kubernetes_cluster" "this" {
  name                    = "aks-mlops"
  resource_group_name     = azurerm_resource_group.this.name
  location                = azurerm_resource_group.this.location
  dns_prefix              = "aks-mlops"
  private_cluster_enabled = true

  default_node_pool {
    name           = "system"
    vm_size        = "Standard_D4s_v5"
    node_count     = 2
    vnet_subnet_id = azurerm_subnet.aks.id
  }

  identity {
    type = "SystemAssigned"
  }

  network_profile {
    network_plugin = "azure"
    service_cidr   = "172.20.0.0/16"
    dns_service_ip = "172.20.0.10"
  }
}
