variable "group" { type = string }
variable "location" { type = string }
variable "subnet_id" { type = string }
variable "target_id" { type = string }

resource "azurerm_private_dns_zone" "this" {
  name                = "privatelink.blob.core.windows.net"
  resource_group_name = var.group
}

resource "azurerm_private_endpoint" "this" {
  name                = "pe"
  resource_group_name = var.group
  location            = var.location
  subnet_id           = var.subnet_id

  private_service_connection {
    name                           = "psc"
    private_connection_resource_id = var.target_id
    subresource_names              = ["blob"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.this.id]
  }
}

output "zone_id" {
  value = azurerm_private_dns_zone.this.id
}
