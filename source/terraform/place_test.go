package terraform_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform"
)

// What a document is put together of has each its own place.
func TestPlacesOfParts(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "main.tf", placesOfParts)
	e := load(t, dir, terraform.Options{})
	network := arm.ResourceID("00000000-0000-0000-0000-000000000000", "g", "Microsoft.Network/virtualNetworks", "n")
	of := func(typ, name string) arm.ID {
		return arm.ResourceID("00000000-0000-0000-0000-000000000000", "g", typ, name)
	}
	for _, c := range []struct {
		what    string
		id      arm.ID
		path    string
		line    string // what the line holds
		address string
	}{
		{"a group", of("Microsoft.Network/networkSecurityGroups", "nsg"), "", `azurerm_network_security_group" "nsg`, "azurerm_network_security_group.nsg"},
		{"a group's name", of("Microsoft.Network/networkSecurityGroups", "nsg"), "name", `azurerm_network_security_group" "nsg`, "azurerm_network_security_group.nsg"},
		{"a rule within its group", of("Microsoft.Network/networkSecurityGroups", "nsg"), "properties.securityRules.0", `# inline`, "azurerm_network_security_group.nsg"},
		{"what a rule says", of("Microsoft.Network/networkSecurityGroups", "nsg"), "properties.securityRules.0.properties.priority", `# inline`, "azurerm_network_security_group.nsg"},
		{"a dynamic rule", of("Microsoft.Network/networkSecurityGroups", "nsg"), "properties.securityRules.1", `# dynamic`, "azurerm_network_security_group.nsg"},
		{"a rule on its own", of("Microsoft.Network/networkSecurityGroups", "nsg"), "properties.securityRules.2", `azurerm_network_security_rule" "own`, "azurerm_network_security_rule.own"},
		{"a rule in a list", of("Microsoft.Network/networkSecurityGroups", "listed"), "properties.securityRules.1", `# rule b`, "azurerm_network_security_group.listed"},
		{"a route", of("Microsoft.Network/routeTables", "rt"), "properties.routes.0", `azurerm_route" "r"`, "azurerm_route.r"},
		{"a subnet in its network", network.Child("subnets", "inline"), "", `# subnet`, "azurerm_virtual_network.n"},
		{"a group by association", network.Child("subnets", "inline"), "properties.networkSecurityGroup.id", `_association" "a"`, "azurerm_subnet_network_security_group_association.a"},
		{"a policy of a vault", of("Microsoft.KeyVault/vaults", "kv"), "properties.accessPolicies.0", `azurerm_key_vault_access_policy"`, "azurerm_key_vault_access_policy.p"},
		{"a vault's firewall", of("Microsoft.KeyVault/vaults", "kv"), "properties.networkAcls", `# vault`, "azurerm_key_vault.kv"},
		{"an account's firewall", of("Microsoft.Storage/storageAccounts", "st"), "properties.networkAcls.defaultAction", `azurerm_storage_account_network_rules`, "azurerm_storage_account_network_rules.st"},
	} {
		doc, ok := e.Get(c.id)
		if !ok {
			t.Fatalf("%s: no %s", c.what, c.id)
		}
		want := fmt.Sprintf("%s:%d", filepath.Join(dir, "main.tf"), 1+strings.Count(placesOfParts[:strings.Index(placesOfParts, c.line)], "\n"))
		if at := doc.Place(c.path); at.String() != want || at.Address != c.address {
			t.Errorf("%s is at %s (%s), want %s (%s)", c.what, at, at.Address, want, c.address)
		}
	}

	text := marshal(t, e)
	if bytes.Contains(text, []byte(`"\u0000"`)) {
		t.Error("the place of a block is left in a document")
	}
	again, err := arm.ReadEstate(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := marshal(t, again); !bytes.Equal(got, text) {
		t.Error("read again it differs:", firstDifference(got, text))
	}
}

const placesOfParts = `resource "azurerm_resource_group" "g" {
  name     = "g"
  location = "westeurope"
}
resource "azurerm_network_security_group" "nsg" {
  name                = "nsg"
  resource_group_name = azurerm_resource_group.g.name
  location            = "westeurope"
  security_rule { # inline
    name                       = "inline"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }
  dynamic "security_rule" {
    for_each = ["dynamic"]
    content { # dynamic
    name                       = "dynamic"
    priority                   = 101
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
resource "azurerm_network_security_rule" "own" {
  resource_group_name         = "g"
  network_security_group_name = azurerm_network_security_group.nsg.name
    name                       = "own"
    priority                   = 102
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
}
resource "azurerm_network_security_group" "listed" {
  name                = "listed"
  resource_group_name = "g"
  location            = "westeurope"
  security_rule = [
    { name = "a", priority = 100, direction = "Inbound", access = "Deny", protocol = "*", source_port_range = "*", destination_port_range = "*", source_address_prefix = "*", destination_address_prefix = "*", source_port_ranges = [], destination_port_ranges = [], source_address_prefixes = [], destination_address_prefixes = [], source_application_security_group_ids = [], destination_application_security_group_ids = [], description = "" }, # rule a
    { name = "b", priority = 101, direction = "Inbound", access = "Deny", protocol = "*", source_port_range = "*", destination_port_range = "*", source_address_prefix = "*", destination_address_prefix = "*", source_port_ranges = [], destination_port_ranges = [], source_address_prefixes = [], destination_address_prefixes = [], source_application_security_group_ids = [], destination_application_security_group_ids = [], description = "" }, # rule b
  ]
}
resource "azurerm_route_table" "rt" {
  name                = "rt"
  resource_group_name = "g"
  location            = "westeurope"
}
resource "azurerm_route" "r" {
  name                = "r"
  resource_group_name = "g"
  route_table_name    = azurerm_route_table.rt.name
  address_prefix      = "10.0.0.0/8"
  next_hop_type       = "None"
}
resource "azurerm_virtual_network" "n" {
  name                = "n"
  resource_group_name = "g"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
  subnet { # subnet
    name             = "inline"
    address_prefixes = ["10.0.0.0/24"]
  }
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = "${azurerm_virtual_network.n.id}/subnets/inline"
  network_security_group_id = azurerm_network_security_group.nsg.id
}
resource "azurerm_key_vault" "kv" {
  name                = "kv"
  resource_group_name = "g"
  location            = "westeurope"
  tenant_id           = "11111111-1111-1111-1111-111111111111"
  sku_name            = "standard"
  network_acls { # vault
    default_action = "Deny"
    bypass         = "None"
  }
}
resource "azurerm_key_vault_access_policy" "p" {
  key_vault_id       = azurerm_key_vault.kv.id
  tenant_id          = "11111111-1111-1111-1111-111111111111"
  object_id          = "11111111-1111-1111-1111-111111111112"
  secret_permissions = ["Get"]
}
resource "azurerm_storage_account" "st" {
  name                     = "st"
  resource_group_name      = "g"
  location                 = "westeurope"
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_storage_account_network_rules" "st" {
  storage_account_id = azurerm_storage_account.st.id
  default_action     = "Deny"
}
`
