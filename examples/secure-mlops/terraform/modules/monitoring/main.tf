# Where logs and telemetry go, and the private link scope by which they get there.

resource "azurerm_log_analytics_workspace" "this" {
  name                           = "log-${var.suffix}"
  resource_group_name            = var.resource_group_name
  location                       = var.location
  sku                            = "PerGB2018"
  retention_in_days              = var.retention_days
  internet_ingestion_access_type = var.internet_access ? "Enabled" : "Disabled"
  internet_query_access_type     = var.internet_access ? "Enabled" : "Disabled"
  tags                           = var.tags
}

resource "azurerm_application_insights" "this" {
  name                       = "appi-${var.suffix}"
  resource_group_name        = var.resource_group_name
  location                   = var.location
  workspace_id               = azurerm_log_analytics_workspace.this.id
  application_type           = "web"
  internet_ingestion_enabled = var.internet_access
  internet_query_enabled     = var.internet_access
  tags                       = var.tags
}

# Azure Machine Learning sends to resources of its own as well: a scope that is
# PrivateOnly would keep these from the networks that resolve its zones.
resource "azurerm_monitor_private_link_scope" "this" {
  name                  = "ampls-${var.suffix}"
  resource_group_name   = var.resource_group_name
  ingestion_access_mode = "Open"
  query_access_mode     = "Open"
  tags                  = var.tags
}

resource "azurerm_monitor_private_link_scoped_service" "this" {
  for_each = {
    logs     = azurerm_log_analytics_workspace.this.id
    insights = azurerm_application_insights.this.id
  }

  name                = "scoped-${each.key}"
  resource_group_name = var.resource_group_name
  scope_name          = azurerm_monitor_private_link_scope.this.name
  linked_resource_id  = each.value
}
