package mlclient

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestIgnoredFiles(t *testing.T) {
	for _, tt := range []struct {
		rules     string
		out, kept []string
	}{
		{"", []string{".git/config", "a/__pycache__/x.pyc", ".amlignore"}, []string{"a.py", ".gitignore"}},
		{"*.csv", []string{"a.csv", "d/e/a.csv"}, []string{"a.csv.py"}},
		{"/a.csv", []string{"a.csv"}, []string{"d/a.csv"}},
		{"d/a.csv", []string{"d/a.csv"}, []string{"x/d/a.csv", "a.csv"}},
		{"data/", []string{"data/a", "x/data/a/b"}, []string{"data.py", "x/data"}},
		{"data", []string{"data", "data/a", "x/data/a"}, []string{"mydata"}},
		{"**/tmp/*.log", []string{"tmp/a.log", "x/y/tmp/a.log"}, []string{"tmp/x/a.log"}},
		{"a/**/z", []string{"a/z", "a/b/c/z"}, []string{"z", "b/a/z"}},
		{"*.csv\n!keep.csv", []string{"a.csv"}, []string{"keep.csv", "d/keep.csv"}},
		{"data/\n!data/keep", []string{"data/keep"}, nil},
		{"# comment\n\n\\#x\n[ab].py  ", []string{"#x", "a.py"}, []string{"comment", "c.py"}},
	} {
		var ig ignore
		for _, line := range always {
			ig.add(line)
		}
		for _, line := range splitLines(tt.rules) {
			ig.add(line)
		}
		for _, f := range tt.out {
			if !ig.ignored(f) {
				t.Errorf("%q keeps %s", tt.rules, f)
			}
		}
		for _, f := range tt.kept {
			if ig.ignored(f) {
				t.Errorf("%q leaves %s out", tt.rules, f)
			}
		}
	}
}

func splitLines(s string) []string {
	var out []string
	for len(s) > 0 {
		i := slices.Index([]byte(s), '\n')
		if i < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:i]), s[i+1:]
	}
	return out
}

func TestScanHashesWhatIsUploaded(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash := func() string {
		t.Helper()
		f, err := scan(dir, true)
		if err != nil {
			t.Fatal(err)
		}
		return f.hash
	}
	put("a.py", "1")
	put(".amlignore", "*.tmp\n")
	first := hash()
	put("b.tmp", "ignored")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.py")); err != nil {
		t.Fatal(err)
	}
	if hash() != first {
		t.Error("what is left out changes the hash")
	}
	put("sub/c.py", "2")
	second := hash()
	if second == first {
		t.Error("a new file does not change the hash")
	}
	put("a.py", "3")
	if hash() == second {
		t.Error("new content does not change the hash")
	}
	if _, err := scan(filepath.Join(dir, "none"), true); err == nil {
		t.Error("a folder that is not there is scanned")
	}
	empty := t.TempDir()
	if _, err := scan(empty, true); err == nil {
		t.Error("an empty folder is uploaded")
	}
}

func TestTraffic(t *testing.T) {
	got, err := ParseTraffic("blue=90 green=10")
	if err != nil || got["blue"] != 90 || got["green"] != 10 {
		t.Errorf("%v (%v)", got, err)
	}
	for _, bad := range []string{"blue", "blue=x", "=1"} {
		if _, err := ParseTraffic(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
