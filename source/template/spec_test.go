package template_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template"
)

// specOf is a template spec with a linked template, and deployments of it.
const specOf = `"parameters": {"none": {"type": "string"}},
  "variables": {"main": {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "parameters": {"name": {"type": "string"}},
    "resources": [
      {"type": "A.B/c", "apiVersion": "1", "name": "[[parameters('name')]"},
      {"type": "Microsoft.Resources/deployments", "name": "artifact", "apiVersion": "1",
       "properties": {"templateLink": {"relativePath": "artifacts/one.json"}}}],
    "outputs": {"made": {"type": "string", "value": "[[concat('made-', parameters('name'))]"}}}},
  "resources": [
    {"type": "Microsoft.Resources/templateSpecs", "apiVersion": "1", "name": "spec", "resources": [
      {"type": "versions", "apiVersion": "1", "name": "1.0", "properties": {"mainTemplate": "[variables('main')]", "linkedTemplates": [
        {"path": "artifacts/one.json", "template": {"resources": [
          {"type": "Microsoft.Resources/deployments", "name": "beside", "apiVersion": "1", "properties": {"templateLink": {"relativePath": "two.json"}}}]}},
        {"path": "artifacts\\two.json", "template": {"resources": [
          {"type": "A.B/two", "apiVersion": "1", "name": "two"}]}}]}}]},
    {"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1", "properties": {
      "templateLink": {"id": "ID"},
      "parameters": {"name": {"value": "n"}}}},
    {"type": "A.B/last", "apiVersion": "1", "name": "last", "properties": {"v": "[reference('d').outputs.made.value]"}}]`

func TestTemplateSpec(t *testing.T) {
	id := "[resourceId('Microsoft.Resources/templateSpecs/versions', 'spec', '1.0')]"
	e := read(t, strings.Replace(specOf, "ID", id, 1), here)
	for id, line := range map[string]int{"A.B/c/n": 6, "A.B/two/two": 16, "Microsoft.Resources/templateSpecs/spec/versions/1.0": 12} {
		doc, ok := e.Get(arm.ID(group + "/providers/" + id))
		if !ok || doc.Source.Line != line {
			t.Errorf("%s is at line %d of the template, and should be at %d:\n%s", id, doc.Source.Line, line, ids(e))
		}
	}
	last, _ := e.Get(group + "/providers/A.B/last/last")
	if got := last.Properties["v"]; got != "made-n" {
		t.Errorf("the output is %v", got)
	}
}

// A template spec whose template is not at hand, and what is said of it.
func TestTemplateSpecNotAtHand(t *testing.T) {
	for name, c := range map[string]struct{ template, warning string }{
		"another group's": {
			strings.Replace(specOf, "ID", "[resourceId('specs', 'Microsoft.Resources/templateSpecs/versions', 'spec', '1.0')]", 1),
			"/subscriptions/sub/resourceGroups/specs/providers/Microsoft.Resources/templateSpecs/spec/versions/1.0"},
		"another version": {
			strings.Replace(specOf, "ID", "[resourceId('Microsoft.Resources/templateSpecs/versions', 'spec', '2.0')]", 1), "spec/versions/2.0"},
		"made of what is not known": {
			strings.NewReplacer("ID", "[resourceId('Microsoft.Resources/templateSpecs/versions', 'spec', '1.0')]", `"name": "[[parameters('name')]"`, `"name": "[parameters('none')]"`).Replace(specOf),
			"depends on parameters('none')"},
	} {
		t.Run(name, func(t *testing.T) {
			e, diags := template.Read("main.json", []byte("{"+schema+c.template+"}"), here)
			if w := diags.Warnings(); diags.HasErrors() || len(w) != 1 || !strings.Contains(w[0].Detail, c.warning) {
				t.Fatalf("it says %v, and should warn of %s", diags.All(), c.warning)
			}
			if unread := e.Unread(); len(unread) != 1 || unread[0].Address != "Microsoft.Resources/deployments/d" {
				t.Errorf("not read is %v", unread)
			}
		})
	}
	without := strings.NewReplacer("ID", "[resourceId('Microsoft.Resources/templateSpecs/versions', 'spec', '1.0')]", "artifacts/one.json\"}", "none.json\"}").Replace(specOf)
	if _, diags := template.Read("main.json", []byte("{"+schema+without+"}"), here); !strings.Contains(diags.Error(), "has no template of that path") {
		t.Errorf("a path that the spec lacks says %v", diags.Error())
	}
}

func TestDeploymentStack(t *testing.T) {
	e := read(t, `"resources": [
	  {"type": "Microsoft.Resources/deploymentStacks", "apiVersion": "2024-03-01", "name": "stack", "properties": {
	    "actionOnUnmanage": {"resources": "delete"}, "denySettings": {"mode": "none"},
	    "parameters": {"name": {"value": "[concat('a', 'b')]"}},
	    "template": {"parameters": {"name": {"type": "string"}},
	      "resources": [
	        {"type": "A.B/c", "apiVersion": "1", "name": "[[parameters('name')]", "location": "[[resourceGroup().location]"}],
	      "outputs": {"made": {"type": "string", "value": "[[parameters('name')]"}}}}},
	  {"type": "Microsoft.Resources/deploymentStacks", "apiVersion": "2024-03-01", "name": "other", "properties": {
	    "deploymentScope": "/subscriptions/sub/resourceGroups/other", "template": {"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "there"}]}}},
	  {"type": "A.B/last", "apiVersion": "1", "name": "last", "properties": {"v": "[reference('stack').outputs.made.value]"}}]`, here)
	c, ok := e.Get(group + "/providers/A.B/c/ab")
	if !ok || c.Location != "westeurope" || c.Source.Line != 7 {
		t.Errorf("what the stack manages is %+v:\n%s", c, ids(e))
	}
	if _, ok := e.Get("/subscriptions/sub/resourceGroups/other/providers/A.B/c/there"); !ok {
		t.Errorf("a stack of another scope deploys there:\n%s", ids(e))
	}
	if _, ok := e.Get(group + "/providers/Microsoft.Resources/deploymentStacks/stack"); !ok {
		t.Errorf("the stack itself is a document:\n%s", ids(e))
	}
	if last, _ := e.Get(group + "/providers/A.B/last/last"); last.Properties["v"] != "ab" {
		t.Errorf("its output is %v", last.Properties["v"])
	}
}

// A script is a document; what it puts out is known when it has run.
func TestDeploymentScript(t *testing.T) {
	e := read(t, `"resources": [
	  {"type": "Microsoft.Resources/deploymentScripts", "apiVersion": "2023-08-01", "kind": "AzureCLI", "name": "script", "location": "westeurope",
	   "properties": {"azCliVersion": "2.60.0", "retentionInterval": "P1D", "scriptContent": "echo {} > $AZ_SCRIPTS_OUTPUT_PATH"}},
	  {"type": "A.B/c", "apiVersion": "1", "name": "c", "properties": {
	     "v": "[reference('script').outputs.address]"}}]`, here)
	script, ok := e.Get(group + "/providers/Microsoft.Resources/deploymentScripts/script")
	if !ok || arm.String(script.Properties, "azCliVersion") != "2.60.0" || script.Source.Line != 2 {
		t.Errorf("the script is %+v", script)
	}
	c, _ := e.Get(group + "/providers/A.B/c/c")
	if u, _ := arm.UnknownAt(c.Properties, "v"); u != (arm.Unknown{Expression: "reference('script').outputs", File: "main.json", Line: 5}) {
		t.Errorf("its output is %#v", c.Properties["v"])
	}
	if unread := e.Unread(); len(unread) != 1 || !strings.Contains(unread[0].Reason, "runs at deployment") {
		t.Errorf("not read is %v", unread)
	}
}
