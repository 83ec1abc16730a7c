package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The commands of docs/ci.md that are cloister's run as they are written there, on
// a clean solution and on a broken one.
func TestCommandsOfTheCIExamplesRun(t *testing.T) {
	doc, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := ciCommands(string(doc))
	if len(commands) < 6 {
		t.Fatalf("only these commands were found: %q", commands)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	// testscript's main runs as the program whose name it is called by.
	if err := os.Symlink(self, filepath.Join(bin, "cloister")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "infra"), os.DirFS(exampleDir)); err != nil {
		t.Fatal(err)
	}
	run := func(command string) (string, error) {
		cmd := exec.Command("bash", "-ec", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BASE=HEAD", "NUMBER=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("git init -q && git add . && git -c user.name=me -c user.email=me@example.com commit -q -m one"); err != nil {
		t.Skipf("git: %v: %s", err, out)
	}
	for _, c := range commands {
		if out, err := run(c); err != nil {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
	if err := os.Remove(filepath.Join(dir, "infra", "modules", "peering", "main.tf")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "infra", "modules", "peering", "main.tf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		_, err := run(c)
		if failing := !strings.Contains(c, "||") && !strings.Contains(c, "baseline"); failing != (err != nil) {
			t.Errorf("on a broken solution %s: %v", c, err)
		}
	}
}

var ciCommand = regexp.MustCompile("(?m)(?:^|- |`)\\s*(?:run: )?(?:\\$\\(go env GOPATH\\)/bin/)?(cloister (?:check|diff) infra[^`\\n]*|cloister diff --git [^`\\n]*)")

func ciCommands(doc string) []string {
	var out []string
	for _, m := range ciCommand.FindAllStringSubmatch(doc, -1) {
		out = append(out, strings.TrimSpace(m[1]))
	}
	return out
}

// The hook that pre-commit reads names a command that there is.
func TestPreCommitHookNamesACommand(t *testing.T) {
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct {
		ID, Entry, Files string
		Args             []string
	}
	if err := yaml.Unmarshal(text, &hooks); err != nil {
		t.Fatal(err)
	}
	if len(hooks) != 1 || hooks[0].ID == "" {
		t.Fatalf("hooks: %+v", hooks)
	}
	cmd, _, err := newRootCommand().Find(append(strings.Fields(hooks[0].Entry)[1:], hooks[0].Args...))
	if err != nil || cmd.Name() != "check" {
		t.Errorf("%s: %v", hooks[0].Entry, err)
	}
	if files := regexp.MustCompile(hooks[0].Files); !files.MatchString("infra/main.tf") || files.MatchString("README.md") {
		t.Errorf("files: %s", hooks[0].Files)
	}
}
