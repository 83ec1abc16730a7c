package terraform_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloister-ml/cloister/source/terraform"
	"github.com/cloister-ml/cloister/source/terraform/internal/oracle"
)

// Each folder of testdata/oracle has what the real azurerm provider sent for a
// configuration, to a recording endpoint: "make oracle" re-records it. The estate
// that is read from the same configuration says the same, field by field.
func TestRecorded(t *testing.T) {
	recordings, err := filepath.Glob("testdata/oracle/*/recorded.json")
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range recordings {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			rec, err := oracle.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			e := load(t, filepath.Join(dir, rec.Config), terraform.Options{Vars: rec.Vars, Secrets: true})
			c := oracle.Compare(rec.Bodies, e)
			for _, d := range c.Differences {
				t.Error(d)
			}
			if c.Documents == 0 || c.Fields == 0 {
				t.Errorf("nothing compared: %+v", c)
			}
			t.Logf("%d documents, %d fields, %d unknown", c.Documents, c.Fields, c.Unknown)
		})
	}
}

// A configuration without a recording would be compared with nothing.
func TestEveryConfigurationIsRecorded(t *testing.T) {
	dirs, err := os.ReadDir("testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join("testdata/oracle", d.Name(), "recorded.json")); err != nil {
			t.Errorf("%s: make oracle CONFIG=source/terraform/testdata/oracle/%s UPDATE=1 records it: %v", d.Name(), d.Name(), err)
		}
	}
}
