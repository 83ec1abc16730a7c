package terraform

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var declared = regexp.MustCompile(`(?m)^\s*resource\s+"(azurerm_\w+)"`)

// Every mapped type is held against what the provider sends, or is listed in
// testdata/unrecorded.txt with the reason why not. The list can only shrink.
func TestEveryMappedTypeIsRecorded(t *testing.T) {
	recorded := recordedTypes(t)
	listed := unrecorded(t)
	for _, typ := range slices.Sorted(maps.Keys(kinds)) {
		if !strings.HasPrefix(typ, "azurerm_") {
			continue
		}
		switch reason, ok := listed[typ]; {
		case !ok && !recorded[typ]:
			t.Errorf("%s is mapped, and neither recorded in testdata/oracle nor listed in testdata/unrecorded.txt", typ)
		case ok && recorded[typ]:
			t.Errorf("%s is recorded: take it out of testdata/unrecorded.txt", typ)
		case ok && reason == "":
			t.Errorf("%s is listed without a reason", typ)
		}
		delete(listed, typ)
	}
	for typ := range listed {
		t.Errorf("%s is listed in testdata/unrecorded.txt, and not mapped", typ)
	}
}

// recordedTypes are those that the recorded configurations declare: TestRecorded
// holds what was sent for them against the estate, and fails where one of its
// documents was never sent.
func recordedTypes(t *testing.T) map[string]bool {
	t.Helper()
	types := map[string]bool{}
	for _, root := range []string{"testdata/oracle", "../../examples/secure-mlops/terraform"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".tf" {
				return err
			}
			src, err := os.ReadFile(path)
			for _, m := range declared.FindAllStringSubmatch(string(src), -1) {
				types[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(types) < 200 {
		t.Fatalf("only %d types are declared", len(types))
	}
	return types
}

// unrecorded are the types of testdata/unrecorded.txt with their reasons.
func unrecorded(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/unrecorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	reason := ""
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if why, ok := strings.CutPrefix(line, "#"); ok {
			reason = strings.TrimSpace(why)
			continue
		}
		if line != "" {
			out[line] = reason
		}
	}
	return out
}
