package planned

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// plan is the plan of "terraform show -json", and the state, which has of these
// Values alone.
type plan struct {
	FormatVersion string                     `json:"format_version"`
	Errored       bool                       `json:"errored"`
	Variables     map[string]variable        `json:"variables"`
	PlannedValues *values                    `json:"planned_values"`
	Values        *values                    `json:"values"`
	Changes       []resourceChange           `json:"resource_changes"`
	PriorState    *struct{ Values *values }  `json:"prior_state"`
	Configuration configuration              `json:"configuration"`
	Other         map[string]json.RawMessage `json:"-"`
}

type variable struct {
	Value any `json:"value"`
}

type values struct {
	Root module `json:"root_module"`
}

type module struct {
	Address   string     `json:"address"`
	Resources []resource `json:"resources"`
	Children  []module   `json:"child_modules"`
}

type resource struct {
	Address   string         `json:"address"`
	Mode      string         `json:"mode"`
	Type      string         `json:"type"`
	Name      string         `json:"name"`
	Index     any            `json:"index"`
	Values    map[string]any `json:"values"`
	Sensitive any            `json:"sensitive_values"`

	module  string // address of the instance of the module
	unknown any    // by attribute, as after_unknown has it
	fresh   bool   // nothing of it is there yet
}

type resourceChange struct {
	Address string `json:"address"`
	Deposed string `json:"deposed"`
	Change  struct {
		Before    any `json:"before"`
		Unknown   any `json:"after_unknown"`
		Sensitive any `json:"after_sensitive"`
	} `json:"change"`
}

type configuration struct {
	Providers map[string]providerConfig `json:"provider_config"`
	Root      configModule              `json:"root_module"`
}

type providerConfig struct {
	Name        string                     `json:"name"`
	Module      string                     `json:"module_address"`
	Expressions map[string]json.RawMessage `json:"expressions"`
}

type configModule struct {
	Resources []configResource           `json:"resources"`
	Calls     map[string]moduleCall      `json:"module_calls"`
	Outputs   map[string]configOutput    `json:"outputs"`
	Variables map[string]json.RawMessage `json:"variables"`
}

type configOutput struct {
	Expression expression `json:"expression"`
}

type moduleCall struct {
	Expressions map[string]json.RawMessage `json:"expressions"`
	Count       *expression                `json:"count_expression"`
	ForEach     *expression                `json:"for_each_expression"`
	Module      *configModule              `json:"module"`
}

type configResource struct {
	Address     string                     `json:"address"`
	ProviderKey string                     `json:"provider_config_key"`
	Expressions map[string]json.RawMessage `json:"expressions"`
	Count       *expression                `json:"count_expression"`
	ForEach     *expression                `json:"for_each_expression"`
}

// expression is a constant, or what a value is made of.
type expression struct {
	Constant   any      `json:"constant_value"`
	References []string `json:"references"`
}

// rawState is a state file.
type rawState struct {
	Version   int           `json:"version"`
	Resources []rawResource `json:"resources"`
}

type rawResource struct {
	Module    string `json:"module"`
	Mode      string `json:"mode"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Instances []struct {
		IndexKey   any            `json:"index_key"`
		Deposed    string         `json:"deposed"`
		Attributes map[string]any `json:"attributes"`
		Sensitive  []any          `json:"sensitive_attributes"`
	} `json:"instances"`
}

var errVersion = errors.New("it is of a format that is not read here")

// checkFormat holds the version of a plan or a state against those that are read.
func checkFormat(version string) error {
	major, _, _ := strings.Cut(version, ".")
	if major != "0" && major != "1" {
		return fmt.Errorf("%w: its format_version is %q, and 0.x and 1.x are read", errVersion, version)
	}
	return nil
}

// list are the resources of a module and those within it.
func (m module) list(out []resource) []resource {
	for _, r := range m.Resources {
		r.module = m.Address
		out = append(out, r)
	}
	for _, c := range m.Children {
		out = c.list(out)
	}
	return out
}

// resources are a raw state's, as the JSON of a state has them.
func (s rawState) resources() []resource {
	var out []resource
	for _, r := range s.Resources {
		address := r.Type + "." + r.Name
		if r.Mode == "data" {
			address = "data." + address
		}
		if r.Module != "" {
			address = r.Module + "." + address
		}
		for _, i := range r.Instances {
			if i.Deposed != "" {
				continue
			}
			one := resource{Address: address + indexText(i.IndexKey), Mode: r.Mode, Type: r.Type, Name: r.Name, Index: i.IndexKey, Values: i.Attributes, module: r.Module}
			one.Sensitive = sensitivePaths(i.Sensitive)
			for name, v := range one.Values {
				one.Values[name] = untyped(v)
			}
			out = append(out, one)
		}
	}
	return out
}

// untyped is the value of an attribute of any type, which a state file keeps with
// its type beside it.
func untyped(v any) any {
	o, ok := v.(map[string]any)
	if _, typed := o["type"]; !ok || !typed || len(o) != 2 {
		return v
	}
	if inner, ok := o["value"]; ok {
		return inner
	}
	return v
}

func indexText(key any) string {
	switch key := key.(type) {
	case string:
		return fmt.Sprintf("[%q]", key)
	case float64:
		return fmt.Sprintf("[%d]", int(key))
	}
	return ""
}

// sensitivePaths makes of the paths of a state file the tree that JSON has. A path
// into a list or a block makes the whole of it sensitive.
func sensitivePaths(paths []any) any {
	out := map[string]any{}
	for _, p := range paths {
		steps, _ := p.([]any)
		if len(steps) == 0 {
			continue
		}
		first, _ := steps[0].(map[string]any)
		if name, ok := first["value"].(string); ok {
			out[name] = true
		}
	}
	return out
}
