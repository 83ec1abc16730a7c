resource "azurerm_application_insights" "i" {
  name                = "appi"
  location            = "westeurope"
  resource_group_name = "rg"
  application_type    = "web"
  workspace_id        = local.la
}
resource "azurerm_application_insights_smart_detection_rule" "r" {
  name                    = "Slow server response time"
  application_insights_id = azurerm_application_insights.i.id
  enabled                 = false
}
resource "azurerm_data_factory" "d" {
  name                            = "adfvaults"
  location                        = "westeurope"
  resource_group_name             = "rg"
  managed_virtual_network_enabled = true
  identity { type = "SystemAssigned" }
}
resource "azurerm_data_factory_integration_runtime_azure" "a" {
  name                    = "runtime"
  data_factory_id         = azurerm_data_factory.d.id
  location                = "West Europe"
  virtual_network_enabled = true
}
resource "azurerm_data_factory_integration_runtime_azure" "b" {
  name             = "resolved"
  data_factory_id  = azurerm_data_factory.d.id
  location         = "AutoResolve"
  time_to_live_min = 10
  core_count       = 16
}
resource "azurerm_federated_identity_credential" "f" {
  name                      = "workload"
  user_assigned_identity_id = azurerm_user_assigned_identity.u.id
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://oidc.example.com/x"
  subject                   = "system:serviceaccount:ml:train"
}
resource "azurerm_user_assigned_identity" "u" {
  name                = "workload"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_security_center_subscription_pricing" "s" {
  tier          = "Standard"
  resource_type = "KeyVaults"
}
resource "azurerm_security_center_contact" "c" {
  name                = "default1"
  email               = "security@example.com"
  alert_notifications = true
  alerts_to_admins    = true
}
resource "azurerm_security_center_workspace" "w" {
  scope        = local.s
  workspace_id = local.la
}
resource "azurerm_log_analytics_workspace_table" "t" {
  name              = "AppTraces"
  workspace_id      = local.la
  retention_in_days = 60
}
resource "azurerm_subscription_template_deployment" "d" {
  name             = "subdeploy"
  location         = "westeurope"
  template_content = jsonencode({ "$schema" = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", contentVersion = "1.0.0.0", resources = [] })
}
