package template_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template"
)

// running is a cloud in which some resources are.
type running map[string]arm.Object

func (r running) Reference(id arm.ID, _ string) (arm.Object, bool, error) {
	doc, ok := r[id.Name()]
	return doc, ok, nil
}

func (r running) List(id arm.ID, action, apiVersion string, _ any) (any, bool, error) {
	return arm.Object{"keys": []any{arm.Object{"value": id.Name() + "/" + action + "/" + apiVersion}}}, true, nil
}

const inOrder = `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"key": {"type": "securestring"}},
  "resources": [
    {"type": "A.B/reader", "apiVersion": "2024-01-01", "name": "reader",
     "properties": {
       "where": "[reference(resourceId('A.B/things', 'thing0')).endpoint]",
       "key": "[listKeys('thing0', '2023-01-01').keys[0].value]",
       "given": "[parameters('key')]"}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside", "dependsOn": ["reader"],
     "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
       "parameters": {"n": {"value": "[reference('thing0').count]"}},
       "template": {
         "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
         "contentVersion": "1.0.0.0",
         "parameters": {"n": {"type": "int"}},
         "resources": [{"copy": {"name": "all", "count": "[parameters('n')]"}, "type": "A.B/inner", "apiVersion": "1", "name": "[format('inner{0}', copyIndex())]"}],
         "outputs": {"n": {"type": "int", "value": "[mul(parameters('n'), 2)]"}}}}},
    {"copy": {"name": "things", "count": 2}, "type": "A.B/things", "apiVersion": "2024-01-01", "name": "[concat('thing', copyIndex())]", "location": "westeurope"}
  ],
  "outputs": {"double": {"type": "int", "value": "[reference('inside').outputs.n.value]"}}
}`

func TestExpand(t *testing.T) {
	d, diags := template.Expand("main.json", []byte(inOrder), template.Options{
		Scope: "/subscriptions/s/resourceGroups/g", Secrets: true, Parameters: map[string]any{"key": "k3y"},
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, s := range d.Steps() {
		names = append(names, s.ID.Name())
	}
	if got := strings.Join(names, " "); got != "thing0 reader inside thing1" {
		t.Errorf("the order is %s: what reference() and listKeys() ask about comes first", got)
	}
	cloud := running{"thing0": {"properties": arm.Object{"endpoint": "https://thing", "count": 3.0}}}
	body, err := d.Steps()[1].Body(cloud)
	want := arm.Object{"properties": arm.Object{"where": "https://thing", "key": "thing0/listKeys/2023-01-01", "given": "k3y"}}
	if err != nil || !reflect.DeepEqual(body, want) {
		t.Errorf("the body is %v, %v", body, err)
	}

	inside, diags := d.Steps()[2].Deployment(cloud)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if n := len(inside.Steps()); n != 3 {
		t.Errorf("the template inside has %d steps, and should have as many as reference() says: 3", n)
	}
	if id := inside.Steps()[0].ID; id != "/subscriptions/s/resourceGroups/g/providers/A.B/inner/inner0" {
		t.Errorf("its first is %s", id)
	}
	out, err := inside.Outputs(cloud)
	if err != nil || out["n"] != (template.Output{Type: "int", Value: 6.0}) {
		t.Errorf("it puts out %v, %v", out, err)
	}
	cloud["inside"] = arm.Object{"properties": arm.Object{"outputs": arm.Object{"n": arm.Object{"value": 6.0}}}}
	if out, err = d.Outputs(cloud); err != nil || out["double"].Value != 6.0 {
		t.Errorf("the whole puts out %v, %v", out, err)
	}
}

func TestExpandWithoutAnswer(t *testing.T) {
	d, diags := template.Expand("main.json", []byte(inOrder), template.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, err := d.Steps()[1].Body(running{})
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := arm.UnknownAt(body, "properties.where"); !ok || u.Line != 8 || !strings.HasPrefix(u.Expression, "reference(") {
		t.Errorf("what the cloud does not know is %v", body)
	}
	missing := running{"thing0": {"properties": arm.Object{"count": 1.0}}}
	if _, err := d.Steps()[1].Body(missing); err == nil || !strings.Contains(err.Error(), "main.json:8:") {
		t.Errorf("a member that the cloud's answer lacks gives the error %v", err)
	}
}
