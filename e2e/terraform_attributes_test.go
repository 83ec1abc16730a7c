//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// attribute is one of a resource of the example, with another value than it has.
type attribute struct {
	address  string
	dir      string // of the module, from the root's
	typ      string
	name     string
	field    string
	value    string // HCL
	replaced bool   // as the provider's documentation says
}

func (a attribute) String() string { return a.typ + "." + a.field }

// attributes are the rows that the provider's schema makes: of one resource of each
// type, every argument of a simple type that is not deprecated, with the next value
// that it may have. Those of which none is known are left out.
func (tf *terraform) attributes() []attribute {
	tf.t.Helper()
	schema, resources := tf.schema(), tf.resources()
	renewed, err := renewedAttributes("testdata/replaced.txt")
	if err != nil {
		tf.t.Fatal(err)
	}
	dirs := tf.moduleDirs()
	var out []attribute
	for _, typ := range slices.Sorted(maps.Keys(resources)) {
		r := resources[typ]
		fields := schema[typ]
		if _, ok := renewed[typ]; !ok {
			tf.t.Errorf("testdata/replaced.txt says nothing of %s", typ)
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			s := fields[field]
			if !s.Optional && !s.Required || s.Deprecated || field == "id" {
				continue
			}
			if value, ok := another(typ, field, s, r.Values[field]); ok {
				out = append(out, attribute{r.Address, dirs[moduleOf(r.Address)], typ, r.Name, field, value, slices.Contains(renewed[typ], field)})
			}
		}
	}
	return out
}

type fieldSchema struct {
	Type       json.RawMessage `json:"type"`
	Optional   bool            `json:"optional"`
	Required   bool            `json:"required"`
	Deprecated bool            `json:"deprecated"`
}

// schema are the arguments of the provider's resource types.
func (tf *terraform) schema() map[string]map[string]fieldSchema {
	tf.t.Helper()
	var shown struct {
		Providers map[string]struct {
			Resources map[string]struct {
				Block struct {
					Attributes map[string]fieldSchema `json:"attributes"`
				} `json:"block"`
			} `json:"resource_schemas"`
		} `json:"provider_schemas"`
	}
	tf.json(&shown, "providers", "schema", "-json")
	out := map[string]map[string]fieldSchema{}
	for _, p := range shown.Providers {
		for typ, r := range p.Resources {
			out[typ] = r.Block.Attributes
		}
	}
	return out
}

type stateModule struct {
	Resources []stateResource `json:"resources"`
	Modules   []stateModule   `json:"child_modules"`
}

type stateResource struct {
	Address string         `json:"address"`
	Mode    string         `json:"mode"`
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Values  map[string]any `json:"values"`
}

// resources are the first of each of azurerm's types in the state.
func (tf *terraform) resources() map[string]stateResource {
	tf.t.Helper()
	var shown struct {
		Values struct {
			Root stateModule `json:"root_module"`
		} `json:"values"`
	}
	tf.json(&shown, "show", "-json")
	out := map[string]stateResource{}
	var walk func(stateModule)
	walk = func(m stateModule) {
		for _, r := range m.Resources {
			if _, ok := out[r.Type]; !ok && r.Mode == "managed" && strings.HasPrefix(r.Type, "azurerm_") {
				out[r.Type] = r
			}
		}
		for _, child := range m.Modules {
			walk(child)
		}
	}
	walk(shown.Values.Root)
	return out
}

// json decodes what the program prints on its standard output.
func (tf *terraform) json(to any, args ...string) (ok bool) {
	tf.t.Helper()
	cmd := exec.CommandContext(tf.t.Context(), tf.program, args...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, to)
	}
	if err != nil {
		tf.t.Errorf("terraform %s: %v", strings.Join(args, " "), err)
	}
	return err == nil
}

// moduleDirs are the folders of the modules, by their addresses without keys.
func (tf *terraform) moduleDirs() map[string]string {
	tf.t.Helper()
	data, err := os.ReadFile(filepath.Join(tf.dir, ".terraform/modules/modules.json"))
	var manifest struct {
		Modules []struct {
			Key string `json:"Key"`
			Dir string `json:"Dir"`
		} `json:"Modules"`
	}
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	if err != nil {
		tf.t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range manifest.Modules {
		out[m.Key] = m.Dir
	}
	return out
}

var keyInAddress = regexp.MustCompile(`\[[^\]]*\]`)

// moduleOf is network.training_nsg of module.network.module.training_nsg.azurerm_...
func moduleOf(address string) string {
	var path []string
	parts := strings.Split(keyInAddress.ReplaceAllString(address, ""), ".")
	for i := 0; i+1 < len(parts) && parts[i] == "module"; i += 2 {
		path = append(path, parts[i+1])
	}
	return strings.Join(path, ".")
}

// renewedAttributes reads which attributes make a resource anew, by type.
func renewedAttributes(path string) (map[string][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string][]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if typ, fields, ok := strings.Cut(lines.Text(), ":"); ok && !strings.HasPrefix(typ, "#") {
			out[typ] = strings.Fields(fields)
		}
	}
	return out, lines.Err()
}

// changeAttributes plans every row, as many at one time as there are types, and holds
// each plan against what the documentation says. Then it applies all that is changed
// in place, at one time, and plans again.
func (tf *terraform) changeAttributes() {
	tf.t.Helper()
	rows := tf.attributes()
	var inPlaceRows, renewed []attribute
	for _, a := range rows {
		if a.replaced {
			renewed = append(renewed, a)
		} else {
			inPlaceRows = append(inPlaceRows, a)
		}
	}
	tf.t.Logf("%d attributes are changed in place, %d make their resource anew", len(inPlaceRows), len(renewed))
	for _, list := range [][]attribute{inPlaceRows, renewed} {
		eachOf(rounds(list), func(round []attribute) { tf.copied().planAttributes(round) })
	}
	together := slices.DeleteFunc(inPlaceRows, func(a attribute) bool { return alone[a.String()] != "" })
	if err := override(tf.dir, together); err != nil {
		tf.t.Fatal(err)
	}
	tf.must("apply", "-input=false", "-auto-approve", atOnce)
	tf.wantNoChanges("after every attribute was changed")
}

// rounds puts the first rows of each type together, then the second, and so on.
func rounds(rows []attribute) [][]attribute {
	var out [][]attribute
	at := map[string]int{}
	for _, a := range rows {
		i := at[a.typ]
		at[a.typ]++
		if i == len(out) {
			out = append(out, nil)
		}
		out[i] = append(out[i], a)
	}
	return out
}

// override writes the rows over what the modules say.
func override(dir string, rows []attribute) error {
	files := map[string]map[string][]string{} // by folder and resource
	for _, a := range rows {
		if files[a.dir] == nil {
			files[a.dir] = map[string][]string{}
		}
		resource := fmt.Sprintf("resource %q %q", a.typ, a.name)
		files[a.dir][resource] = append(files[a.dir][resource], fmt.Sprintf("  %s = %s", a.field, a.value))
	}
	for folder, resources := range files {
		var text strings.Builder
		for _, resource := range slices.Sorted(maps.Keys(resources)) {
			fmt.Fprintf(&text, "%s {\n%s\n}\n\n", resource, strings.Join(resources[resource], "\n"))
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "zz_override.tf"), []byte(text.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// planAttributes plans rows of different types, and nothing is applied.
func (tf *terraform) planAttributes(rows []attribute) {
	tf.t.Helper()
	if err := override(tf.dir, rows); err != nil {
		tf.t.Error(err)
		return
	}
	plan := filepath.Join(tf.dir, "plan")
	if out, status := tf.run("plan", "-input=false", "-refresh=false", "-out="+plan); status != 0 {
		tf.t.Errorf("planning %v ends with %d:\n%s", rows, status, tail(out, 6000))
		return
	}
	var shown struct {
		Changes []struct {
			Address string `json:"address"`
			Change  struct {
				Actions []string `json:"actions"`
				Paths   [][]any  `json:"replace_paths"`
			} `json:"change"`
		} `json:"resource_changes"`
	}
	if !tf.json(&shown, "show", "-json", plan) {
		return
	}
	for _, a := range rows {
		got, because := "", false
		for _, c := range shown.Changes {
			if c.Address == a.address {
				got = strings.Join(c.Change.Actions, " ")
				because = slices.ContainsFunc(c.Change.Paths, func(p []any) bool { return len(p) > 0 && p[0] == a.field })
			}
		}
		if want := map[bool]string{false: inPlace, true: replaced}[a.replaced]; got != want || because != a.replaced {
			tf.t.Errorf("%s = %s: %s is planned as %q (because of it: %v), want %q", a, a.value, a.address, got, because, want)
		}
	}
}
