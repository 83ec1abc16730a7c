package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write examples/secure-mlops/map.svg anew")

// The map that is beside the example shows the example as it is.
func TestMapOfTheExample(t *testing.T) {
	root := newRootCommand()
	var got, problems bytes.Buffer
	root.SetOut(&got)
	root.SetErr(&problems)
	dir := filepath.Join("..", "..", "examples", "secure-mlops")
	root.SetArgs([]string{"graph", dir})
	if err := root.Execute(); err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	file := filepath.Join(dir, "map.svg")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not of the example as it is: go test ./cmd/cloister -run MapOfTheExample -update writes it anew", file)
	}
}
