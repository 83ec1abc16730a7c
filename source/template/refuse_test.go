package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source/template"
)

const one = `"resources": [{"type": "A.B/c", "name": "n", "apiVersion": "1"`

// Each template, and the error that it is refused with, place included.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {``, "main.json:1:1: Not JSON"},
		"a list":            {`[]`, "Not a template: The file holds an array"},
		"broken":            {"{\n  \"a\": [1,\n  \"b\" }", "main.json:3:7: Not JSON: Here there should be a ',' or a ']' here"},
		"not UTF-8":         {"{\"a\": \"\xff\"}", "is not UTF-8"},
		"deep":              {strings.Repeat(`{"a":`, 400), "nested more than 200 deep"},
		"large":             {strings.Repeat(" ", 17<<20), "Azure takes templates of up to 4 MB"},
		"no schema":         {`{"resources": []}`, "no schema of deployment templates"},
		"no resources":      {`{` + schema + `"outputs": {}}`, "the file has no resources"},
		"resources a text":  {`{` + schema + `"resources": "x"}`, "resources should be an array or an object"},
		"no type":           {`{` + schema + `"resources": [{"name": "n"}]}`, "Resource without type"},
		"no name":           {`{` + schema + `"resources": [{"type": "A.B/c"}]}`, "Resource without name"},
		"names too few":     {`{` + schema + `"resources": [{"type": "A.B/c/d", "name": "n"}]}`, "has 2 names"},
		"a name with a dot": {`{` + schema + `"resources": [{"type": "A.B/c", "name": ".."}]}`, "Azure does not accept"},
		"an expression":     {`{` + schema + "\n" + `"resources": [{"type": "A.B/c", "name": "[concat('a', nosuch())]"}]}`, "main.json:2:55: Unknown function: There is no function nosuch"},
		"a variable":        {`{` + schema + `"variables": {"name": 1}, "resources": [{"type": "A.B/c", "name": "[variables('nmae')]"}]}`, "Did you mean name?"},
		"a cycle of variables": {`{` + schema + `"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}, ` +
			strings.Replace(one, `"n"`, `"[variables('a')]"`, 1) + `}]}`, "Cycle: Variable a is made of itself"},
		"a cycle of parameters": {`{` + schema + `"parameters": {"a": {"type": "string", "defaultValue": "[parameters('b')]"}, "b": {"type": "string", "defaultValue": "[parameters('a')]"}}, "resources": []}`,
			"Cycle: Parameter"},
		"a cycle of resources": {`{` + schema + `"resources": [{"type": "A.B/c", "name": "x", "dependsOn": ["y"]}, {"type": "A.B/c", "name": "y", "dependsOn": ["x"]}]}`,
			"circle: A.B/c/x -> A.B/c/y -> A.B/c/x"},
		"a cycle by reference": {`{` + schema + `"resources": [{"type": "A.B/c", "name": "x", "properties": {"v": "[reference('y').v]"}}, {"type": "A.B/c", "name": "y", "properties": {"v": "[reference('x').v]"}}]}`,
			"in a circle"},
		"nothing to depend on":   {`{` + schema + one + `, "dependsOn": ["m"]}]}`, "A.B/c/n depends on m, which the template does not declare"},
		"twice":                  {`{` + schema + `"resources": [{"type": "A.B/c", "name": "n"}, {"type": "a.b/C", "name": "N"}]}`, "Resource declared twice"},
		"too many copies":        {`{` + schema + one + `, "copy": {"name": "l", "count": 801}}]}`, "count is 801, and Azure takes from 0 to 800"},
		"copies of copies":       {`{` + schema + one + `, "copy": {"name": "l", "count": 800}, "resources": [{"copy": {"name": "m", "count": 800}, "type": "d", "name": "[format('{0}-{1}', copyIndex('l'), copyIndex('m'))]"}]}]}`, "more than 20000 resources"},
		"a loop of values":       {`{` + schema + `"variables": {"copy": [{"name": "v", "count": 900, "input": 1}]}, ` + strings.Replace(one, `"n"`, `"[string(variables('v'))]"`, 1) + `}]}`, "count is 900"},
		"fail()":                 {`{` + schema + one + `, "properties": {"x": "[fail('not like this')]"}}]}`, "refuses to be deployed: not like this"},
		"templates in templates": {nestedDeep(30), "nested more than 20 deep"},
		"values many times over": {manyTimes(60), "more work than is allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			e, diags := template.Read("main.json", []byte(c.text), template.Options{ResourceGroup: "g"})
			if e != nil || !strings.Contains(diags.Error(), c.want) {
				t.Errorf("it says %q, and should say %q", diags.Error(), c.want)
			}
		})
	}
}

// nestedDeep is a template in a template, and so on.
func nestedDeep(n int) string {
	text := `{"resources": []}`
	for range n {
		text = `{"resources": [{"type": "Microsoft.Resources/deployments", "name": "d", "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": ` + text + `}}]}`
	}
	return `{` + schema + text[1:]
}

// manyTimes has variables that are each two of the one before.
func manyTimes(n int) string {
	vars := []string{`"v0": "x"`}
	for i := 1; i < n; i++ {
		vars = append(vars, fmt.Sprintf(`"v%d": ["[variables('v%d')]", "[variables('v%d')]"]`, i, i-1, i-1))
	}
	return `{` + schema + `"variables": {` + strings.Join(vars, ",") + `}, ` + one + fmt.Sprintf(`, "properties": {"v": "[variables('v%d')]"}}]}`, n-1)
}

func TestParameters(t *testing.T) {
	const declared = `"definitions": {"net": {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}, "key": {"type": "securestring", "nullable": true}}}},
	  "parameters": {"text": {"type": "string", "allowedValues": ["a", "b"]}, "n": {"type": "int", "minValue": 1, "maxValue": 9}, "on": {"type": "bool"},
	    "list": {"type": "array", "maxLength": 2, "items": {"type": "int"}}, "net": {"$ref": "#/definitions/net"}}, "resources": []`
	for in, want := range map[string]string{
		"text=c":                      `text is "c", and allowed are: a, b`,
		"n=x":                         `"x" is not a whole number`,
		"n=10":                        "n has the value 10, and the most is 9",
		"on=maybe":                    `"maybe" is neither true nor false`,
		"list=[1,2,3]":                "list has the length 3, and the most is 2",
		`list=["a"]`:                  "list[0] should be a whole number and is a string",
		`net={"name":"x"}`:            "net.name has the length 1, and the least is 2",
		`net={}`:                      "net lacks the member name",
		`net={`:                       "the text should be JSON",
		"other=1":                     "the template declares no such parameter",
		"nett=1":                      "Did you mean net?",
		`net={"name":"ab","key":"k"}`: "",
		"text=a":                      "",
	} {
		name, text, _ := strings.Cut(in, "=")
		_, diags := template.Read("main.json", []byte("{"+schema+declared+"}"), template.Options{Inline: map[string]string{name: text}})
		if got := diags.Error(); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s says %q, and should say %q", in, got, want)
		}
	}
	_, diags := template.Read("main.json", []byte("{"+schema+declared+"}"), template.Options{RequireParameters: true})
	if n := len(diags.Errors()); n != 5 {
		t.Errorf("five parameters without a value are %d errors: %v", n, diags)
	}
}

func TestSecretsAreWithheld(t *testing.T) {
	const rest = `"definitions": {"o": {"type": "object", "properties": {"k": {"type": "securestring"}, "n": {"type": "int"}}}},
	  "parameters": {"p": {"type": "securestring"}, "o": {"$ref": "#/definitions/o"}},
	  "resources": [{"condition": "[not(empty(parameters('p')))]", "type": "A.B/c", "name": "c", "apiVersion": "1",
	    "properties": {"p": "[parameters('p')]", "both": "[concat('x', parameters('p'))]", "o": "[parameters('o')]"}}]`
	opts := here
	opts.Parameters = map[string]any{"p": "hunter2", "o": map[string]any{"k": "hunter2", "n": 5.0}}
	text, err := read(t, rest, opts).MarshalJSON()
	if err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), `"n":5`) {
		t.Errorf("the estate is %s, %v", text, err)
	}
	opts.Secrets = true
	text, err = read(t, rest, opts).MarshalJSON()
	if err != nil || strings.Count(string(text), "hunter2") != 3 {
		t.Errorf("with secrets the estate is %s, %v", text, err)
	}
}
