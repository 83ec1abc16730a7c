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
