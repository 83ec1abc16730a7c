resource "azurerm_mssql_server" "s" {
  name                         = "sqlsrv"
  location                     = "westeurope"
  resource_group_name          = "rg"
  version                      = "12.0"
  administrator_login          = "sqladm"
  administrator_login_password = "not-a-real-Passw0rd"
}
resource "azurerm_mssql_database" "d" {
  name      = "db"
  server_id = azurerm_mssql_server.s.id
  sku_name  = "S0"
}
resource "azurerm_mssql_firewall_rule" "r" {
  name             = "rule"
  server_id        = azurerm_mssql_server.s.id
  start_ip_address = "192.0.2.1"
  end_ip_address   = "192.0.2.9"
}
resource "azurerm_mssql_virtual_network_rule" "r" {
  name      = "vnet"
  server_id = azurerm_mssql_server.s.id
  subnet_id = local.sn
}
resource "azurerm_postgresql_flexible_server" "p" {
  name                   = "pgsrv"
  location               = "westeurope"
  resource_group_name    = "rg"
  version                = "16"
  administrator_login    = "psql"
  administrator_password = "not-a-real-Passw0rd"
  sku_name               = "GP_Standard_D2s_v3"
  authentication {
    active_directory_auth_enabled = true
    tenant_id                     = local.g
  }
}
resource "azurerm_postgresql_flexible_server_firewall_rule" "r" {
  name             = "rule"
  server_id        = azurerm_postgresql_flexible_server.p.id
  start_ip_address = "192.0.2.1"
  end_ip_address   = "192.0.2.9"
}
resource "azurerm_postgresql_flexible_server_configuration" "c" {
  name      = "backslash_quote"
  server_id = azurerm_postgresql_flexible_server.p.id
  value     = "on"
}
resource "azurerm_postgresql_flexible_server_active_directory_administrator" "a" {
  server_name         = azurerm_postgresql_flexible_server.p.name
  resource_group_name = "rg"
  tenant_id           = local.g
  object_id           = "11111111-2222-3333-4444-666666666666"
  principal_name      = "aad"
  principal_type      = "ServicePrincipal"
}
resource "azurerm_cosmosdb_account" "c" {
  name                = "cosmosa"
  location            = "westeurope"
  resource_group_name = "rg"
  offer_type          = "Standard"
  consistency_policy { consistency_level = "Session" }
  geo_location {
    location          = "westeurope"
    failover_priority = 0
  }
}
resource "azurerm_cosmosdb_sql_database" "d" {
  name                = "db"
  account_name        = azurerm_cosmosdb_account.c.name
  resource_group_name = "rg"
  throughput          = 400
}
resource "azurerm_cosmosdb_sql_container" "c" {
  name                = "items"
  account_name        = azurerm_cosmosdb_account.c.name
  database_name       = azurerm_cosmosdb_sql_database.d.name
  resource_group_name = "rg"
  partition_key_paths = ["/id"]
}
resource "azurerm_managed_redis" "r" {
  name                = "mredis"
  location            = "westeurope"
  resource_group_name = "rg"
  sku_name            = "Balanced_B3"
  default_database {}
}
resource "azurerm_kusto_cluster" "k" {
  name                = "kustoc"
  location            = "westeurope"
  resource_group_name = "rg"
  sku {
    name     = "Standard_D13_v2"
    capacity = 2
  }
}
resource "azurerm_kusto_database" "d" {
  name                = "kdb"
  location            = "westeurope"
  resource_group_name = "rg"
  cluster_name        = azurerm_kusto_cluster.k.name
  hot_cache_period    = "P7D"
}
