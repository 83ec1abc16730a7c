package arm_test

import (
	"reflect"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

func TestApart(t *testing.T) {
	const net = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v")
	where := arm.Source{File: "main.json", Line: 3}
	unknown := arm.Unknown{Expression: "parameters('subnet')"}
	doc := arm.Resource{ID: net, Name: "v", Type: "Microsoft.Network/virtualNetworks", Source: where, Properties: arm.Object{
		"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}},
		"Subnets": []any{
			arm.Object{"name": "a", "properties": arm.Object{"addressPrefix": "10.0.0.0/24"}},
			arm.Object{"name": unknown},
		},
		"virtualNetworkPeerings": unknown,
	}}
	got, children := arm.Apart(doc)
	want := arm.Object{
		"addressSpace":           arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}},
		"Subnets":                []any{arm.Object{"name": unknown}},
		"virtualNetworkPeerings": unknown,
	}
	if !reflect.DeepEqual(got.Properties, want) {
		t.Errorf("the document that remains is %v", got.Properties)
	}
	child := arm.Resource{
		ID: net + "/subnets/a", Name: "a", Type: "Microsoft.Network/virtualNetworks/subnets", Source: where,
		Properties: arm.Object{"addressPrefix": "10.0.0.0/24"},
	}
	if !reflect.DeepEqual(children, []arm.Resource{child}) {
		t.Errorf("the children are %v", children)
	}
	if len(arm.List(doc.Properties, "subnets")) != 2 {
		t.Error("Apart changed the document that it was given")
	}
	group := arm.Resource{ID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n", Type: "Microsoft.Network/networkSecurityGroups",
		Properties: arm.Object{"securityRules": []any{arm.Object{"name": "r"}}}}
	if same, none := arm.Apart(group); none != nil || len(arm.List(same.Properties, "securityRules")) != 1 {
		t.Error("security rules stay in their group")
	}
}

// Each child has the place where it is written, and the places of its parts.
func TestApartKeepsPlaces(t *testing.T) {
	at := func(line int) arm.Source { return arm.Source{File: "main.json", Line: line} }
	doc := arm.Resource{
		ID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", Name: "v", Type: "Microsoft.Network/virtualNetworks", Source: at(1),
		Properties: arm.Object{"subnets": []any{arm.Object{"name": "a"}, arm.Object{"name": arm.Unknown{}}, arm.Object{"name": "c"}}},
		Parts: map[string]arm.Source{
			"properties.subnets.0": at(2), "properties.subnets.0.properties.delegations.0": at(3),
			"properties.subnets.1": at(4), "properties.subnets.1.properties.delegations.0": at(5),
			"properties.other.0": at(6),
		},
	}
	rest, children := arm.Apart(doc)
	want := map[string]arm.Source{"properties.subnets.0": at(4), "properties.subnets.0.properties.delegations.0": at(5), "properties.other.0": at(6)}
	if !reflect.DeepEqual(rest.Parts, want) {
		t.Errorf("the parts that remain are %v", rest.Parts)
	}
	if len(children) != 2 || children[0].Source != at(2) || children[1].Source != at(1) {
		t.Fatalf("the children are %+v", children)
	}
	if want := map[string]arm.Source{"properties.delegations.0": at(3)}; !reflect.DeepEqual(children[0].Parts, want) {
		t.Errorf("the parts of a child are %v", children[0].Parts)
	}
	if len(doc.Parts) != 5 {
		t.Error("Apart changed the document that it was given")
	}
}
