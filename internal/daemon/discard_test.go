package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDiscard(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "cloud")
	left := dir + ".removed-12" // by a call that did not finish
	for _, d := range []string{filepath.Join(dir, "images"), left, dir + "2.removed-1", dir + ".removed-x"} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var given []string
	err := discard(dir, func(dirs []string) error {
		if _, err := os.Stat(dir); err == nil {
			t.Error("the folder is still there when its deletion begins")
		}
		given = dirs
		return removeAside(dirs)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(given) != 2 || !slices.Contains(given, left) {
		t.Errorf("to be deleted: %v", given)
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"cloud.removed-x", "cloud2.removed-1"}; !slices.Equal(names, want) {
		t.Errorf("left: %v, want %v", names, want)
	}
}

func TestRemoveAsideRefusesOthers(t *testing.T) {
	dir := t.TempDir()
	if err := removeAside([]string{dir}); err == nil {
		t.Error("it was deleted")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
