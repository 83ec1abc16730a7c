package terraform_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform"
)

// The plan and the state of this configuration were made by the real terraform and
// provider, with "make oracle".
const plannedDir = "testdata/oracle/planned"

type plannedLoad = func(string, []byte, terraform.Options) (*arm.Estate, diagnostic.Diagnostics)

// plannedFiles are the forms, and the fields that each has beyond what the
// directory says: what the provider fills in and does not send, and in a state also
// what Azure has answered.
var plannedFiles = map[string]struct {
	load   plannedLoad
	beyond []string
}{
	"plan.json": {terraform.LoadPlan, filledIn},
	"state.json": {terraform.LoadPlan, append([]string{
		"properties.additionalCapabilities", "properties.securityProfile.encryptionAtHost",
		"properties.storageProfile.osDisk", "properties.ipConfigurations.0.properties.privateIPAddress",
	}, filledIn...)},
	"state.tfstate.json": {terraform.LoadState, append([]string{
		"properties.additionalCapabilities", "properties.securityProfile.encryptionAtHost",
		"properties.storageProfile.osDisk", "properties.ipConfigurations.0.properties.privateIPAddress",
	}, filledIn...)},
}

// answered are documents that Azure makes and a state shows.
var answered = []string{"/soa/@", "/blobservices/default", "/fileservices/default"}

var filledIn = []string{
	"properties.billingProfile.maxPrice", "properties.platformFaultDomain",
	"properties.osProfile.linuxConfiguration.patchSettings.automaticByPlatformSettings",
	"properties.encryption.requireInfrastructureEncryption",
}

// A plan, a state and a state file come to the documents and the edges that the
// directory comes to, though all ids in the plan are unknown.
func TestPlannedIsTheDirectory(t *testing.T) {
	opts := terraform.Options{Environ: []string{"ARM_TENANT_ID=c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"}}
	want := load(t, plannedDir, opts)
	for name, form := range plannedFiles {
		t.Run(name, func(t *testing.T) {
			got, diags := form.load(name, read(t, filepath.Join(plannedDir, name)), opts)
			if diags.HasErrors() {
				t.Fatal(diags.Error())
			}
			have := byMeaning(got)
			for key, doc := range byMeaning(want) {
				other, ok := have[key]
				if !ok {
					t.Errorf("%s is not in it", key)
					continue
				}
				compareFields(t, key, leaves(t, doc), leaves(t, other), form.beyond)
				delete(have, key)
			}
			for key := range have {
				if !slices.ContainsFunc(answered, func(suffix string) bool { return strings.HasSuffix(key, suffix) }) {
					t.Errorf("%s is in it alone", key)
				}
			}
		})
	}
	plan, _ := terraform.LoadPlan("plan.json", read(t, filepath.Join(plannedDir, "plan.json")), opts)
	if got, want := edges(plan), edges(want); !slices.Equal(got, want) {
		t.Errorf("edges of the plan:\n%s\nof the directory:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func compareFields(t *testing.T, key string, want, got map[string]string, beyond []string) {
	t.Helper()
	for path, w := range want {
		if g := got[path]; g != w {
			t.Errorf("%s: %s is %q, and the directory says %q", key, path, g, w)
		}
	}
	for path, g := range got {
		_, both := want[path]
		if !both && !slices.ContainsFunc(beyond, func(b string) bool { return path == b || strings.HasPrefix(path, b+".") }) {
			t.Errorf("%s: %s is %q, of which the directory says nothing", key, path, g)
		}
	}
}

// byMeaning are documents by id; a role assignment, whose name is drawn by lot, by
// what it assigns.
func byMeaning(e *arm.Estate) map[string]arm.Resource {
	out := map[string]arm.Resource{}
	for _, r := range e.All() {
		key := r.ID.Key()
		if r.IsType("Microsoft.Authorization/roleAssignments") {
			key = r.ID.Parent().Key() + " " + arm.String(r.Properties, "roleDefinitionId") + " " + arm.String(r.Properties, "principalId")
		}
		out[key] = r
	}
	return out
}

func leaves(t *testing.T, r arm.Resource) map[string]string {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	delete(v, "id")
	delete(v, "name")
	out := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), e)
			}
		case []any:
			for i, e := range v {
				walk(path+"."+strconv.Itoa(i), e)
			}
		default:
			out[path] = fmt.Sprint(v)
		}
	}
	walk("", v)
	return out
}

func edges(e *arm.Estate) []string {
	all := map[string]bool{}
	for _, edge := range e.Edges() {
		if edge.From.Type() != "Microsoft.Authorization/roleAssignments" {
			all[edge.From.Key()+" "+edge.Path+" "+edge.To.Key()] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What a plan does not say stays unknown, under the name of what is unknown.
func TestPlannedUnknown(t *testing.T) {
	const plan = `{"format_version":"1.2","planned_values":{"root_module":{"resources":[
		{"address":"azurerm_subnet.s","mode":"managed","type":"azurerm_subnet","name":"s","values":{"name":"s","resource_group_name":"rg","virtual_network_name":"v"}},
		{"address":"azurerm_network_interface.n","mode":"managed","type":"azurerm_network_interface","name":"n","values":{"name":"n","resource_group_name":"rg","location":"westeurope","ip_configuration":[{"name":"x"}]}}]}},
		"resource_changes":[{"address":"azurerm_network_interface.n","change":{"after_unknown":{"ip_configuration":[{"subnet_id":true}]}}}],
		"configuration":{"root_module":{"resources":[{"address":"azurerm_network_interface.n","expressions":{"ip_configuration":[{"subnet_id":{"references":[%s]}}]}}]}}}`
	for refs, want := range map[string]string{
		`"azurerm_subnet.s.id","azurerm_subnet.s"`: `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s`,
		`"local.subnet"`: "",
		`"azurerm_subnet.s.id","azurerm_subnet.s","local.suffix"`: "",
		`"azurerm_subnet.other.id"`:                               "",
		`"var.subnet"`:                                            "",
		`"module.net.subnet"`:                                     "",
		`"each.value.id","each.value"`:                            "",
		`"azurerm_network_interface.n.id"`:                        "", // a circle
	} {
		e, diags := terraform.LoadPlan("plan.json", []byte(fmt.Sprintf(plan, refs)), terraform.Options{})
		if diags.HasErrors() {
			t.Fatal(diags.Error())
		}
		nic := e.OfType("Microsoft.Network/networkInterfaces")[0]
		const path = "ipConfigurations.0.properties.subnet.id"
		if got := arm.String(nic.Properties, path); got != want {
			t.Errorf("%s: %q", refs, got)
		}
		if u, unknown := arm.UnknownAt(nic.Properties, path); unknown == (want != "") || unknown && u.Expression != "azurerm_network_interface.n.ip_configuration.subnet_id" {
			t.Errorf("%s: %+v", refs, u)
		}
	}
}

// A member of a module's output is the one reference that has its names, through
// variables of the modules on the way; where several could be meant it is unknown.
func TestPlannedMembers(t *testing.T) {
	const plan = `{"format_version":"1.2","planned_values":{"root_module":{"child_modules":[
		{"address":"module.net","resources":[
			{"address":"module.net.azurerm_subnet.a","mode":"managed","type":"azurerm_subnet","name":"a","values":{"name":"a","resource_group_name":"rg","virtual_network_name":"v"}},
			{"address":"module.net.azurerm_subnet.b","mode":"managed","type":"azurerm_subnet","name":"b","values":{"name":"b","resource_group_name":"rg","virtual_network_name":"v"}}]},
		{"address":"module.vm","resources":[
			{"address":"module.vm.azurerm_network_interface.n","mode":"managed","type":"azurerm_network_interface","name":"n","values":{"name":"n","resource_group_name":"rg","location":"westeurope","ip_configuration":[{"name":"x"}]}}]}]}},
		"resource_changes":[{"address":"module.vm.azurerm_network_interface.n","change":{"after_unknown":{"ip_configuration":[{"subnet_id":true}]}}}],
		"configuration":{"root_module":{"module_calls":{
			"net":{"module":{"outputs":{"it":{"expression":{"references":[%s]}}}}},
			"vm":{"expressions":{"subnet":{"references":[%s]}},"module":{"resources":[{"address":"azurerm_network_interface.n","expressions":{"ip_configuration":[{"subnet_id":{"references":["var.subnet%s","var.subnet"]}}]}}]}}}}}}`
	const subnets = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/"
	const both = `"azurerm_subnet.a.id","azurerm_subnet.a","azurerm_subnet.b.id","azurerm_subnet.b"`
	for _, c := range []struct{ output, argument, member, want string }{
		{`"azurerm_subnet.a.id","azurerm_subnet.a"`, `"module.net.it","module.net"`, "", subnets + "a"},
		{`"azurerm_subnet.a.id","azurerm_subnet.a"`, `"module.net.it.id","module.net.it","module.net"`, "", subnets + "a"},
		{both, `"module.net.it.b","module.net.it","module.net"`, "", subnets + "b"},
		{both, `"module.net.it","module.net"`, ".a", subnets + "a"},
		{both, `"module.net.it","module.net"`, ".b.id", subnets + "b"},
		{both, `"module.net.it.id","module.net.it","module.net"`, "", ""},
		{both, `"module.net.it.c","module.net.it","module.net"`, "", ""},
		{both, `"module.net.it","module.net"`, "", ""},
		{both + `,"var.other"`, `"module.net.it.a","module.net.it","module.net"`, "", ""},
		{both, `"each.value.net","each.value"`, ".a", ""},
	} {
		e, diags := terraform.LoadPlan("plan.json", []byte(fmt.Sprintf(plan, c.output, c.argument, c.member)), terraform.Options{})
		if diags.HasErrors() {
			t.Fatal(diags.Error())
		}
		nic := e.OfType("Microsoft.Network/networkInterfaces")[0]
		if got := arm.String(nic.Properties, "ipConfigurations.0.properties.subnet.id"); got != c.want {
			t.Errorf("var.subnet%s of %s of %s: %q, want %q", c.member, c.argument, c.output, got, c.want)
		}
	}
}

// A sensitive value is withheld, also where only the plan says that it is one.
func TestPlannedSecrets(t *testing.T) {
	const plan = `{"format_version":"1.0","values":{"root_module":{"resources":[
		{"address":"azurerm_resource_group.g","mode":"managed","type":"azurerm_resource_group","name":"g","values":{"name":"g","location":"westeurope","tags":{"key":"hunter2"}},"sensitive_values":{"tags":{"key":true}}}]}}}`
	hidden, diags := terraform.LoadPlan("state.json", []byte(plan), terraform.Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	if raw := marshal(t, hidden); strings.Contains(string(raw), "hunter2") {
		t.Errorf("the secret is shown: %s", raw)
	}
	shown, _ := terraform.LoadPlan("state.json", []byte(plan), terraform.Options{Secrets: true})
	if raw := marshal(t, shown); !strings.Contains(string(raw), "hunter2") {
		t.Errorf("the secret is not there: %s", raw)
	}
}

func TestPlannedBadInput(t *testing.T) {
	for text, want := range map[string]string{
		`{"format_version":"1.2","planned_values":{`:           "unexpected end of JSON input",
		`{"format_version":"2.0","planned_values":{}}`:         "0.x and 1.x are read",
		`{"format_version":"1.2","errored":true}`:              "plan again",
		`{"format_version":"1.2","resource_changes":[]}`:       "terraform show -json",
		`{"format_version":"1.2","values":{"root_module":[]}}`: "cannot unmarshal array",
		strings.Repeat(`{"values":`, 20_000):                   "exceeded max depth",
		`{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"a.b","mode":"managed","type":"a"},{"address":"a.b","mode":"managed","type":"a"}]}}}`: "a.b is in it twice",
	} {
		e, diags := terraform.LoadPlan("plan.json", []byte(text), terraform.Options{})
		if e != nil || !strings.Contains(diags.Error(), want) {
			t.Errorf("%.60s: %s", text, diags.Error())
		}
	}
	for text, want := range map[string]string{`{"version":3}`: "of version 3, and 4 is read", `{"version":4,"resources":{}}`: "cannot unmarshal object"} {
		if e, diags := terraform.LoadState("s", []byte(text), terraform.Options{}); e != nil || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %s", text, diags.Error())
		}
	}
}

// Whatever the bytes, reading ends with an estate or with errors. The corpus is in
// testdata/fuzz.
func FuzzLoadPlan(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<15 {
			return
		}
		for _, load := range []plannedLoad{terraform.LoadPlan, terraform.LoadState} {
			e, diags := load("plan.json", text, terraform.Options{})
			if (e == nil) != diags.HasErrors() {
				t.Fatalf("an estate and errors, or neither: %v", diags.Error())
			}
			if e != nil {
				marshal(t, e)
			}
		}
	})
}
