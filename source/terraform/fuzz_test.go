package terraform_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform"
)

// Whatever the files, reading a directory ends with an estate or with errors,
// and an estate can be written and read back. The input is a txtar archive: a
// directory of configuration, values, modules and templates.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "internal/lang/testdata/*.txtar"} {
		archives, _ := filepath.Glob(pattern)
		for _, path := range archives {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add(archive(f, filepath.Join(example, "terraform")))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		dir := t.TempDir()
		if !unpack(dir, src) {
			return
		}
		e, diags := terraform.Load(dir, terraform.Options{})
		if (e == nil) != diags.HasErrors() {
			t.Fatalf("an estate and errors, or neither: %v", diags.Error())
		}
		if e == nil {
			return
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := arm.ReadEstate(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatalf("the estate does not read back: %v\n%s", err, raw)
		}
		if again.Len() != e.Len() {
			t.Fatalf("%d documents, and %d when read back", e.Len(), again.Len())
		}
	})
}

// unpack writes the files of an archive whose names stay within dir. It is false
// where there are none to try.
func unpack(dir string, src []byte) bool {
	for line := range bytes.Lines(src) {
		if string(bytes.TrimSpace(line)) == "-- --" {
			return false // the parser of archives does not take a name of nothing
		}
	}
	files := txtar.Parse(src).Files
	if len(files) > 20 {
		return false
	}
	for _, file := range files {
		if !fs.ValidPath(file.Name) || file.Name == "." || len(file.Name) > 100 || strings.ContainsAny(file.Name, "\x00\\") {
			continue
		}
		at := filepath.Join(dir, file.Name)
		if os.MkdirAll(filepath.Dir(at), 0o755) != nil {
			continue // a file stands where a folder should
		}
		_ = os.WriteFile(at, file.Data, 0o644) // a folder may stand there
	}
	return len(files) > 0
}

// archive is a directory of configuration as txtar.
func archive(t testing.TB, dir string) []byte {
	t.Helper()
	var a txtar.Archive
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".png" {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		a.Files = append(a.Files, txtar.File{Name: filepath.ToSlash(rel), Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return txtar.Format(&a)
}
