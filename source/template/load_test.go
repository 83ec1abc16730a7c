package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template"
)

const (
	group  = "/subscriptions/sub/resourceGroups/rg"
	schema = `"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", `
)

var here = template.Options{SubscriptionID: "sub", ResourceGroup: "rg", Location: "West Europe"}

// read reads what follows the schema of a template.
func read(t *testing.T, rest string, opts template.Options) *arm.Estate {
	t.Helper()
	e, diags := template.Read("main.json", []byte("{"+schema+rest+"}"), opts)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return e
}

func ids(e *arm.Estate) string {
	var out []string
	for _, r := range e.All() {
		out = append(out, strings.TrimPrefix(string(r.ID), group+"/providers/"))
	}
	return strings.Join(out, "\n")
}

// Each template, and the ids of the documents that it makes.
func TestResources(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"a name of its place": {
			`"resources": [{"type": "A.B/c", "name": "[concat('n', resourceGroup().location)]", "apiVersion": "1"}]`,
			"A.B/c/nWest Europe"},
		"a condition": {
			`"parameters": {"on": {"type": "bool", "defaultValue": false}}, "resources": [
			  {"condition": "[parameters('on')]", "type": "A.B/c", "name": "[json('{}').x]", "apiVersion": "1"},
			  {"condition": "[not(parameters('on'))]", "type": "A.B/c", "name": "y", "apiVersion": "1"}]`,
			"A.B/c/y"},
		"copies": {
			`"resources": [{"copy": {"name": "l", "count": 3, "mode": "serial", "batchSize": 2}, "type": "A.B/c", "name": "[format('n{0}', copyIndex(1))]", "apiVersion": "1"}]`,
			"A.B/c/n1\nA.B/c/n2\nA.B/c/n3"},
		"no copy": {
			`"resources": [{"copy": {"name": "l", "count": 0}, "type": "A.B/c", "name": "n", "apiVersion": "1"},
			  {"type": "A.B/d", "name": "d", "apiVersion": "1", "dependsOn": ["l"]}]`,
			"A.B/d/d"},
		"children within": {
			`"resources": [{"copy": {"name": "l", "count": 2}, "type": "A.B/c", "name": "[format('n{0}', copyIndex())]", "apiVersion": "1", "resources": [
			  {"type": "d", "name": "[format('x{0}', copyIndex())]", "apiVersion": "1"}]}]`,
			"A.B/c/n0\nA.B/c/n0/d/x0\nA.B/c/n1\nA.B/c/n1/d/x1"},
		"a child by its name": {
			`"resources": [{"type": "A.B/c/d", "name": "x/y", "apiVersion": "1"}]`,
			"A.B/c/x/d/y"},
		"an extension by scope": {
			`"resources": [{"type": "E.F/g", "name": "n", "apiVersion": "1", "scope": "A.B/c/x/d/y"}]`,
			"A.B/c/x/d/y/providers/E.F/g/n"},
		"an extension by scope that is an id": {
			`"resources": [{"type": "E.F/g", "name": "n", "apiVersion": "1", "scope": "[resourceId('A.B/c', 'x')]"}]`,
			"A.B/c/x/providers/E.F/g/n"},
		"an extension by type": {
			`"resources": [{"type": "A.B/c/providers/locks", "name": "x/Microsoft.Authorization/l", "apiVersion": "1"}]`,
			"A.B/c/x/providers/Microsoft.Authorization/locks/l"},
		"an existing one": {
			`"languageVersion": "2.0", "resources": {
			  "old": {"existing": true, "type": "A.B/c", "name": "old", "apiVersion": "1"},
			  "new": {"type": "A.B/c/d", "name": "old/n", "apiVersion": "1", "dependsOn": ["old"]}}`,
			"A.B/c/old/d/n"},
		"subnets within and apart": {
			`"resources": [
			  {"type": "Microsoft.Network/virtualNetworks", "name": "v", "apiVersion": "1", "properties": {"subnets": [{"name": "a", "properties": {}}]}},
			  {"type": "Microsoft.Network/virtualNetworks/subnets", "name": "v/b", "apiVersion": "1", "dependsOn": ["v"], "properties": {}}]`,
			"Microsoft.Network/virtualNetworks/v\nMicrosoft.Network/virtualNetworks/v/subnets/a\nMicrosoft.Network/virtualNetworks/v/subnets/b"},
		"deployments to other groups": {
			`"resources": [
			  {"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1", "resourceGroup": "other", "subscriptionId": "s2",
			   "properties": {"template": {"resources": [{"type": "A.B/c", "name": "[resourceGroup().name]", "apiVersion": "1"}]}}},
			  {"type": "Microsoft.Resources/deployments", "name": "e", "apiVersion": "1", "resourceGroup": "other",
			   "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [{"type": "A.B/c", "name": "[resourceGroup().name]", "apiVersion": "1"}]}}}]`,
			"/subscriptions/s2/resourceGroups/other/providers/A.B/c/rg\n/subscriptions/sub/resourceGroups/other/providers/A.B/c/other"},
		"scopes of expressions": {
			`"variables": {"v": "outer"}, "resources": [
			  {"type": "Microsoft.Resources/deployments", "name": "o", "apiVersion": "1", "properties": {"template": {
			     "variables": {"v": "inner"}, "resources": [{"type": "A.B/o", "name": "[variables('v')]", "apiVersion": "1"}]}}},
			  {"type": "Microsoft.Resources/deployments", "name": "i", "apiVersion": "1", "properties": {"expressionEvaluationOptions": {"scope": "Inner"}, "template": {
			     "variables": {"v": "inner"}, "resources": [{"type": "A.B/i", "name": "[variables('v')]", "apiVersion": "1"}]}}}]`,
			"A.B/i/inner\nA.B/o/outer"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(read(t, c.template, here)); got != c.want {
				t.Errorf("the estate has\n%s\nand should have\n%s", got, c.want)
			}
		})
	}
}

// Each expression, and what it is in a resource's properties.
func TestProperties(t *testing.T) {
	const around = `"parameters": {"secret": {"type": "securestring", "defaultValue": "s3cret"}, "none": {"type": "string"}, "maybe": {"type": "string", "nullable": true}},
	  "resources": [
	    {"type": "Microsoft.Storage/storageAccounts", "name": "Store", "apiVersion": "2023-01-01", "location": "West Europe", "identity": {"type": "SystemAssigned"},
	     "sku": {"name": "Standard_LRS"}, "properties": {"allowBlobPublicAccess": false}},
	    {"type": "Microsoft.Resources/deployments", "name": "module", "apiVersion": "1", "properties": {"expressionEvaluationOptions": {"scope": "inner"},
	     "template": {"resources": [], "outputs": {"made": {"type": "object", "value": {"n": "[add(1, 1)]"}}, "hidden": {"type": "securestring", "value": "x"}}}}},
	    {"type": "A.B/c", "name": "c", "apiVersion": "1", "properties": {"v": EXPR}}]`
	for expression, want := range map[string]any{
		`resourceId('A.B/c/d', 'x', 'y')`:                                                           group + "/providers/A.B/c/x/d/y",
		`resourceId('g2', 'A.B/c', 'x')`:                                                            "/subscriptions/sub/resourceGroups/g2/providers/A.B/c/x",
		`resourceId('s2', 'g2', 'A.B/c', 'x')`:                                                      "/subscriptions/s2/resourceGroups/g2/providers/A.B/c/x",
		`subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')`:                    "/subscriptions/sub/providers/Microsoft.Authorization/roleDefinitions/r",
		`subscriptionResourceId('Microsoft.Resources/resourceGroups', 'g')`:                         "/subscriptions/sub/resourceGroups/g",
		`tenantResourceId('A.B/c', 'x')`:                                                            "/providers/A.B/c/x",
		`managementGroupResourceId('mg', 'A.B/c', 'x')`:                                             "/providers/Microsoft.Management/managementGroups/mg/providers/A.B/c/x",
		`extensionResourceId(resourceId('A.B/c', 'x'), 'E.F/g', 'n')`:                               group + "/providers/A.B/c/x/providers/E.F/g/n",
		`reference('Store').primaryEndpoints.blob`:                                                  "https://store.blob.core.windows.net/",
		`reference('Store', '2023-01-01', 'Full').identity.principalId`:                             arm.PrincipalID(group + "/providers/Microsoft.Storage/storageAccounts/Store"),
		`reference(resourceId('Microsoft.Storage/storageAccounts', 'store')).allowBlobPublicAccess`: false,
		`reference('Store', '2023-01-01', 'Full').sku.name`:                                         "Standard_LRS",
		`reference('module').outputs.made.value`:                                                    arm.Object{"n": 2.0},
		`environment().suffixes.storage`:                                                            "core.windows.net",
		`subscription().subscriptionId`:                                                             "sub",
		`resourceGroup().id`:                                                                        group,
		`deployment().name`:                                                                         "main",
		`coalesce(parameters('maybe'), 'default')`:                                                  "default",
		`resourceId('A.B/c', parameters('none'))`:                                                   group + "/providers/A.B/c/{parameters('none')}",
		`parameters('secret')`:                                                                      "?parameters('secret')",
		`concat('a', parameters('secret'))`:                                                         "?parameters('secret')",
		`parameters('none')`:                                                                        "?parameters('none')",
		`reference('Store').primaryEndpoints.web`:                                                   "?reference('Store')",
		`reference('module').outputs.hidden.value`:                                                  "?module.outputs.hidden",
		`listKeys('Store', '2023-01-01').keys[0].value`:                                             "?listKeys('Store', '2023-01-01')",
		`utcNow()`:                    "?utcNow()",
		`subscription().tenantId`:     "?subscription()",
		`empty(parameters('secret'))`: "?parameters('secret')",
	} {
		t.Run(expression, func(t *testing.T) {
			e := read(t, strings.Replace(around, "EXPR", `"[`+expression+`]"`, 1), here)
			doc, _ := e.Get(group + "/providers/A.B/c/c")
			got := doc.Properties["v"]
			if text, ok := want.(string); ok && strings.HasPrefix(text, "?") {
				u, unknown := got.(arm.Unknown)
				if !unknown || !strings.HasPrefix(u.Expression, text[1:]) || u.File != "main.json" || u.Line == 0 {
					t.Errorf("it is %#v, and should be unknown because of %s", got, text[1:])
				}
				return
			}
			if !equal(got, want) {
				t.Errorf("it is %#v, and should be %#v", got, want)
			}
		})
	}
}

func equal(a, b any) bool {
	x, ok := a.(arm.Object)
	y, both := b.(arm.Object)
	if !ok || !both {
		return a == b
	}
	for k := range x {
		if !equal(x[k], y[k]) {
			return false
		}
	}
	return len(x) == len(y)
}

func TestShape(t *testing.T) {
	e := read(t, `"resources": [
	  {"type": "Microsoft.Network/networkSecurityGroups", "name": "n", "apiVersion": "1", "properties": {"securityRules": [{"name": "a", "properties": {"priority": 100}}]}},
	  {"type": "Microsoft.Network/networkSecurityGroups/securityRules", "name": "n/b", "apiVersion": "1", "dependsOn": ["n"], "properties": {"priority": 200}},
	  {"type": "Microsoft.Network/networkSecurityGroups/securityRules", "name": "elsewhere/b", "apiVersion": "1", "properties": {}},
	  {"type": "Microsoft.KeyVault/vaults", "name": "Kv", "apiVersion": "1", "properties": {"accessPolicies": [{"objectId": "1"}], "x": null}},
	  {"type": "Microsoft.KeyVault/vaults/accessPolicies", "name": "Kv/add", "apiVersion": "1", "dependsOn": ["Kv"], "properties": {"accessPolicies": [{"objectId": "2"}]}},
	  {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "id", "apiVersion": "1"},
	  {"type": "A.B/c", "name": "c", "apiVersion": "1", "location": "North Europe", "tags": {"a": "b"},
	   "identity": {"type": "UserAssigned", "userAssignedIdentities": {"[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id')]": {}}}}]`, here)
	nsg, _ := e.Get(group + "/providers/Microsoft.Network/networkSecurityGroups/n")
	if rules := arm.Objects(nsg.Properties, "securityRules"); len(rules) != 2 || arm.Int(rules[1], "properties.priority", 0) != 200 {
		t.Errorf("the group's rules are %v", rules)
	}
	vault, _ := e.Get(group + "/providers/Microsoft.KeyVault/vaults/Kv")
	if n := len(arm.List(vault.Properties, "accessPolicies")); n != 2 || arm.String(vault.Properties, "vaultUri") != "https://kv.vault.azure.net/" {
		t.Errorf("the vault is %v", vault.Properties)
	}
	if _, there := vault.Properties["x"]; there {
		t.Error("what is null is not there")
	}
	identity := arm.ID(group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id")
	doc, _ := e.Get(identity)
	if arm.String(doc.Properties, "principalId") != arm.PrincipalID(identity) {
		t.Errorf("the identity is %v", doc.Properties)
	}
	c, _ := e.Get(group + "/providers/A.B/c/c")
	if c.Location != "northeurope" || c.Tags["a"] != "b" || c.Identity.User[string(identity)] == nil {
		t.Errorf("the resource is %+v", c)
	}
	if c.Source != (arm.Source{File: "main.json", Line: 8, Address: "A.B/c/c"}) {
		t.Errorf("its source is %+v", c.Source)
	}
	if unread := e.Unread(); len(unread) != 1 || !strings.Contains(unread[0].Reason, "elsewhere") {
		t.Errorf("not read is %v", unread)
	}
}

func TestScopesAboveGroups(t *testing.T) {
	text := `{"$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "resources": [
	  {"type": "Microsoft.Resources/resourceGroups", "name": "rg", "apiVersion": "1", "location": "westeurope"},
	  {"type": "Microsoft.Authorization/policyAssignments", "name": "p", "apiVersion": "1"},
	  {"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1", "resourceGroup": "rg", "dependsOn": ["rg"],
	   "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [
	     {"type": "A.B/c", "name": "c", "apiVersion": "1", "location": "[resourceGroup().location]"}]}}},
	  {"type": "Microsoft.Resources/deployments", "name": "m", "apiVersion": "1", "scope": "Microsoft.Management/managementGroups/mg",
	   "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [
	     {"type": "Microsoft.Authorization/policyAssignments", "name": "p", "apiVersion": "1", "properties": {"g": "[managementGroup().name]"}}]}}}]}`
	e, diags := template.Read("main.json", []byte(text), template.Options{SubscriptionID: "sub"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, id := range []arm.ID{group, "/subscriptions/sub/providers/Microsoft.Authorization/policyAssignments/p",
		"/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/policyAssignments/p"} {
		if _, ok := e.Get(id); !ok {
			t.Errorf("%s is not in the estate:\n%s", id, ids(e))
		}
	}
	if c, _ := e.Get(group + "/providers/A.B/c/c"); c.Location != "westeurope" {
		t.Errorf("a resource in a group that the template makes is at %q", c.Location)
	}
}

func TestLinkedTemplates(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(path string) string {
		return `{` + schema + `"resources": [{"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1", "properties": {"templateLink": {"relativePath": "` + path + `"}}}]}`
	}
	write("main/azuredeploy.json", link("nested/one.json"))
	write("main/nested/one.json", link("two.json"))
	write("main/nested/two.json", `{`+schema+`"resources": [{"type": "A.B/c", "name": "two", "apiVersion": "1"}]}`)
	e, diags := template.Load(filepath.Join(dir, "main/azuredeploy.json"), here)
	if diags.HasErrors() || ids(e) != "A.B/c/two" {
		t.Fatalf("linked templates give %v, %v", e, diags)
	}
	write("outside.json", `{`+schema+`"resources": []}`)
	if err := os.Symlink(filepath.Join(dir, "outside.json"), filepath.Join(dir, "main/leak.json")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"../outside.json": "Template outside of the folder", "leak.json": "Template not found", "none.json": "Template not found", "azuredeploy.json": "Too deep",
	} {
		write("main/azuredeploy.json", link(path))
		if _, diags := template.Load(filepath.Join(dir, "main/azuredeploy.json"), here); !strings.Contains(diags.Error(), want) {
			t.Errorf("a link to %s says %q, and should say %q", path, diags.Error(), want)
		}
	}
	e, diags = template.Read("main.json", []byte(`{`+schema+`"resources": [{"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1",
	  "properties": {"templateLink": {"uri": "https://example.com/t.json"}}}]}`), here)
	if w := diags.Warnings(); diags.HasErrors() || len(w) != 1 || !strings.Contains(w[0].Detail, "https://example.com/t.json") || len(e.Unread()) != 1 {
		t.Errorf("a template elsewhere gives %v", diags.All())
	}
}
