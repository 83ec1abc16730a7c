package oracle

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

const group = "/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/rg"

func object1(v any) arm.Object { return arm.Object{"properties": arm.Object{"a": v}} }

// Each kind of difference is one, and what counts as the same is none.
func TestCompare(t *testing.T) {
	id := arm.ID(group + "/providers/Microsoft.Network/natGateways/ng")
	for name, c := range map[string]struct {
		sent, have any
		differ     bool
	}{
		"the same":                {"x", "x", false},
		"another value":           {"x", "y", true},
		"false and nothing":       {false, nil, true},
		"nothing and a value":     {nil, "x", true},
		"null and empty":          {nil, []any{}, false},
		"an id in another case":   {group, arm.ID(group).Key(), false},
		"a word in another case":  {"Allow", "allow", true},
		"a list in another order": {[]any{"x", "y"}, []any{"y", "x"}, false},
		"a longer list":           {[]any{"x", "y"}, []any{"x"}, true},
		"parts by name":           {[]any{arm.Object{"name": "p", "v": 1.0}}, []any{arm.Object{"name": "p", "v": 2.0}}, true},
		"unknown":                 {"x", arm.Unknown{Expression: "var.x"}, false},
	} {
		e, err := arm.NewEstate(arm.Resource{ID: id, Name: "ng", Type: id.Type(), Properties: arm.Object{"a": c.have}})
		if err != nil {
			t.Fatal(err)
		}
		if got := Compare([]Body{{ID: id, Body: object1(c.sent)}}, e); len(got.Differences) > 0 != c.differ {
			t.Errorf("%s: %v", name, got.Differences)
		}
	}
	empty, _ := arm.NewEstate()
	if c := Compare([]Body{{ID: id, Body: object1("x")}}, empty); len(c.Differences) != 1 || !c.Differences[0].Lacking() {
		t.Errorf("a document that is not there: %v", c.Differences)
	}
}

// A body that carries back what the endpoint has added is recorded without that,
// and children are put where an estate has them.
func TestRecording(t *testing.T) {
	e := &Endpoint{Tenant: "t"}
	nsg, vnet := group+"/providers/Microsoft.Network/networkSecurityGroups/nsg", group+"/providers/Microsoft.Network/virtualNetworks/v"
	subnet := vnet + "/subnets/s"
	e.put(nsg, "v1", arm.Object{"location": "westeurope", "properties": arm.Object{}})
	e.put(nsg+"/securityRules/r", "v1", arm.Object{"properties": arm.Object{"priority": 100.0}})
	again := arm.Clone(e.put(subnet, "v1", arm.Object{"properties": arm.Object{"addressPrefix": "10.0.0.0/24"}}))
	again["properties"].(map[string]any)["networkSecurityGroup"] = arm.Object{"id": nsg}
	e.put(subnet, "v2", again)

	bodies := Gather(e.Writes())
	if len(bodies) != 2 {
		t.Fatalf("%d bodies: %+v", len(bodies), bodies)
	}
	if got := arm.Int(bodies[0].Body, "properties.securityRules.0.properties.priority", 0); got != 100 {
		t.Errorf("the rule is not in its group: %v", bodies[0].Body)
	}
	props, _ := bodies[1].Body["properties"].(map[string]any)
	if len(props) != 2 || bodies[1].Body["id"] != nil || bodies[1].APIVersion != "v2" {
		t.Errorf("the subnet has what was only sent back: %v", bodies[1].Body)
	}
}
