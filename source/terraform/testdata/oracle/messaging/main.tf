resource "azurerm_eventhub_namespace" "e" {
  name                = "ehns01"
  location            = "westeurope"
  resource_group_name = "rg"
  sku                 = "Standard"
  public_network_access_enabled = false
  network_rulesets {
    default_action                = "Deny"
    public_network_access_enabled = false
    virtual_network_rule { subnet_id = local.sn }
    ip_rule { ip_mask = "192.0.2.0/24" }
  }
}
resource "azurerm_eventhub_namespace_authorization_rule" "a" {
  name                = "nsrule"
  namespace_name      = azurerm_eventhub_namespace.e.name
  resource_group_name = "rg"
  listen              = true
  send                = true
}
resource "azurerm_eventhub" "h" {
  name            = "hub"
  namespace_id    = azurerm_eventhub_namespace.e.id
  partition_count = 2
  message_retention = 1
}
resource "azurerm_eventhub_consumer_group" "c" {
  name                = "group"
  namespace_name      = azurerm_eventhub_namespace.e.name
  eventhub_name       = azurerm_eventhub.h.name
  resource_group_name = "rg"
  user_metadata       = "m"
}
resource "azurerm_eventhub_authorization_rule" "a" {
  name                = "rule"
  namespace_name      = azurerm_eventhub_namespace.e.name
  eventhub_name       = azurerm_eventhub.h.name
  resource_group_name = "rg"
  listen              = true
}
resource "azurerm_servicebus_namespace" "s" {
  name                         = "sbns01"
  location                     = "westeurope"
  resource_group_name          = "rg"
  sku                          = "Premium"
  capacity                     = 1
  premium_messaging_partitions = 1
}
resource "azurerm_servicebus_queue" "q" {
  name         = "queue"
  namespace_id = azurerm_servicebus_namespace.s.id
  max_delivery_count = 5
}
resource "azurerm_servicebus_topic" "t" {
  name         = "topic"
  namespace_id = azurerm_servicebus_namespace.s.id
}
resource "azurerm_servicebus_subscription" "s" {
  name               = "sub"
  topic_id           = azurerm_servicebus_topic.t.id
  max_delivery_count = 3
}
resource "azurerm_eventgrid_domain" "d" {
  name                = "domain"
  location            = "westeurope"
  resource_group_name = "rg"
  public_network_access_enabled = false
}
resource "azurerm_eventgrid_system_topic" "t" {
  name                = "stopic"
  location            = "westeurope"
  resource_group_name = "rg"
  source_resource_id  = local.st
  topic_type          = "Microsoft.Storage.StorageAccounts"
  identity { type = "SystemAssigned" }
}
resource "azurerm_eventgrid_system_topic_event_subscription" "s" {
  name                = "stsub"
  system_topic        = azurerm_eventgrid_system_topic.t.name
  resource_group_name = "rg"
  storage_queue_endpoint {
    storage_account_id = local.st
    queue_name         = "q"
  }
}
resource "azurerm_iothub" "i" {
  name                = "iot"
  location            = "westeurope"
  resource_group_name = "rg"
  public_network_access_enabled = false
  sku {
    name     = "S1"
    capacity = 1
  }
}
resource "azurerm_digital_twins_instance" "d" {
  name                = "twins"
  location            = "westeurope"
  resource_group_name = "rg"
}
