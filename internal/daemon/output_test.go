package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(full, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	o := output{dir: dir, w: &out, last: 2, files: map[string]*followed{}}
	step := func(what, want string) {
		t.Helper()
		out.Reset()
		if err := o.read(false); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(out.String()), " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret of the host\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	step("before it runs", "")
	write("console.log", "one\ntwo\nthree\n")
	write("disk/etc/cloister/services.d/agent.json", "{}")
	write("disk/etc/cloister/services.d/sly.json", "{}")
	write("disk/var/log/agent.log", "listening\n")
	write("disk/var/log/other.log", "not a service\n")
	if err := os.Symlink(secret, filepath.Join(dir, "disk/var/log/sly.log")); err != nil {
		t.Fatal(err)
	}
	step("the last lines of each service", "console two console three agent listening")
	step("nothing new", "")
	write("disk/var/log/agent.log", "running a j")
	step("half a line waits", "")
	write("disk/var/log/agent.log", "ob\n")
	step("for its other half", "agent running a job")
	if err := os.Rename(filepath.Join(dir, "disk/var/log/agent.log"), filepath.Join(dir, "disk/var/log/agent.log.1")); err != nil {
		t.Fatal(err)
	}
	write("disk/var/log/agent.log", "after rotation\n")
	step("a new file is read from its beginning", "agent after rotation")
}

func TestTailOffset(t *testing.T) {
	tests := []struct {
		text string
		n    int
		want int64
	}{
		{"a\nb\nc\n", 2, 2}, {"a\nb\nc\n", 9, 0}, {"a\nb\nc\n", 0, 6}, {"", 3, 0}, {"no end", 1, 0}, {"a\nno end", 1, 0},
	}
	for _, tt := range tests {
		got, err := tailOffset(strings.NewReader(tt.text), int64(len(tt.text)), tt.n)
		if err != nil || got != tt.want {
			t.Errorf("the last %d lines of %q begin at %d, error %v, want %d", tt.n, tt.text, got, err, tt.want)
		}
	}
}
