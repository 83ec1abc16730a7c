package template_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source/template"
)

// BenchmarkSecureEstate reads the template of a small secured solution.
func BenchmarkSecureEstate(b *testing.B) {
	text, err := os.ReadFile("testdata/secure.json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := template.Read("testdata/secure.json", text, here); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

// BenchmarkModules reads 500 modules of 20 resources each.
func BenchmarkModules(b *testing.B) {
	const module = `{"type": "Microsoft.Resources/deployments", "name": "m%d", "properties": {"expressionEvaluationOptions": {"scope": "inner"},
	  "parameters": {"n": {"value": "[format('m{0}', %d)]"}},
	  "template": {"parameters": {"n": {"type": "string"}}, "resources": [{"copy": {"name": "l", "count": 20}, "type": "Microsoft.Network/routeTables",
	    "name": "[format('{0}-{1}', parameters('n'), copyIndex())]", "apiVersion": "2024-05-01", "location": "[resourceGroup().location]",
	    "properties": {"routes": [{"name": "r", "properties": {"addressPrefix": "[cidrSubnet('10.0.0.0/8', 24, copyIndex())]", "nextHopType": "None"}}]}}],
	    "outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.Network/routeTables', parameters('n'))]"}}}}}`
	var modules []string
	for i := range 500 {
		modules = append(modules, fmt.Sprintf(module, i, i))
	}
	text := []byte("{" + schema + `"resources": [` + strings.Join(modules, ",") + "]}")
	b.ReportAllocs()
	for b.Loop() {
		e, diags := template.Read("main.json", text, here)
		if diags.HasErrors() || e.Len() != 10_000 {
			b.Fatal(diags)
		}
	}
}
