# A private Kubernetes cluster: its API server has an address of the network and
# no other, and its nodes leave by the network's own way out.

resource "azurerm_kubernetes_cluster" "this" {
  name                                = "aks-${var.suffix}"
  resource_group_name                 = var.resource_group_name
  location                            = var.location
  sku_tier                            = "Standard"
  dns_prefix_private_cluster          = "aks-${var.suffix}"
  private_cluster_enabled             = true
  private_cluster_public_fqdn_enabled = false
  private_dns_zone_id                 = var.dns_zone_id
  local_account_disabled              = false # Azure Machine Learning attaches no cluster without them
  run_command_enabled                 = false # it would lead past the private API server
  azure_policy_enabled                = true
  oidc_issuer_enabled                 = true
  workload_identity_enabled           = true
  automatic_upgrade_channel           = "patch"
  node_os_upgrade_channel             = "NodeImage"
  tags                                = var.tags

  default_node_pool {
    name                        = "system"
    vm_size                     = var.nodes.vm_size
    vnet_subnet_id              = var.subnet_id
    node_public_ip_enabled      = false
    auto_scaling_enabled        = true
    min_count                   = var.nodes.min
    max_count                   = var.nodes.max
    os_disk_type                = "Managed"
    temporary_name_for_rotation = "rotation"

    upgrade_settings {
      max_surge = "33%"
    }
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    load_balancer_sku   = "standard"
    outbound_type       = var.outbound_type
    pod_cidr            = var.pod_cidr
    service_cidr        = var.service_cidr
    dns_service_ip      = cidrhost(var.service_cidr, 10)
  }

  node_provisioning_profile {
    mode = "Manual"
  }

  azure_active_directory_role_based_access_control {
    tenant_id          = var.tenant_id
    azure_rbac_enabled = true
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.cluster.id]
  }

  kubelet_identity {
    user_assigned_identity_id = azurerm_user_assigned_identity.kubelet.id
    client_id                 = azurerm_user_assigned_identity.kubelet.client_id
    object_id                 = azurerm_user_assigned_identity.kubelet.principal_id
  }

  oms_agent {
    log_analytics_workspace_id      = var.log_analytics_id
    msi_auth_for_monitoring_enabled = true
  }

  depends_on = [azurerm_role_assignment.this]
}
