package machine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/machine"
)

func TestLogsAreSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	log := machine.NewLog(path, 10, 2)
	for _, line := range []string{"one\n", "two\n", "three\n", "four\n", "five\n", "six\n", "seven\n"} {
		if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"x.log": "six\nseven\n", "x.log.1": "four\nfive\n", "x.log.2": "three\n"} {
		got, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, error %v, want %q", name, got, err, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files, error %v, want 3", len(entries), err)
	}
	if _, err := log.Write([]byte(strings.Repeat("x", 3))); err != nil {
		t.Errorf("a closed log is not opened again: %v", err)
	}
	_ = log.Close()
}
