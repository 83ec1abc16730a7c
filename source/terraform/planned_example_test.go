package terraform_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform"
	"github.com/cloister-ml/cloister/source/terraform/internal/oracle"
)

// The plan and the state of the example, as the real terraform and providers made
// them: "make plans" records them again.
const exampleRecord = "testdata/oracle/secure-mlops"

func unzipped(t testing.TB, path string) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func exampleVars(t testing.TB) map[string]string {
	t.Helper()
	rec, err := oracle.Read(filepath.Join(exampleRecord, "recorded.json"))
	if err != nil {
		t.Fatal(err)
	}
	return rec.Vars
}

// The plan of the example and its configuration come to the estate of the
// directory, to the last byte: documents, places, and which secrets are withheld.
func TestPlanWithItsConfiguration(t *testing.T) {
	plan := unzipped(t, filepath.Join(exampleRecord, "plan.json.gz"))
	for _, secrets := range []bool{false, true} {
		want := marshal(t, load(t, example, terraform.Options{Vars: exampleVars(t), Secrets: secrets}))
		e, diags := terraform.LoadPlan("plan.json", plan, terraform.Options{Config: example, Secrets: secrets})
		if diags.Err() != nil || len(diags.All()) > 0 {
			t.Fatal(diags.All())
		}
		if got := marshal(t, e); !bytes.Equal(got, want) {
			t.Errorf("secrets %v: the plan's estate is not the directory's:\n%s", secrets, firstDifference(got, want))
		}
	}
}

// unresolved is how much of the plan of the example stays unknown without the
// configuration, by property: what goes through local values, of which a plan says
// nothing. The numbers may only fall.
var unresolved = map[string]int{
	"id of Microsoft.Authorization/roleAssignments":                            40,
	"id of Microsoft.Insights/diagnosticSettings":                              15,
	"id of Microsoft.Network/privateDnsZones/virtualNetworkLinks":              26,
	"identity.userAssignedIdentities.":                                         4,
	"properties.apiServerAccessProfile.privateDNSZone":                         1,
	"properties.encryption.identity.userAssignedIdentity":                      2,
	"properties.encryption.keyVaultProperties.keyIdentifier":                   1,
	"properties.encryption.keyVaultProperties.keyVaultArmId":                   1,
	"properties.encryption.keyvaultproperties.keyname":                         1,
	"properties.encryption.keyvaultproperties.keyvaulturi":                     1,
	"properties.linkedResourceId":                                              2,
	"properties.natGateway.id":                                                 4,
	"properties.privateDnsZoneConfigs.name":                                    13,
	"properties.privateDnsZoneConfigs.properties.privateDnsZoneId":             13,
	"properties.privateLinkServiceConnections.properties.privateLinkServiceId": 8,
}

// What a plan alone says is what the directory says, or it is unknown.
func TestPlanAlone(t *testing.T) {
	want := byMeaning(load(t, example, terraform.Options{Vars: exampleVars(t)}))
	e, diags := terraform.LoadPlan("plan.json", unzipped(t, filepath.Join(exampleRecord, "plan.json.gz")), terraform.Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	have := map[string]int{}
	for key, doc := range byMeaning(e) {
		other, ok := want[key]
		switch {
		case ok:
			compareKnown(t, key, leaves(t, other), leaves(t, doc), have)
			delete(want, key)
		case strings.Contains(key, "{"):
			have["id of "+doc.Type]++
		default:
			t.Errorf("%s is in it alone", key)
		}
	}
	left := map[string]int{}
	for _, doc := range want {
		left["id of "+doc.Type]++
	}
	for name, n := range left {
		if have[name] != n {
			t.Errorf("%s: %d are not in the plan, which has %d of unknown id", name, n, have[name])
		}
	}
	if !maps.Equal(have, unresolved) {
		for _, path := range slices.Sorted(maps.Keys(have)) {
			t.Logf("%q: %d,", path, have[path])
		}
		t.Error("another count is unknown than before: where it fell, write the new one")
	}
}

var (
	hole  = regexp.MustCompile(`\.\$unknown\.(expression|file|line)$`)
	place = regexp.MustCompile(`\.\d+|/subscriptions.*`)
)

// compareKnown holds what is known against the directory's, and counts what is not.
func compareKnown(t *testing.T, key string, want, got map[string]string, unknown map[string]int) {
	t.Helper()
	for path, w := range want {
		g, ok := got[path]
		switch {
		case hole.MatchString(path):
		case !ok:
			unknown[place.ReplaceAllString(path, "")]++
		case g != w:
			t.Errorf("%s: %s is %q, and the directory says %q", key, path, g, w)
		}
	}
	for path, g := range got {
		if _, ok := want[path]; !ok && !hole.MatchString(path) {
			t.Errorf("%s: %s is %q, of which the directory says nothing", key, path, g)
		}
	}
}

// beyondExample are the fields of the example's state that the directory says
// nothing of: what the providers fill in, and what Azure answered.
var beyondExample = []string{
	"properties.additionalCapabilities", "properties.addonProfiles", "properties.aiToolchainOperatorProfile.enabled",
	"properties.disableCopyPaste", "properties.enableFileCopy", "properties.enableIpConnect", "properties.enableKerberos",
	"properties.enableSessionRecording", "properties.enableShareableLink", "properties.features", "properties.forceCmkForQuery",
	"properties.hbiWorkspace", "properties.ipConfigurations.0.properties.privateIPAddress", "properties.kubernetesVersion",
	"properties.nodeResourceGroup", "properties.securityProfile.encryptionAtHost", "properties.softDeleteRetentionInDays",
	"properties.storageProfile.osDisk",
}

// A state of the example says what the directory says, and what has come to be.
func TestStateOfTheExample(t *testing.T) {
	want := load(t, example, terraform.Options{Vars: exampleVars(t)})
	for name, load := range map[string]plannedLoad{"state.json.gz": terraform.LoadPlan, "state.tfstate.json.gz": terraform.LoadState} {
		for _, config := range []string{"", example} {
			t.Run(fmt.Sprintf("%s %s", name, config), func(t *testing.T) {
				e, diags := load(name, unzipped(t, filepath.Join(exampleRecord, name)), terraform.Options{Config: config, Vars: exampleVars(t)})
				if diags.HasErrors() {
					t.Fatal(diags.Error())
				}
				have := byMeaning(e)
				for key, doc := range byMeaning(want) {
					other, ok := have[key]
					if !ok {
						t.Errorf("%s is not in it", key)
						continue
					}
					w, g := withoutHoles(leaves(t, doc)), withoutHoles(leaves(t, other))
					compareFields(t, key, w, g, append(slices.Clone(beyondExample), filledIn...))
					delete(have, key)
				}
				for key := range have {
					if !slices.ContainsFunc(answered, func(suffix string) bool { return strings.HasSuffix(key, suffix) }) {
						t.Errorf("%s is in it alone", key)
					}
				}
			})
		}
	}
}

// withoutHoles are leaves without the places of secrets.
func withoutHoles(leaves map[string]string) map[string]string {
	maps.DeleteFunc(leaves, func(path, _ string) bool { return hole.MatchString(path) })
	return leaves
}

// What is there already has the ids that Azure gave it, in what refers to it as well
// as in itself.
func TestPlannedIdentities(t *testing.T) {
	text := read(t, filepath.Join(plannedDir, "state.json"))
	const drawn, user = "0f0e0d0c-1111-4222-8333-444455556666", "0a0b0c0d-1111-4222-8333-444455556666"
	text = bytes.ReplaceAll(text, []byte("fccda1d3-bb18-5bf2-ac77-7a111781fa73"), []byte(drawn))
	text = bytes.ReplaceAll(text, []byte("d03384fb-a5f3-5e15-8444-22ea0c10e0a4"), []byte(user))
	for _, config := range []string{"", plannedDir} {
		e, diags := terraform.LoadPlan("state.json", text, terraform.Options{Config: config})
		if diags.HasErrors() {
			t.Fatal(diags.Error())
		}
		if got := e.OfType("Microsoft.Compute/virtualMachines")[0].Identity.PrincipalID; got != drawn {
			t.Errorf("the machine's identity is %s", got)
		}
		if got := arm.String(e.OfType("Microsoft.ManagedIdentity/userAssignedIdentities")[0].Properties, "principalId"); got != user {
			t.Errorf("the identity is %s", got)
		}
	}
}

// A configuration that is another's is named.
func TestPlanOfAnotherConfiguration(t *testing.T) {
	const plan = `{"format_version":"1.2","planned_values":{"root_module":{"resources":[
		{"address":"azurerm_resource_group.a","mode":"managed","type":"azurerm_resource_group","name":"a","values":{"name":"%s","location":"westeurope"}}]}},
		"configuration":{"root_module":{"resources":[{"address":"azurerm_resource_group.a","expressions":{"name":{"constant_value":"%[1]s"}}}]}}}`
	for _, c := range []struct{ name, config, want string }{
		{"rg", `resource "azurerm_resource_group" "a" {` + "\n  name = \"rg\"\n  location = \"westeurope\"\n}", ""},
		{"rg-old", `resource "azurerm_resource_group" "a" {` + "\n  name = \"rg\"\n  location = \"westeurope\"\n}", "gives azurerm_resource_group.a.name another value"},
		{"rg", `resource "azurerm_resource_group" "b" {` + "\n  name = \"rg\"\n  location = \"westeurope\"\n}", "does not declare azurerm_resource_group.a"},
		{"rg", `locals { a = `, "Missing expression"},
	} {
		dir := t.TempDir()
		write(t, dir, "main.tf", c.config)
		_, diags := terraform.LoadPlan("plan.json", []byte(fmt.Sprintf(plan, c.name)), terraform.Options{Config: dir})
		var said []string
		for _, d := range diags.All() {
			said = append(said, d.String()+" "+d.Detail)
		}
		if got := strings.Join(said, "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s with %s: %q", c.name, c.config, got)
		}
	}
	if _, diags := terraform.LoadPlan("plan.json", []byte(fmt.Sprintf(plan, "rg")), terraform.Options{Config: os.DevNull}); !strings.Contains(diags.Error(), "is not a directory") {
		t.Error(diags.Error())
	}
}
