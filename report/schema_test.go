package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // it has the schema of OASIS
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cloister-ml/cloister/check"
)

// sarifSchemaText is the schema of SARIF 2.1.0 as OASIS publishes it, errata 01,
// out of the source of a module that keeps it as a constant.
func sarifSchemaText(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatalf("finding the module: %v", err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && text == "" {
			text, err = strconv.Unquote(lit.Value)
		}
		return text == ""
	})
	if err != nil || !strings.Contains(text, sarifSchema) {
		t.Fatalf("the schema is not where it was: %v", err)
	}
	return text
}

func compiled(t *testing.T, url, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(url, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestSARIFIsValid(t *testing.T) {
	s := compiled(t, sarifSchema, sarifSchemaText(t))
	for name, r := range map[string]*check.Report{"sample": sample(), "nothing": {}} {
		var b bytes.Buffer
		if err := SARIF(&b, r, Options{Path: relative, Version: "1.2.3"}); err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, b.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		broken := bytes.Replace(b.Bytes(), []byte(`"columnKind"`), []byte(`"columKind"`), 1)
		if validate(t, s, broken) == nil {
			t.Error("the schema takes anything")
		}
	}
}

// A finding is the same one when lines are put in above it.
func TestFingerprintsStayWhenLinesMove(t *testing.T) {
	prints := func(by int) (out []string) {
		r := sample()
		for i := range r.Requirements {
			r.Requirements[i].Source.Line += by
		}
		for _, g := range following(r.With(check.Violated)) {
			out = append(out, sarifOf(g, Options{}).PartialFingerprints["cloisterRequirement/v1"])
		}
		return out
	}
	a, b := prints(0), prints(7)
	if len(a) == 0 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("%v and %v", a, b)
	}
}

func TestJSONIsAsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/check.schema.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("docs/check.schema.json is missing")
	}
	s := compiled(t, "https://github.com/cloister-ml/cloister/docs/check.schema.json", string(text))
	for name, r := range map[string]*check.Report{"sample": sample(), "nothing": {}} {
		var b bytes.Buffer
		if err := JSON(&b, r, Options{Path: relative}); err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, b.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if validate(t, s, bytes.Replace(b.Bytes(), []byte(`"holds"`), []byte(`"hold"`), 1)) == nil {
			t.Error("the schema takes anything")
		}
	}
}

// junitRules are the elements and attributes of junit-10.xsd of Jenkins' xUnit
// plugin that a report may use, a ! where one is required.
var junitRules = map[string]struct{ attributes, elements string }{
	"testsuites": {"name time tests failures errors", "testsuite"},
	"testsuite":  {"!name !tests !failures !errors group time skipped timestamp hostname id package file log url", "testsuite properties testcase system-out system-err"},
	"testcase":   {"!name time classname group", "skipped error failure system-out system-err"},
	"failure":    {"type message", ""},
	"error":      {"type message", ""},
	"skipped":    {"type message", ""},
}

func TestJUnitIsValid(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, sample(), Options{Path: relative}); err != nil {
		t.Fatal(err)
	}
	var open []string
	for d := xml.NewDecoder(&b); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.StartElement:
			name := tok.Name.Local
			rule, ok := junitRules[name]
			if !ok || len(open) > 0 && !contains(junitRules[open[len(open)-1]].elements, name) || len(open) == 0 && name != "testsuites" {
				t.Errorf("%s in %v", name, open)
			}
			given := map[string]bool{}
			for _, a := range tok.Attr {
				given[a.Name.Local] = true
				if !contains(strings.ReplaceAll(rule.attributes, "!", ""), a.Name.Local) {
					t.Errorf("%s has no attribute %s", name, a.Name.Local)
				}
			}
			for _, a := range strings.Fields(rule.attributes) {
				if must, ok := strings.CutPrefix(a, "!"); ok && !given[must] {
					t.Errorf("%s needs the attribute %s", name, must)
				}
			}
			open = append(open, name)
		}
	}
}

func contains(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}

// No name in a document becomes markup of a comment.
func TestMarkdownIsEscaped(t *testing.T) {
	r := sample()
	for i := range r.Requirements {
		r.Requirements[i].Title = "a <script>x</script> | [link](http://example.com) @everyone ![p](x)"
	}
	var b bytes.Buffer
	if err := Markdown(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	// What is within an element is not read as Markdown.
	text := regexp.MustCompile("(?m)^<summary>.*</summary>$").ReplaceAllStringFunc(b.String(), func(s string) string {
		if strings.Contains(s, "<script") || strings.Contains(s, "@") {
			t.Errorf("in HTML: %s", s)
		}
		return ""
	})
	for _, bad := range []string{"<script", "[link](", "@everyone", "http://", "x | ["} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in\n%s", bad, text)
		}
	}
}
