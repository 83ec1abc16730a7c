package funcs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func eval(t testing.TB, dir, src string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", src, diags)
	}
	set := setting(dir)
	Bound(expr, set.Meter)
	return expr.Value(&hcl.EvalContext{Functions: Table(set)})
}

// setting allows what lies in dir.
func setting(dir string) Setting {
	return Setting{
		Dir: dir, Sensitive: "sensitive", Meter: &Meter{},
		Allowed: func(path string) error {
			if !strings.HasPrefix(path, filepath.Clean(dir)) && dir != "." {
				return errors.New("outside")
			}
			return nil
		},
		Unknown: func(_ string, typ cty.Type) cty.Value { return cty.UnknownVal(typ) },
	}
}

// functions.txt holds expressions and what the console of Terraform 1.11 answers
// to jsonencode of them.
func TestFunctionsAnswerAsTerraform(t *testing.T) {
	f, err := os.Open("testdata/functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		src, want, ok := strings.Cut(sc.Text(), "\t")
		if !ok {
			t.Fatalf("not a line of the file: %s", sc.Text())
		}
		v, diags := eval(t, "testdata/files", src)
		if want == refused {
			if !diags.HasErrors() {
				t.Errorf("%s = %#v, and terraform refuses it", src, v)
			}
			continue
		}
		if diags.HasErrors() {
			t.Errorf("%s: %v", src, diags)
			continue
		}
		v, _ = v.UnmarkDeep()
		got, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if !sameJSON(t, got, []byte(want)) {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	for raw, into := range map[*[]byte]*any{&a: &x, &b: &y} {
		dec := json.NewDecoder(bytes.NewReader(*raw))
		if err := dec.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestFunctionErrors(t *testing.T) {
	for src, want := range map[string]string{
		`cidrsubnet("10.0.0.0/28", 8, 0)`:     "cannot be made 8 bits longer",
		`cidrsubnet("10.0.0.0/24", 2, 4)`:     "has no network number 4",
		`cidrhost("10.0.0.0/24", 256)`:        "has no host number 256",
		`cidrhost("10.0.0.0", 1)`:             "not a prefix",
		`cidrsubnets("10.0.0.0/30", 1, 1, 1)`: "too small",
		`cidrnetmask("fd00::/64")`:            "not an IPv4 prefix",
		`one(["a", "b"])`:                     "at most one",
		`coalesce("", null)`:                  "no argument has a value",
		`base64decode("!")`:                   "not base64",
		`uuidv5("nowhere", "x")`:              "neither a UUID",
		`index(["a"], "b")`:                   "does not hold",
		`lookup({}, "a")`:                     "no default",
		`sum([])`:                             "at least one",
		`file("/nowhere/x")`:                  "there is no file",
		`replace("a", "/(/", "")`:             "does not parse",
		`templatestring("x", [])`:             "must be a map",
		`yamldecode("a: [")`:                  "did not find expected node content",
	} {
		if _, diags := eval(t, ".", src); !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %v, want %q", src, diags, want)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{"a.txt": "text", "b/c.json": "{}", "b/d/e.json": "[]", "raw": "\xff\xfe"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for src, want := range map[string]string{
		`file("a.txt")`:                         `"text"`,
		`filebase64("raw")`:                     `"//4="`,
		`filesha1("a.txt") == sha1("text")`:     `true`,
		`fileexists("b/c.json")`:                `true`,
		`fileexists("b")`:                       `false`,
		`fileset(".", "**/*.json")`:             `["b/c.json","b/d/e.json"]`,
		`fileset("b", "*.json")`:                `["c.json"]`,
		`fileset(".", "{a,x}.{txt,md}")`:        `["a.txt"]`,
		`fileset(".", "**/{c,d/{e,f}}.json")`:   `["b/c.json","b/d/e.json"]`,
		`templatefile("a.txt", {})`:             `"text"`,
		`can(file("raw"))`:                      `false`,
		`can(file("b"))`:                        `false`,
		`can(templatefile("a.txt", { 1 = 2 }))`: `false`,
	} {
		v, diags := eval(t, dir, src)
		if diags.HasErrors() {
			t.Errorf("%s: %v", src, diags)
			continue
		}
		got, err := ctyjson.Marshal(v, v.Type())
		if err != nil || string(got) != want {
			t.Errorf("%s = %s (%v), want %s", src, got, err, want)
		}
	}
}

func TestUnknownFunctions(t *testing.T) {
	for _, src := range []string{`timestamp()`, `plantimestamp()`, `uuid()`, `bcrypt("x")`, `upper(uuid())`, `file("~/.ssh/id_rsa.pub")`} {
		if v, diags := eval(t, "testdata/files", src); diags.HasErrors() || v.IsKnown() {
			t.Errorf("%s = %#v (%v), want an unknown value", src, v, diags)
		}
	}
}

func TestSensitivity(t *testing.T) {
	if v, _ := eval(t, ".", `"${sensitive("a")}b"`); !v.HasMark("sensitive") {
		t.Errorf("a string made of a sensitive one is not sensitive: %#v", v)
	}
}

// Every function, by its name in the recorded table, is a seed.
func FuzzExpression(f *testing.F) {
	f.Add(`cidrsubnet("10.0.0.0/16", 8, 2)`)
	f.Add(`[for s in range(3) : format("%03d", s)]`)
	f.Add(`templatestring("${x}", { x = 1 })`)
	table, err := os.ReadFile("testdata/functions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		src, _, _ := strings.Cut(line, "\t")
		f.Add(src)
	}
	set := setting(f.TempDir())
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<12 || Nesting([]byte(src), "fuzz", false) != nil {
			return
		}
		expr, diags := hclsyntax.ParseExpression([]byte(src), "fuzz", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		*set.Meter = Meter{}
		Bound(expr, set.Meter)
		v, diags := expr.Value(&hcl.EvalContext{Functions: Table(set)})
		if d := set.Meter.Check(v, hcl.Range{}); d == nil && !diags.HasErrors() {
			_ = v.GoString()
		}
	})
}
