resource "azurerm_service_plan" "p" {
  name                = "plan"
  location            = "westeurope"
  resource_group_name = "rg"
  os_type             = "Linux"
  sku_name            = "P1v3"
}
resource "azurerm_service_plan" "w" {
  name                = "planw"
  location            = "westeurope"
  resource_group_name = "rg"
  os_type             = "Windows"
  sku_name            = "P1v3"
  worker_count        = 2
  zone_balancing_enabled = true
}
resource "azurerm_static_web_app" "s" {
  name                = "static"
  location            = "westeurope"
  resource_group_name = "rg"
  sku_tier            = "Standard"
  sku_size            = "Standard"
}
resource "azurerm_logic_app_workflow" "l" {
  name                = "logic"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_container_app_environment" "e" {
  name                           = "cae"
  location                       = "westeurope"
  resource_group_name            = "rg"
  infrastructure_subnet_id       = local.sn
  internal_load_balancer_enabled = true
}
resource "azurerm_container_app" "a" {
  name                         = "app"
  resource_group_name          = "rg"
  container_app_environment_id = azurerm_container_app_environment.e.id
  revision_mode                = "Single"
  identity { type = "SystemAssigned" }
  ingress {
    target_port = 80
    traffic_weight {
      percentage      = 100
      latest_revision = true
    }
  }
  template {
    min_replicas = 1
    max_replicas = 2
    container {
      name   = "c"
      image  = "cr.azurecr.io/a:1"
      cpu    = 0.5
      memory = "1Gi"
      env {
        name  = "A"
        value = "b"
      }
    }
  }
}
resource "azurerm_web_pubsub" "w" {
  name                          = "pubsub"
  location                      = "westeurope"
  resource_group_name           = "rg"
  sku                           = "Standard_S1"
  capacity                      = 1
  public_network_access_enabled = false
}
resource "azurerm_bot_channels_registration" "b" {
  name                = "botreg"
  location            = "global"
  resource_group_name = "rg"
  sku                 = "F0"
  microsoft_app_id    = local.g
  microsoft_app_type  = "SingleTenant"
  microsoft_app_tenant_id = local.g
}
resource "azurerm_bot_service_azure_bot" "b" {
  name                = "bot"
  location            = "global"
  resource_group_name = "rg"
  sku                 = "F0"
  microsoft_app_id    = local.g
  microsoft_app_type  = "SingleTenant"
  microsoft_app_tenant_id = local.g
}
