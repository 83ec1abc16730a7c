resource "azurerm_machine_learning_workspace" "full" {
  name = "mlfull"
  location = "westeurope"
  resource_group_name = "rg"
  application_insights_id = "${local.p}/Microsoft.Insights/components/ai"
  key_vault_id = local.kv
  storage_account_id = local.st
  container_registry_id = "${local.p}/Microsoft.ContainerRegistry/registries/crcrcr"
  description = "d"
  friendly_name = "f"
  high_business_impact = true
  image_build_compute_name = "build"
  kind = "FeatureStore"
  primary_user_assigned_identity = local.uai
  public_network_access_enabled = false
  service_side_encryption_enabled = true
  sku_name = "Basic"
  storage_account_access_type = "Identity"
  v1_legacy_mode_enabled = false
  encryption { 
    key_vault_id = local.kv 
    key_id = "https://kv.vault.azure.net/keys/k/abc" 
    user_assigned_identity_id = local.uai
  }
  feature_store { 
    computer_spark_runtime_version = "3.4"
  }
  identity { 
    type = "UserAssigned" 
    identity_ids = [local.uai]
  }
  managed_network { 
    isolation_mode = "AllowOnlyApprovedOutbound" 
    provision_on_creation_enabled = true
  }
  serverless_compute { 
    subnet_id = local.sn
    public_ip_enabled = false
  }
}
resource "azurerm_machine_learning_workspace" "min" {
  name = "mlmin"
  location = "westeurope"
  resource_group_name = "rg"
  application_insights_id = "${local.p}/Microsoft.Insights/components/ai"
  key_vault_id = local.kv
  storage_account_id = local.st
  identity { type = "SystemAssigned" }
}
resource "azurerm_machine_learning_compute_cluster" "c" {
  name = "cluster"
  location = "westeurope"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.min.id
  vm_priority = "LowPriority"
  vm_size = "STANDARD_DS2_V2"
  description = "d"
  local_auth_enabled = false
  node_public_ip_enabled = false
  ssh_public_access_enabled = true
  subnet_resource_id = local.sn
  scale_settings { 
    min_node_count = 0
    max_node_count = 1
    scale_down_nodes_after_idle_duration = "PT30S"
  }
  ssh { 
    admin_username = "u"
    admin_password = "pass"
    key_value = "k"
  }
  identity { type = "SystemAssigned" }
}
resource "azurerm_machine_learning_compute_instance" "c" {
  name = "inst"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.min.id
  virtual_machine_size = "STANDARD_DS2_V2"
  authorization_type = "personal"
  description = "d"
  local_auth_enabled = false
  node_public_ip_enabled = false
  subnet_resource_id = local.sn
  ssh { public_key = file("k.pub") }
  assign_to_user { 
    object_id = local.g
    tenant_id = local.g
  }
  identity { type = "SystemAssigned" }
}
resource "azurerm_machine_learning_compute_instance" "m" {
  name = "instmin"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.min.id
  virtual_machine_size = "STANDARD_DS2_V2"
}
resource "azurerm_machine_learning_inference_cluster" "i" {
  name = "infer"
  location = "westeurope"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.k.id
  machine_learning_workspace_id = azurerm_machine_learning_workspace.min.id
  cluster_purpose = "DevTest"
  description = "d"
  ssl { 
    leaf_domain_label = "x"
    overwrite_existing_domain = true
  }
  identity { type = "SystemAssigned" }
}
resource "azurerm_machine_learning_synapse_spark" "s" {
  name = "spark"
  location = "westeurope"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.min.id
  synapse_spark_pool_id = "${local.p}/Microsoft.Synapse/workspaces/sy/bigDataPools/pool"
  identity { type = "SystemAssigned" }
}
resource "azurerm_machine_learning_workspace_network_outbound_rule_fqdn" "r" {
  name = "fqdn"
  workspace_id = azurerm_machine_learning_workspace.min.id
  destination_fqdn = "pypi.org"
}
resource "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint" "r" {
  name = "pe"
  workspace_id = azurerm_machine_learning_workspace.min.id
  service_resource_id = local.st
  sub_resource_target = "file"
  spark_enabled = true
}
resource "azurerm_machine_learning_workspace_network_outbound_rule_service_tag" "r" {
  name = "tag"
  workspace_id = azurerm_machine_learning_workspace.min.id
  service_tag = "AppService"
  protocol = "TCP"
  port_ranges = "443"
}
resource "azurerm_machine_learning_datastore_blobstorage" "d" {
  name = "blobds"
  workspace_id = azurerm_machine_learning_workspace.min.id
  storage_container_id = "${local.st}/blobServices/default/containers/data"
  account_key = "a2V5"
  is_default = true
  service_data_auth_identity = "WorkspaceSystemAssignedIdentity"
  description = "d"
}
resource "azurerm_machine_learning_datastore_datalake_gen2" "d" {
  name = "lakeds"
  workspace_id = azurerm_machine_learning_workspace.min.id
  storage_container_id = "${local.st}/blobServices/default/containers/data"
  tenant_id = local.g
  client_id = local.g
  client_secret = "x"
}
resource "azurerm_ai_foundry" "h" {
  name = "hub1"
  location = "westeurope"
  resource_group_name = "rg"
  storage_account_id = local.st
  key_vault_id = local.kv
  public_network_access = "Disabled"
  high_business_impact_enabled = true
  managed_network { isolation_mode = "AllowOnlyApprovedOutbound" }
  identity { type = "SystemAssigned" }
}
resource "azurerm_ai_foundry_project" "p" {
  name = "proj"
  location = "westeurope"
  ai_services_hub_id = azurerm_ai_foundry.h.id
  friendly_name = "f"
  identity { type = "SystemAssigned" }
}
resource "azurerm_cognitive_account" "c" {
  name = "cogfull"
  location = "westeurope"
  resource_group_name = "rg"
  kind = "OpenAI"
  sku_name = "S0"
  custom_subdomain_name = "cogfull"
  fqdns = ["x.com"]
  local_auth_enabled = false
  outbound_network_access_restricted = true
  public_network_access_enabled = false
  customer_managed_key { 
    key_vault_key_id = "https://kv.vault.azure.net/keys/k/abc"
    identity_client_id = local.g
  }
  identity { 
    type = "UserAssigned" 
    identity_ids = [local.uai]
  }
  network_acls { 
    default_action = "Deny"
    ip_rules = ["192.0.2.0/24"]
    virtual_network_rules { subnet_id = local.sn }
  }
  storage { storage_account_id = local.st }
}
resource "azurerm_cognitive_account" "m" {
  name = "cogmin"
  location = "westeurope"
  resource_group_name = "rg"
  kind = "AIServices"
  sku_name = "S0"
  custom_subdomain_name = "cogmin"
  identity { type = "SystemAssigned" }
}
resource "azurerm_cognitive_deployment" "d" {
  name = "gpt"
  cognitive_account_id = azurerm_cognitive_account.m.id
  model { 
    format = "OpenAI"
    name = "gpt-4o"
    version = "1"
  }
  sku { 
    name = "Standard"
    capacity = 10
  }
  rai_policy_name = "Microsoft.Default"
}
resource "azurerm_search_service" "s" {
  name = "srch"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "standard"
  allowed_ips = ["192.0.2.1"]
  hosting_mode = "Default"
  local_authentication_enabled = true
  authentication_failure_mode = "http403"
  public_network_access_enabled = false
  replica_count = 2
  partition_count = 1
  semantic_search_sku = "standard"
  network_rule_bypass_option = "AzureServices"
  identity { type = "SystemAssigned" }
}
resource "azurerm_search_service" "m" {
  name = "srchmin"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "basic"
}
resource "azurerm_kubernetes_cluster" "k" {
  name                = "inference"
  location            = "westeurope"
  resource_group_name = "rg"
  dns_prefix          = "k"
  default_node_pool {
    name       = "default"
    vm_size    = "Standard_D4s_v3"
    node_count = 3
    upgrade_settings { max_surge = "10%" }
  }
  network_profile { network_plugin = "azure" }
  identity { type = "SystemAssigned" }
  node_provisioning_profile { mode = "Manual" }
}
resource "azurerm_machine_learning_datastore_fileshare" "f" {
  name                 = "fileds"
  workspace_id         = azurerm_machine_learning_workspace.min.id
  storage_fileshare_id = "${local.st}/fileServices/default/shares/share"
  account_key          = "a2V5"
}
resource "azurerm_cognitive_account_rai_policy" "r" {
  name                 = "filter"
  cognitive_account_id = azurerm_cognitive_account.m.id
  base_policy_name     = "Microsoft.Default"
  mode                 = "Default"
  content_filter {
    name               = "Hate"
    filter_enabled     = true
    block_enabled      = true
    severity_threshold = "High"
    source             = "Prompt"
  }
}
resource "azurerm_cognitive_account_customer_managed_key" "c" {
  cognitive_account_id = azurerm_cognitive_account.m.id
  key_vault_key_id     = "https://kv.vault.azure.net/keys/k/abc"
}
