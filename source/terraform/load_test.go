package terraform_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform"
)

var update = flag.Bool("update", false, "write what the golden files should say")

const example = "../../examples/secure-mlops"

// The example's estate as it stands. Run with -update after a change that is
// meant, and read the difference.
func TestExample(t *testing.T) {
	e := load(t, example, terraform.Options{})
	got := marshal(t, e)
	golden := filepath.Join("testdata", "secure-mlops.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the estate differs from %s:\n%s", golden, firstDifference(got, want))
	}
	for _, edge := range e.Edges() {
		if edge.Dangling && edge.To.Type() != "Microsoft.Authorization/roleDefinitions" {
			t.Errorf("%s refers at %s to %s, which the example does not declare", edge.From, edge.Path, edge.To)
		}
	}
}

// What was read, written and read again is the same.
func TestEstateReadsBack(t *testing.T) {
	e := load(t, example, terraform.Options{})
	once := marshal(t, e)
	again, err := arm.ReadEstate(bytes.NewReader(once))
	if err != nil {
		t.Fatal(err)
	}
	if twice := marshal(t, again); !bytes.Equal(once, twice) {
		t.Errorf("reading the JSON back gives another estate:\n%s", firstDifference(twice, once))
	}
}

func TestSecrets(t *testing.T) {
	const token = "correct-horse-battery"
	vars := map[string]string{"agent_token": token}
	hidden := marshal(t, load(t, example, terraform.Options{Vars: vars}))
	if bytes.Contains(hidden, []byte(token)) || !bytes.Contains(hidden, []byte(`"expression": "var.agent_token"`)) {
		t.Error("the token is not withheld under its own name")
	}

	e := load(t, example, terraform.Options{Vars: vars, Secrets: true, RequireVars: true})
	exts := e.OfType("Microsoft.Compute/virtualMachines/extensions")
	if len(exts) != 2 {
		t.Fatalf("%d extensions, want 2", len(exts))
	}
	script := arm.String(exts[0].Properties, "protectedSettings.script")
	if decoded := decode(t, script); !strings.Contains(decoded, "CLOISTER_AGENT_TOKEN='"+token+"'") {
		t.Errorf("the script does not hold the token:\n%s", decoded)
	}
}

func TestRequireVars(t *testing.T) {
	_, diags := terraform.Load(example, terraform.Options{RequireVars: true})
	errs := diags.Errors()
	if len(errs) != 1 || errs[0].Summary != "Variable without a value" || !strings.HasSuffix(errs[0].File, "variables.tf") || errs[0].Line == 0 {
		t.Errorf("diagnostics: %+v", errs)
	}
	if !strings.Contains(errs[0].Detail, "--var agent_token=") {
		t.Errorf("the detail does not say what to do: %s", errs[0].Detail)
	}
}

func TestEnvironment(t *testing.T) {
	e := load(t, example, terraform.Options{Environ: []string{"TF_VAR_location=North Europe", "TF_VAR_agent_count=1"}})
	if n := len(e.OfType("Microsoft.Compute/virtualMachines")); n != 2 {
		t.Errorf("%d machines, want the jump host and one agent", n)
	}
	for _, r := range e.OfType("Microsoft.Network/virtualNetworks") {
		if r.Location != "northeurope" {
			t.Errorf("%s is in %q", r.Name, r.Location)
		}
	}
}

func TestBadDirectories(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "notes.txt")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		filepath.Join(empty, "nowhere"): "there is no directory",
		file:                            "is not a directory",
		empty:                           "holds no .tf files",
	} {
		e, diags := terraform.Load(dir, terraform.Options{})
		if e != nil || !diags.HasErrors() || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %v", dir, diags.Error())
		}
	}
}

// A file that no one wrote by hand is refused before it is parsed.
func TestBounds(t *testing.T) {
	for name, src := range map[string]string{
		"is larger than":       "# " + strings.Repeat("x", 5<<20),
		"is not UTF-8 text":    "locals { a = \"\xff\" }",
		"is nested more than":  "locals {\n a = " + strings.Repeat("(", 100_000) + "\n}",
		"nested more than 250": "locals {\n a = " + strings.Repeat("!", 100_000) + "true\n}",
	} {
		dir := t.TempDir()
		write(t, dir, "main.tf", src)
		if _, diags := terraform.Load(dir, terraform.Options{}); !strings.Contains(diags.Error(), name) {
			t.Errorf("%s: %.200s", name, diags.Error())
		}
	}
}

func TestSymlinkLoop(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "main.tf", `module "a" { source = "./loop" }`)
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if _, diags := terraform.Load(dir, terraform.Options{}); !strings.Contains(diags.Error(), "holds no Terraform files") {
		t.Error(diags.Error())
	}
}

// Diagnostics print the source that they are about.
func TestSnippet(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "main.tf", "locals {\n  a = var.missing\n}\n")
	_, diags := terraform.Load(dir, terraform.Options{})
	var buf bytes.Buffer
	if err := diags.Write(&buf, 0, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buf.String(), "main.tf line 2") || !strings.Contains(buf.String(), "   2:   a = var.missing") {
		t.Errorf("no snippet:\n%s", buf.String())
	}
}
