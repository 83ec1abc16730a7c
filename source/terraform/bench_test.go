package terraform_test

import (
	"testing"

	"github.com/cloister-ml/cloister/source/terraform"
)

func BenchmarkExample(b *testing.B) {
	for b.Loop() {
		load(b, example, terraform.Options{})
	}
}

// Five hundred instances of a module with twenty resources each.
func BenchmarkTenThousandResources(b *testing.B) {
	dir := b.TempDir()
	write(b, dir, "main.tf", `
module "spoke" {
  source   = "./spoke"
  for_each = { for i in range(500) : format("s%03d", i) => i }
  name     = each.key
  number   = each.value
}
output "subnets" { value = { for k, m in module.spoke : k => m.subnets } }
`)
	write(b, dir, "spoke/main.tf", `
variable "name" {}
variable "number" { type = number }
resource "azurerm_resource_group" "this" {
  name     = "rg-${var.name}"
  location = "westeurope"
}
resource "azurerm_virtual_network" "this" {
  name                = "vnet-${var.name}"
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  address_space       = [cidrsubnet("10.0.0.0/8", 12, var.number)]
}
resource "azurerm_network_security_group" "this" {
  name                = "nsg-${var.name}"
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  dynamic "security_rule" {
    for_each = range(5)
    content {
      name                       = "rule-${security_rule.value}"
      priority                   = 100 + security_rule.value
      direction                  = "Inbound"
      access                     = "Deny"
      protocol                   = "*"
      source_port_range          = "*"
      destination_port_range     = "*"
      source_address_prefix      = "*"
      destination_address_prefix = "*"
    }
  }
}
resource "azurerm_subnet" "this" {
  count                = 8
  name                 = "snet-${count.index}"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [cidrsubnet(one(azurerm_virtual_network.this.address_space), 4, count.index)]
}
resource "azurerm_subnet_network_security_group_association" "this" {
  count                     = 8
  subnet_id                 = azurerm_subnet.this[count.index].id
  network_security_group_id = azurerm_network_security_group.this.id
}
resource "azurerm_storage_account" "this" {
  name                     = "st${var.name}"
  location                 = azurerm_resource_group.this.location
  resource_group_name      = azurerm_resource_group.this.name
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
output "subnets" { value = azurerm_subnet.this[*].id }
`)
	b.ResetTimer()
	for b.Loop() {
		e := load(b, dir, terraform.Options{})
		b.ReportMetric(float64(e.Len()), "documents")
	}
}
