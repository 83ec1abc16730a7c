resource "azurerm_kubernetes_cluster" "min" {
  name = "kmin"
  location = "westeurope"
  resource_group_name = "rg"
  dns_prefix = "k"
  default_node_pool {
    name = "default"
    vm_size = "Standard_D2s_v3"
    node_count = 1
    upgrade_settings { max_surge = "10%" }
  }
  network_profile { network_plugin = "azure" }
  identity { type = "SystemAssigned" }
  node_provisioning_profile { mode = "Manual" }
}
resource "azurerm_kubernetes_cluster" "full" {
  name = "kfull"
  location = "westeurope"
  resource_group_name = "rg"
  dns_prefix_private_cluster = "kp"
  kubernetes_version = "1.30"
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel = "NodeImage"
  azure_policy_enabled = true
  cost_analysis_enabled = true
  disk_encryption_set_id = local.des
  http_application_routing_enabled = true
  image_cleaner_enabled = true
  image_cleaner_interval_hours = 48
  local_account_disabled = true
  node_resource_group = "rg-nodes"
  oidc_issuer_enabled = true
  open_service_mesh_enabled = true
  private_cluster_enabled = true
  private_cluster_public_fqdn_enabled = true
  private_dns_zone_id = "${local.net}/privateDnsZones/privatelink.westeurope.azmk8s.io"
  role_based_access_control_enabled = true
  run_command_enabled = false
  sku_tier = "Standard"
  support_plan = "KubernetesOfficial"
  workload_identity_enabled = true
  aci_connector_linux { subnet_name = "aci" }
  api_server_access_profile {
    authorized_ip_ranges = ["192.0.2.0/24"]
    subnet_id = local.sn
    virtual_network_integration_enabled = true
  }
  auto_scaler_profile {
    balance_similar_node_groups = true
    expander = "random"
    max_unready_nodes = 4
    skip_nodes_with_system_pods = false
  }
  azure_active_directory_role_based_access_control {
    admin_group_object_ids = [local.g]
    azure_rbac_enabled = true
    tenant_id = local.g
  }
  default_node_pool {
    name = "default"
    vm_size = "Standard_D2s_v3"
    auto_scaling_enabled = true
    min_count = 1
    max_count = 3
    max_pods = 40
    node_labels = { a = "b" }
    node_public_ip_enabled = false
    host_encryption_enabled = true
    fips_enabled = true
    only_critical_addons_enabled = true
    os_disk_size_gb = 64
    os_disk_type = "Managed"
    os_sku = "Ubuntu"
    pod_subnet_id = local.sn
    vnet_subnet_id = local.sn
    orchestrator_version = "1.30"
    zones = ["1", "2"]
    ultra_ssd_enabled = true
    tags = { pool = "x" }
    upgrade_settings {
      max_surge = "10%"
      drain_timeout_in_minutes = 30
      node_soak_duration_in_minutes = 5
    }
    kubelet_config {
      cpu_manager_policy = "static"
      cpu_cfs_quota_enabled = true
      allowed_unsafe_sysctls = ["net.*"]
      container_log_max_files = 5
      container_log_max_size_mb = 10
      image_gc_high_threshold = 80
      pod_max_pid = 100
    }
    linux_os_config {
      swap_file_size_mb = 100
      transparent_huge_page = "always"
      transparent_huge_page_defrag = "always"
      sysctl_config {
        fs_aio_max_nr = 70000
        net_core_somaxconn = 5000
        net_ipv4_ip_local_port_range_max = 65000
        net_ipv4_ip_local_port_range_min = 2000
        net_ipv4_tcp_tw_reuse = true
        net_ipv4_tcp_keepalive_intvl = 20
        vm_max_map_count = 70000
      }
    }
    node_network_profile {
      application_security_group_ids = ["${local.net}/applicationSecurityGroups/asg"]
      node_public_ip_tags = { RoutingPreference = "Internet" }
      allowed_host_ports {
        port_start = 80
        port_end = 81
        protocol = "TCP"
      }
    }
  }
  http_proxy_config {
    http_proxy = "http://p:1"
    https_proxy = "http://p:2"
    no_proxy = ["localhost"]
    trusted_ca = "eA=="
  }
  identity {
    type = "UserAssigned"
    identity_ids = [local.uai]
  }
  ingress_application_gateway { gateway_id = "${local.net}/applicationGateways/agw" }
  key_management_service {
    key_vault_key_id = "https://kv.vault.azure.net/keys/k/abc"
    key_vault_network_access = "Private"
  }
  key_vault_secrets_provider {
    secret_rotation_enabled = true
    secret_rotation_interval = "5m"
  }
  kubelet_identity {
    client_id = local.g
    object_id = local.g
    user_assigned_identity_id = local.uai
  }
  linux_profile {
    admin_username = "azureuser"
    ssh_key { key_data = file("k.pub") }
  }
  maintenance_window {
    allowed { 
      day = "Sunday" 
      hours = [1, 2] 
    }
    not_allowed { 
      start = "2027-01-01T00:00:00Z"
      end = "2027-01-02T00:00:00Z" 
    }
  }
  microsoft_defender { log_analytics_workspace_id = local.la }
  monitor_metrics { 
    annotations_allowed = "a" 
    labels_allowed = "l"
  }
  network_profile {
    network_plugin = "azure"
    network_plugin_mode = "overlay"
    network_policy = "cilium"
    network_data_plane = "cilium"
    dns_service_ip = "10.1.0.10"
    service_cidr = "10.1.0.0/16"
    pod_cidr = "10.2.0.0/16"
    outbound_type = "userDefinedRouting"
    load_balancer_sku = "standard"
    advanced_networking { 
      observability_enabled = true
      security_enabled = true
    }
  }
  node_provisioning_profile { mode = "Manual" }
  oms_agent {
    log_analytics_workspace_id = local.la
    msi_auth_for_monitoring_enabled = true
  }
  service_mesh_profile {
    mode = "Istio"
    revisions = ["asm-1-20"]
    internal_ingress_gateway_enabled = true
    external_ingress_gateway_enabled = true
  }
  storage_profile { blob_driver_enabled = true }
  web_app_routing { dns_zone_ids = [] }
  windows_profile {
    admin_username = "azureuser"
    admin_password = "not-a-real-Passw0rd"
    license = "Windows_Server"
  }
  workload_autoscaler_profile {
    keda_enabled = true
    vertical_pod_autoscaler_enabled = true
  }
  tags = { a = "b" }
}
resource "azurerm_kubernetes_cluster" "lb" {
  name = "klb"
  location = "westeurope"
  resource_group_name = "rg"
  dns_prefix = "k"
  default_node_pool {
    name = "default"
    vm_size = "Standard_D2s_v3"
    node_count = 2
    upgrade_settings { max_surge = "10%" }
  }
  service_principal { 
    client_id = "00000000-0000-0000-0000-000000000001"
    client_secret = "s" 
  }
  network_profile { 
    network_plugin = "kubenet" 
    pod_cidr = "10.3.0.0/16"
    outbound_type = "loadBalancer"
    load_balancer_profile { 
      managed_outbound_ip_count = 2
      idle_timeout_in_minutes = 30
      outbound_ports_allocated = 0
    }
  }
  node_provisioning_profile { mode = "Manual" }
}
resource "azurerm_kubernetes_cluster" "nat" {
  name = "knat"
  location = "westeurope"
  resource_group_name = "rg"
  dns_prefix = "k"
  default_node_pool {
    name = "default"
    vm_size = "Standard_D2s_v3"
    node_count = 2
    upgrade_settings { max_surge = "10%" }
  }
  identity { type = "SystemAssigned" }
  network_profile { 
    network_plugin = "azure" 
    outbound_type = "managedNATGateway"
    nat_gateway_profile { 
      managed_outbound_ip_count = 2
      idle_timeout_in_minutes = 30
    }
  }
  node_provisioning_profile { mode = "Manual" }
}
resource "azurerm_kubernetes_cluster_node_pool" "min" {
  name = "min"
  kubernetes_cluster_id = local.aks
  vm_size = "Standard_D2s_v3"
}
resource "azurerm_kubernetes_cluster_node_pool" "spot" {
  name = "spot"
  kubernetes_cluster_id = local.aks
  vm_size = "Standard_D2s_v3"
  priority = "Spot"
  eviction_policy = "Delete"
  spot_max_price = 0.5
  mode = "User"
  auto_scaling_enabled = true
  min_count = 0
  max_count = 3
  node_taints = ["a=b:NoSchedule"]
  node_labels = { x = "y" }
  vnet_subnet_id = local.sn
  pod_subnet_id = local.sn
  zones = ["1"]
  os_type = "Linux"
  os_disk_type = "Ephemeral"
  os_disk_size_gb = 64
  gpu_driver = "Install"
  gpu_instance = "MIG1g"
  kubelet_disk_type = "OS"
  scale_down_mode = "Deallocate"
  snapshot_id = "${local.p}/Microsoft.ContainerService/snapshots/s"
  proximity_placement_group_id = "${local.p}/Microsoft.Compute/proximityPlacementGroups/p"
  tags = { a = "b" }
  windows_profile { outbound_nat_enabled = true }
}
resource "azurerm_kubernetes_cluster_extension" "e" {
  name = "ml"
  cluster_id = local.aks
  extension_type = "microsoft.azureml.kubernetes"
  release_train = "stable"
  release_namespace = "azureml"
  configuration_settings = { a = "b" }
  configuration_protected_settings = { s = "t" }
}
resource "azurerm_kubernetes_flux_configuration" "f" {
  name = "flux"
  cluster_id = local.aks
  namespace = "flux"
  scope = "cluster"
  git_repository {
    url = "https://example.com/x"
    reference_type = "branch"
    reference_value = "main"
  }
  kustomizations { 
    name = "k" 
    path = "./x"
  }
}
resource "azurerm_kubernetes_cluster_trusted_access_role_binding" "t" {
  name = "tb"
  kubernetes_cluster_id = local.aks
  roles = ["Microsoft.MachineLearningServices/workspaces/mlworkload"]
  source_resource_id = local.ws
}
