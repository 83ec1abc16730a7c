package source_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source"
)

const example = "../examples/secure-mlops"

// An estate that was written is read back, from a file and from standard input.
func TestEstate(t *testing.T) {
	e, diags := source.Load(example, source.Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "estate.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]source.Options{path: {}, source.Stdin: {Stdin: bytes.NewReader(raw)}} {
		again, diags := source.Load(name, opts)
		if diags.HasErrors() {
			t.Fatal(diags.Error())
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(raw, twice) {
			t.Errorf("%s: another estate (%v)", name, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"main.bicep":  {"param location string", `az bicep build --file main.bicep`},
		"main.tf":     {"locals {}", "name the directory that it is in"},
		"plan.out":    {"PK\x03\x04\x00", `terraform show -json plan.out`},
		"empty.json":  {" \n", "There is nothing in it"},
		"list.json":   {"[1]", "This is nothing that is read"},
		"other.json":  {`{"a":1}`, "This is nothing that is read"},
		"cut.json":    {"{\n  \"planned_values\": {", "cut.json:2:21: Not JSON"},
		"wrong.json":  {`{"format_version": 1}`, "Not the JSON that it should be"},
		"deep.json":   {strings.Repeat("[", 20_000), "This is nothing that is read"},
		"deeper.json": {`{"values":` + strings.Repeat("[", 20_000), "exceeded max depth"},
		"estate.json": {`{"resources":[{"id":"x"}]}`, "not a resource id"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		e, diags := source.Load(path, source.Options{})
		if e != nil || !strings.Contains(diags.Error(), c.want) {
			t.Errorf("%s: %s", name, diags.Error())
		}
	}
	if _, diags := source.Load(source.Stdin, source.Options{}); !diags.HasErrors() {
		t.Error("no standard input, and no error")
	}
}
