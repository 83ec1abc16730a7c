package arm_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// A part is declared where the nearest thing is that has a place of its own.
func TestPlace(t *testing.T) {
	group := arm.Source{File: "nsg.tf", Line: 3, Address: "azurerm_network_security_group.a"}
	rule := arm.Source{File: "rules.tf", Line: 9, Address: "azurerm_network_security_rule.b"}
	doc := arm.Resource{
		ID: arm.ResourceID("s", "g", "Microsoft.Network/networkSecurityGroups", "a"), Name: "a", Type: "Microsoft.Network/networkSecurityGroups",
		Source: group, Parts: map[string]arm.Source{"properties.securityRules.1": rule},
	}
	for path, want := range map[string]arm.Source{
		"":                            group,
		"properties":                  group,
		"properties.securityRules":    group,
		"properties.securityRules.0":  group,
		"properties.securityRules.1":  rule,
		"properties.securityRules.10": group,
		"properties.securityRules.1.properties.sourcePortRanges.0": rule,
	} {
		if got := doc.Place(path); got != want {
			t.Errorf("%q is at %s, want %s", path, got, want)
		}
	}

	e, err := arm.NewEstate(doc)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := arm.ReadEstate(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	back, _ := again.Get(doc.ID)
	if back.Source != group || back.Place("properties.securityRules.1") != rule {
		t.Errorf("read again it is at %s, its rule at %s", back.Source, back.Place("properties.securityRules.1"))
	}
}
