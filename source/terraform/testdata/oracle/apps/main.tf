resource "azurerm_service_plan" "l" {
  name                = "linux"
  location            = "westeurope"
  resource_group_name = "rg"
  os_type             = "Linux"
  sku_name            = "P1v3"
}
resource "azurerm_service_plan" "w" {
  name                = "windows"
  location            = "westeurope"
  resource_group_name = "rg"
  os_type             = "Windows"
  sku_name            = "P1v3"
}
resource "azurerm_storage_account" "f" {
  name                     = "appsfunctions"
  location                 = "westeurope"
  resource_group_name      = "rg"
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_linux_web_app" "plain" {
  name                = "weblinux"
  location            = "westeurope"
  resource_group_name = "rg"
  service_plan_id     = azurerm_service_plan.l.id
  site_config {}
}
resource "azurerm_linux_web_app" "closed" {
  name                            = "weblinuxclosed"
  location                        = "westeurope"
  resource_group_name             = "rg"
  service_plan_id                 = azurerm_service_plan.l.id
  virtual_network_subnet_id       = local.sn
  public_network_access_enabled   = false
  https_only                      = true
  vnet_image_pull_enabled         = true
  key_vault_reference_identity_id = local.uai
  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [local.uai]
  }
  app_settings = { MODEL = "a", LEVEL = "info" }
  connection_string {
    name  = "db"
    type  = "SQLAzure"
    value = "nothing"
  }
  site_config {
    vnet_route_all_enabled                  = true
    ip_restriction_default_action           = "Deny"
    scm_ip_restriction_default_action       = "Deny"
    scm_use_main_ip_restriction             = true
    always_on                               = false
    ftps_state                              = "FtpsOnly"
    minimum_tls_version                     = "1.3"
    http2_enabled                           = true
    worker_count                            = 2
    app_command_line                        = "serve"
    health_check_path                       = "/healthz"
    health_check_eviction_time_in_min       = 5
    container_registry_use_managed_identity = true
    container_registry_managed_identity_client_id = local.g
    ip_restriction {
      name                      = "subnet"
      virtual_network_subnet_id = local.sn
      priority                  = 100
      action                    = "Allow"
    }
    ip_restriction {
      name        = "door"
      service_tag = "AzureFrontDoor.Backend"
      priority    = 110
      action      = "Allow"
      headers {
        x_azure_fdid = [local.g]
      }
    }
    scm_ip_restriction {
      ip_address = "203.0.113.0/24"
    }
    cors {
      allowed_origins     = ["https://portal.example.com"]
      support_credentials = true
    }
    application_stack {
      docker_image_name   = "ml/serve:1"
      docker_registry_url = "https://storesregistry.azurecr.io"
    }
  }
}
resource "azurerm_linux_web_app" "python" {
  name                = "weblinuxpython"
  location            = "westeurope"
  resource_group_name = "rg"
  service_plan_id     = azurerm_service_plan.l.id
  site_config {
    application_stack {
      python_version = "3.12"
    }
  }
}
resource "azurerm_windows_web_app" "plain" {
  name                      = "webwindows"
  location                  = "westeurope"
  resource_group_name       = "rg"
  service_plan_id           = azurerm_service_plan.w.id
  virtual_network_subnet_id = local.sn
  site_config {
    vnet_route_all_enabled = true
    application_stack {
      current_stack  = "dotnet"
      dotnet_version = "v8.0"
    }
  }
}
resource "azurerm_linux_function_app" "plain" {
  name                       = "funlinux"
  location                   = "westeurope"
  resource_group_name        = "rg"
  service_plan_id            = azurerm_service_plan.l.id
  storage_account_name       = azurerm_storage_account.f.name
  storage_account_access_key = "bm90aGluZw=="
  site_config {}
}
resource "azurerm_linux_function_app" "closed" {
  name                            = "funlinuxclosed"
  location                        = "westeurope"
  resource_group_name             = "rg"
  service_plan_id                 = azurerm_service_plan.l.id
  storage_account_name            = azurerm_storage_account.f.name
  storage_uses_managed_identity   = true
  virtual_network_subnet_id       = local.sn
  public_network_access_enabled   = false
  key_vault_reference_identity_id = local.uai
  identity {
    type         = "UserAssigned"
    identity_ids = [local.uai]
  }
  app_settings = { MODEL = "a" }
  site_config {
    vnet_route_all_enabled        = true
    always_on                     = true
    ip_restriction_default_action = "Deny"
    application_insights_key      = local.g
    application_insights_connection_string = "InstrumentationKey=${local.g}"
    application_stack {
      python_version = "3.12"
    }
    ip_restriction {
      name       = "office"
      ip_address = "203.0.113.0/24"
    }
  }
}
resource "azurerm_windows_function_app" "plain" {
  name                       = "funwindows"
  location                   = "westeurope"
  resource_group_name        = "rg"
  service_plan_id            = azurerm_service_plan.w.id
  storage_account_name       = azurerm_storage_account.f.name
  storage_account_access_key = "bm90aGluZw=="
  site_config {
    application_stack {
      powershell_core_version = "7.4"
    }
  }
}
resource "azurerm_app_service_virtual_network_swift_connection" "s" {
  app_service_id = azurerm_linux_web_app.python.id
  subnet_id      = local.sn
}
resource "azurerm_linux_web_app" "node" {
  name                = "weblinuxnode"
  location            = "westeurope"
  resource_group_name = "rg"
  service_plan_id     = azurerm_service_plan.l.id
  site_config {
    application_stack {
      node_version = "20-lts"
    }
  }
}
resource "azurerm_linux_web_app" "dotnet" {
  name                = "weblinuxdotnet"
  location            = "westeurope"
  resource_group_name = "rg"
  service_plan_id     = azurerm_service_plan.l.id
  site_config {
    application_stack {
      dotnet_version = "8.0"
    }
  }
}
resource "azurerm_linux_function_app" "dotnet" {
  name                        = "funlinuxdotnet"
  location                    = "westeurope"
  resource_group_name         = "rg"
  service_plan_id             = azurerm_service_plan.l.id
  storage_key_vault_secret_id = "https://kv.vault.azure.net/secrets/store/11111111222233334444555555555555"
  builtin_logging_enabled     = false
  site_config {
    application_stack {
      dotnet_version              = "8.0"
      use_dotnet_isolated_runtime = true
    }
  }
}
resource "azurerm_linux_function_app" "image" {
  name                          = "funlinuximage"
  location                      = "westeurope"
  resource_group_name           = "rg"
  service_plan_id               = azurerm_service_plan.l.id
  storage_account_name          = azurerm_storage_account.f.name
  storage_uses_managed_identity = true
  site_config {
    container_registry_use_managed_identity = true
    application_stack {
      docker {
        registry_url = "https://storesregistry.azurecr.io"
        image_name   = "ml/fun"
        image_tag    = "1"
      }
    }
  }
}
