package funcs

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record what terraform answers")

// refused stands for the answer where terraform gives an error.
const refused = "error"

const recorded = "testdata/functions.txt"

// Every function that Terraform has is here: names.txt is what "terraform
// metadata functions" of the release named in functions.txt lists, with those
// that later releases have added.
func TestEveryFunction(t *testing.T) {
	list, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := Table(setting("testdata/files"))
	for name := range strings.FieldsSeq(string(list)) {
		for _, n := range []string{name, "core::" + name} {
			if _, ok := table[n]; !ok {
				t.Errorf("no function %s", n)
			}
		}
	}
}

// What is recorded is what the terraform of this machine answers. With -update
// the answers are recorded, also those of new lines without one.
func TestRecordIsOfTerraform(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("no terraform on this machine")
	}
	src, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var expressions, answers []string
	for line := range strings.Lines(string(src)) {
		expr, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if expr != "" {
			expressions, answers = append(expressions, expr), append(answers, answer)
		}
	}
	got := console(t, expressions)
	if *update {
		var out strings.Builder
		for i, expr := range expressions {
			out.WriteString(expr + "\t" + got[i] + "\n")
		}
		if err := os.WriteFile(recorded, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, expr := range expressions {
		if got[i] != answers[i] {
			t.Errorf("terraform answers %s to %s, and %s is recorded", got[i], expr, answers[i])
		}
	}
}

// console asks terraform for the JSON of each expression.
func console(t *testing.T, expressions []string) []string {
	t.Helper()
	var in strings.Builder
	in.WriteString("jsonencode([")
	for _, e := range expressions {
		in.WriteString("try(jsonencode(nonsensitive(" + e + ")), \"" + refused + "\"), ")
	}
	in.WriteString("])\n")
	cmd := exec.Command("terraform", "console")
	cmd.Dir = t.TempDir() // for terraform writes beside what it reads
	if err := os.CopyFS(cmd.Dir, os.DirFS("testdata/files")); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "TF_DATA_DIR="+t.TempDir(), "CHECKPOINT_DISABLE=1", "NO_COLOR=1")
	cmd.Stdin = strings.NewReader(in.String())
	var failed strings.Builder
	cmd.Stderr = &failed
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("terraform console: %v\n%s", err, failed.String())
	}
	text, err := strconv.Unquote(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatalf("not an answer: %.200s", raw)
	}
	var out []string
	if err := json.Unmarshal([]byte(text), &out); err != nil || len(out) != len(expressions) {
		t.Fatalf("%d answers to %d expressions: %v", len(out), len(expressions), err)
	}
	return out
}
