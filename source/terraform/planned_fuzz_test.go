package terraform_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/source/terraform"
)

// Whatever the plan and whatever the configuration that it is said to be made of,
// reading them ends with an estate or with errors. The configuration is a txtar
// archive; each three bytes of changes put another value in a place of the plan, so
// that most of what is tried is a plan still.
func FuzzLoadPlanOfConfiguration(f *testing.F) {
	config := archive(f, filepath.Join(plannedDir))
	for _, name := range []string{"plan.json", "state.json", "state.tfstate.json"} {
		f.Add(read(f, filepath.Join(plannedDir, name)), config, []byte{})
	}
	const plan = `{"format_version":"1.2","variables":{"n":{"value":"rg"}},"planned_values":{"root_module":{"resources":[
		{"address":"azurerm_network_interface.n","mode":"managed","type":"azurerm_network_interface","name":"n","values":{"name":"n","resource_group_name":"rg","location":"westeurope",
		 "ip_configuration":[{"name":"b","primary":true},{"name":"a"}],"tags":{"a":"b"}},"sensitive_values":{"tags":{"a":true}}}]}},
		"prior_state":{"values":{"root_module":{"resources":[{"address":"data.azurerm_subnet.s","mode":"data","type":"azurerm_subnet","name":"s","values":{"id":"/subscriptions/s/x","name":"s"}}]}}},
		"resource_changes":[{"address":"azurerm_network_interface.n","change":{"actions":["create"],"after_unknown":{"id":true,"ip_configuration":[{"subnet_id":true},{}]}}}],
		"configuration":{"root_module":{"resources":[{"address":"azurerm_network_interface.n","expressions":{"name":{"constant_value":"n"}}}]}}}`
	const main = "-- main.tf --\n" + `variable "n" {}
data "azurerm_subnet" "s" {
  name                 = "s"
  virtual_network_name = "v"
  resource_group_name  = var.n
}
resource "azurerm_network_interface" "n" {
  name                = "n"
  resource_group_name = var.n
  location            = "westeurope"
  tags                = { a = sensitive("b") }
  dynamic "ip_configuration" {
    for_each = toset(["a", "b"])
    content {
      name      = ip_configuration.value
      subnet_id = data.azurerm_subnet.s.id
    }
  }
}
`
	f.Add([]byte(plan), []byte(main), []byte{})
	f.Add([]byte(plan), []byte(main), []byte{0, 9, 3, 0, 20, 6, 0, 30, 8})
	f.Fuzz(func(t *testing.T, plan, config, changes []byte) {
		if len(plan) > 1<<16 || len(config) > 1<<15 || len(changes) > 12 {
			return
		}
		dir := t.TempDir()
		if !unpack(dir, config) {
			return
		}
		plan = changed(plan, changes)
		for _, load := range []plannedLoad{terraform.LoadPlan, terraform.LoadState} {
			e, diags := load("plan.json", plan, terraform.Options{Config: dir})
			if (e == nil) != diags.HasErrors() {
				t.Fatalf("an estate and errors, or neither: %v", diags.Error())
			}
			if e != nil {
				marshal(t, e)
			}
		}
	})
}

// changed is JSON with other values in some places: two bytes say where, in the
// order of the text with its members sorted, and one which value.
func changed(text, changes []byte) []byte {
	var root any
	if len(changes) < 3 || json.Unmarshal(text, &root) != nil {
		return text
	}
	for ; len(changes) >= 3; changes = changes[3:] {
		s := swapper{at: int(changes[0])<<8 | int(changes[1]), kind: changes[2]}
		root = s.value(root)
	}
	out, err := json.Marshal(root)
	if err != nil {
		return text
	}
	return out
}

type swapper struct {
	at   int
	kind byte
	last any // the value before
}

func (s *swapper) value(v any) any {
	if s.at == 0 {
		s.at = -1
		return s.swapped(v)
	}
	s.at--
	switch v := v.(type) {
	case []any:
		for i := 0; i < len(v) && s.at >= 0; i++ {
			v[i] = s.value(v[i])
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if s.at < 0 {
				break
			}
			v[k] = s.value(v[k])
		}
	default:
		s.last = v
	}
	return v
}

func (s *swapper) swapped(v any) any {
	values := []any{nil, true, false, "", "x", 3.5, []any{}, map[string]any{}, []any{v}, []any{v, v}, map[string]any{"x": v}, []any{nil}, s.last, []any{s.last}}
	return values[int(s.kind)%len(values)]
}
