package terraform_test

import (
	"testing"

	"github.com/cloister-ml/cloister/source/terraform"
)

// What a cloud has given is known wherever it is written, and unknown without it.
func TestAssigned(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "main.tf", `
resource "azurerm_resource_group" "rg" {
  name     = "rg"
  location = "westeurope"
}
resource "azurerm_public_ip" "front" {
  for_each            = toset(["a"])
  name                = "pip-${each.key}"
  resource_group_name = azurerm_resource_group.rg.name
  location            = azurerm_resource_group.rg.location
  allocation_method   = "Static"
}
resource "azurerm_private_dns_zone" "zone" {
  name                = "corp.example"
  resource_group_name = azurerm_resource_group.rg.name
  tags                = { front = "${azurerm_public_ip.front["a"].ip_address}/32" }
}`)
	const expression = `azurerm_public_ip.front["a"].ip_address`
	tag := func(opts terraform.Options) any {
		return load(t, dir, opts).OfType("Microsoft.Network/privateDnsZones")[0].Tags["front"]
	}
	if got := tag(terraform.Options{}); got == "203.0.113.7/32" {
		t.Errorf("without it the tag is %v", got)
	}
	if got := tag(terraform.Options{Assigned: map[string]string{expression: "203.0.113.7"}}); got != "203.0.113.7/32" {
		t.Errorf("the tag is %v", got)
	}
}
