resource "azurerm_storage_account" "a" {
  name                     = "storesa"
  location                 = "westeurope"
  resource_group_name      = "rg"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  identity {
    type         = "UserAssigned"
    identity_ids = [local.uai]
  }
  blob_properties {
    versioning_enabled  = true
    change_feed_enabled = true
  }
  lifecycle {
    ignore_changes = [customer_managed_key]
  }
}
resource "azurerm_storage_account" "b" {
  name                     = "storesb"
  location                 = "westeurope"
  resource_group_name      = "rg"
  account_tier             = "Standard"
  account_replication_type = "ZRS"
  is_hns_enabled           = true
  sftp_enabled             = true
}
resource "azurerm_storage_account" "c" {
  name                     = "storesc"
  location                 = "westeurope"
  resource_group_name      = "rg"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  blob_properties {
    versioning_enabled = true
  }
}
resource "azurerm_storage_account_customer_managed_key" "a" {
  storage_account_id        = azurerm_storage_account.a.id
  key_vault_key_id          = "https://kv.vault.azure.net/keys/cmk"
  user_assigned_identity_id = local.uai
}
resource "azurerm_storage_account_network_rules" "a" {
  storage_account_id         = azurerm_storage_account.a.id
  default_action             = "Deny"
  ip_rules                   = ["203.0.113.7"]
  virtual_network_subnet_ids = [local.sn]
  private_link_access {
    endpoint_resource_id = local.ws
    endpoint_tenant_id   = local.g
  }
}
resource "azurerm_storage_account_network_rules" "b" {
  storage_account_id = azurerm_storage_account.b.id
  default_action     = "Deny"
  bypass             = ["Logging", "Metrics"]
}
resource "azurerm_storage_management_policy" "a" {
  storage_account_id = azurerm_storage_account.a.id
  rule {
    name    = "old"
    enabled = true
    filters {
      prefix_match = ["models/", "data/"]
      blob_types   = ["blockBlob"]
    }
    actions {
      base_blob {
        tier_to_cool_after_days_since_modification_greater_than    = 10
        tier_to_archive_after_days_since_modification_greater_than = 50
        delete_after_days_since_modification_greater_than          = 100
      }
      snapshot {
        delete_after_days_since_creation_greater_than = 30
      }
      version {
        delete_after_days_since_creation = 31
      }
    }
  }
  rule {
    name    = "tagged"
    enabled = false
    filters {
      blob_types = ["blockBlob"]
      match_blob_index_tag {
        name  = "keep"
        value = "no"
      }
    }
    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = 5
      }
    }
  }
}
resource "azurerm_storage_blob_inventory_policy" "a" {
  storage_account_id = azurerm_storage_account.a.id
  rules {
    name                   = "all"
    storage_container_name = azurerm_storage_container.a.name
    format                 = "Csv"
    schedule               = "Daily"
    scope                  = "Blob"
    schema_fields          = ["Name", "Last-Modified"]
    filter {
      blob_types            = ["blockBlob"]
      include_blob_versions = true
      prefix_match          = ["x/"]
    }
  }
}
resource "azurerm_storage_container" "a" {
  name               = "data"
  storage_account_id = azurerm_storage_account.a.id
  metadata           = { team = "ml" }
}
resource "azurerm_storage_container" "p" {
  name                  = "open"
  storage_account_id    = azurerm_storage_account.a.id
  container_access_type = "blob"
}
resource "azurerm_storage_container" "e" {
  name                              = "scoped"
  storage_account_id                = azurerm_storage_account.a.id
  default_encryption_scope          = azurerm_storage_encryption_scope.m.name
  encryption_scope_override_enabled = false
}
resource "azurerm_storage_container" "c" {
  name               = "copy"
  storage_account_id = azurerm_storage_account.c.id
}
resource "azurerm_storage_container_immutability_policy" "a" {
  storage_container_resource_manager_id = azurerm_storage_container.a.id
  immutability_period_in_days           = 14
  protected_append_writes_enabled       = true
}
resource "azurerm_storage_encryption_scope" "m" {
  name               = "microsoft"
  storage_account_id = azurerm_storage_account.a.id
  source             = "Microsoft.Storage"
}
resource "azurerm_storage_encryption_scope" "k" {
  name                               = "ownkey"
  storage_account_id                 = azurerm_storage_account.a.id
  source                             = "Microsoft.KeyVault"
  key_vault_key_id                   = "https://kv.vault.azure.net/keys/scope"
  infrastructure_encryption_required = true
}
resource "azurerm_storage_object_replication" "a" {
  source_storage_account_id      = azurerm_storage_account.a.id
  destination_storage_account_id = azurerm_storage_account.c.id
  rules {
    source_container_name        = azurerm_storage_container.a.name
    destination_container_name   = azurerm_storage_container.c.name
    copy_blobs_created_after     = "Everything"
    filter_out_blobs_with_prefix = ["x"]
  }
}
resource "azurerm_storage_queue" "a" {
  name               = "work"
  storage_account_id = azurerm_storage_account.a.id
  metadata           = { team = "ml" }
}
resource "azurerm_storage_share" "a" {
  name               = "home"
  storage_account_id = azurerm_storage_account.a.id
  quota              = 50
  access_tier        = "Hot"
  acl {
    id = "reader"
    access_policy {
      permissions = "r"
      start       = "2026-01-01T00:00:00Z"
      expiry      = "2027-01-01T00:00:00Z"
    }
  }
}
resource "azurerm_storage_account_local_user" "b" {
  name                 = "drop"
  storage_account_id   = azurerm_storage_account.b.id
  ssh_key_enabled      = true
  ssh_password_enabled = false
  home_directory       = "in"
  ssh_authorized_key {
    key         = file("${path.module}/k.pub")
    description = "the robot"
  }
  permission_scope {
    service       = "blob"
    resource_name = "in"
    permissions {
      read  = true
      write = true
      list  = true
    }
  }
}
resource "azurerm_storage_sync" "s" {
  name                    = "sync"
  location                = "westeurope"
  resource_group_name     = "rg"
  incoming_traffic_policy = "AllowVirtualNetworksOnly"
}

resource "azurerm_container_registry" "r" {
  name                = "storesregistry"
  location            = "westeurope"
  resource_group_name = "rg"
  sku                 = "Premium"
}
resource "azurerm_container_registry_webhook" "w" {
  name                = "pushhook"
  location            = "westeurope"
  resource_group_name = "rg"
  registry_name       = azurerm_container_registry.r.name
  service_uri         = "https://hooks.example.com/push"
  actions             = ["push", "delete"]
  scope               = "ml/*"
  custom_headers      = { "X-Team" = "ml" }
}
resource "azurerm_container_registry_scope_map" "m" {
  name                    = "pullonly"
  resource_group_name     = "rg"
  container_registry_name = azurerm_container_registry.r.name
  description             = "what edge devices may read"
  actions                 = ["repositories/ml/content/read"]
}
resource "azurerm_container_registry_token" "t" {
  name                    = "edgetoken"
  resource_group_name     = "rg"
  container_registry_name = azurerm_container_registry.r.name
  scope_map_id            = azurerm_container_registry_scope_map.m.id
}
resource "azurerm_container_registry_token" "off" {
  name                    = "edgeoff"
  resource_group_name     = "rg"
  container_registry_name = azurerm_container_registry.r.name
  scope_map_id            = azurerm_container_registry_scope_map.m.id
  enabled                 = false
}
resource "azurerm_container_registry_credential_set" "c" {
  name                  = "hub"
  container_registry_id = azurerm_container_registry.r.id
  login_server          = "docker.io"
  identity { type = "SystemAssigned" }
  authentication_credentials {
    username_secret_id = "https://kv.vault.azure.net/secrets/user"
    password_secret_id = "https://kv.vault.azure.net/secrets/password"
  }
}
resource "azurerm_container_registry_cache_rule" "c" {
  name                  = "python"
  container_registry_id = azurerm_container_registry.r.id
  source_repo           = "docker.io/library/python"
  target_repo           = "mirror/python"
  credential_set_id     = azurerm_container_registry_credential_set.c.id
}
resource "azurerm_container_registry_agent_pool" "p" {
  name                      = "pool"
  location                  = "westeurope"
  resource_group_name       = "rg"
  container_registry_name   = azurerm_container_registry.r.name
  instance_count            = 2
  virtual_network_subnet_id = local.sn
}
resource "azurerm_container_registry_task" "t" {
  name                  = "build"
  container_registry_id = azurerm_container_registry.r.id
  agent_pool_name       = azurerm_container_registry_agent_pool.p.name
  identity { type = "SystemAssigned" }
  platform {
    os = "Linux"
  }
  docker_step {
    dockerfile_path      = "Dockerfile"
    context_path         = "https://github.com/example/ml#main"
    context_access_token = "nothing"
    image_names          = ["ml/train:{{.Run.ID}}"]
    arguments            = { PY = "3.12" }
    secret_arguments     = { TOKEN = "nothing" }
  }
  timer_trigger {
    name     = "nightly"
    schedule = "0 2 * * *"
  }
  base_image_trigger {
    name                        = "base"
    type                        = "Runtime"
  }
}
