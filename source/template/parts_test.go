package template_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// placesOf are the lines of a document and its parts.
func placesOf(doc arm.Resource) string {
	out := []string{fmt.Sprint(doc.Source.Line)}
	for _, path := range slices.Sorted(maps.Keys(doc.Parts)) {
		out = append(out, fmt.Sprintf("%s:%d", strings.TrimPrefix(path, "properties."), doc.Parts[path].Line))
	}
	return strings.Join(out, " ")
}

// Each way to write the list of a resource that begins at line 7, and where the
// document and its parts are.
func TestParts(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"inline":             {"[\n{\"n\": 1},\n{\"n\": 2, \"in\": {\"a\": [\n{\"x\": 1}]}}]", "7 list.0:9 list.1:10 list.1.in.a.0:11"},
		"on one line":        {`[{"n": 1}, {"n": 2}]`, "7 list.0:8 list.1:8"},
		"of plain values":    {"[\n1,\n2]", "7"},
		"a variable":         {`"[variables('one')]"`, "7 list.0:3"},
		"a member of one":    {`"[variables('of').list]"`, "7 list.0:4"},
		"an element":         {`["[variables('one')[0]]"]`, "7 list.0:3"},
		"a choice":           {`"[if(true(), variables('one'), variables('of').list)]"`, "7 list.0:3"},
		"joined":             {`"[concat(variables('of').list, variables('one'), createArray(createObject('n', 1)))]"`, "7 list:8 list.0:4 list.1:3"},
		"made of a function": {`"[createArray(createObject('n', 1))]"`, "7 list:8"},
		"a default":          {`"[parameters('p')]"`, "7 list.0:2"},
		"a loop of one":      {`"[variables('loop')]"`, "7 list.0:5 list.1:5"},
		"an element each":    {"\"[map(variables('one'), lambda('o', lambdaVariables('o')))]\"", "7 list:8"},
	} {
		t.Run(name, func(t *testing.T) {
			e := read(t, `
			"parameters": {"p": {"type": "array", "defaultValue": [{"n": 1}]}}, "variables": {
			"one": [{"n": 1}],
			"of": {"list": [{"n": 1}]},
			"copy": [{"name": "loop", "count": 2, "input": {"n": "[copyIndex('loop')]"}}]},
			"resources": [
			{"type": "A.B/c", "apiVersion": "1", "name": "c", "properties": {
			"list": `+c.list+`}}]`, here)
			doc, _ := e.Get(group + "/providers/A.B/c/c")
			if got := placesOf(doc); got != c.want {
				t.Errorf("the places are %s, and should be %s", got, c.want)
			}
		})
	}
}

// In a loop over a property, each element is where the loop leads to.
func TestPartsOfLoop(t *testing.T) {
	e := read(t, `"variables": {"all": [
	  {"n": 1},
	  {"n": 2}]}, "resources": [
	  {"type": "A.B/c", "apiVersion": "1", "name": "c", "properties": {"copy": [
	    {"name": "here", "count": 2, "input": {"n": "[copyIndex('here')]"}},
	    {"name": "there", "count": "[length(variables('all'))]", "input": "[variables('all')[copyIndex('there')]]"}]}}]`, here)
	doc, _ := e.Get(group + "/providers/A.B/c/c")
	if got, want := placesOf(doc), "4 here.0:5 here.1:5 there.0:2 there.1:3"; got != want {
		t.Errorf("the places are %s, and should be %s", got, want)
	}
}

// Children that an estate has apart, and those that it has within their parent.
func TestPartsOfChildren(t *testing.T) {
	e := read(t, `"resources": [
	  {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "1", "name": "v", "properties": {"subnets": [
	    {"name": "a", "properties": {
	      "delegations": [
	        {"name": "d"}]}}]}},
	  {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "1", "name": "g", "properties": {"securityRules": [
	    {"name": "one", "properties": {"priority": 100}},
	    {"name": "two", "properties": {"priority": 200}}]}},
	  {"type": "Microsoft.Network/networkSecurityGroups/securityRules", "apiVersion": "1", "name": "g/one", "dependsOn": ["g"], "properties": {"priority": 101}},
	  {"type": "Microsoft.Network/networkSecurityGroups/securityRules", "apiVersion": "1", "name": "g/three", "dependsOn": ["g"], "properties": {"priority": 300}},
	  {"type": "Microsoft.KeyVault/vaults", "apiVersion": "1", "name": "kv", "properties": {"accessPolicies": [
	    {"objectId": "1"}]}},
	  {"type": "Microsoft.KeyVault/vaults/accessPolicies", "apiVersion": "1", "name": "kv/add", "dependsOn": ["kv"], "properties": {"accessPolicies": [
	    {"objectId": "2"}]}}]`, here)
	for id, want := range map[string]string{
		"virtualNetworks/v":           "2",
		"virtualNetworks/v/subnets/a": "3 delegations.0:5",
		"networkSecurityGroups/g":     "6 securityRules.0:9 securityRules.1:8 securityRules.2:10",
	} {
		doc, _ := e.Get(group + "/providers/Microsoft.Network/" + arm.ID(id))
		if got := placesOf(doc); got != want {
			t.Errorf("the places of %s are %s, and should be %s", id, got, want)
		}
	}
	vault, _ := e.Get(group + "/providers/Microsoft.KeyVault/vaults/kv")
	if got, want := placesOf(vault), "11 accessPolicies.0:12 accessPolicies.1:14"; got != want {
		t.Errorf("the places of the vault are %s, and should be %s", got, want)
	}
}
