package diagnostic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source/diagnostic"
)

func written(t *testing.T, d diagnostic.Diagnostics) string {
	t.Helper()
	var b strings.Builder
	if err := d.Write(&b, 0, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A place in a file whose text is at hand is shown with its line.
func TestSnippet(t *testing.T) {
	var d diagnostic.Diagnostics
	d.Source("main.json", []byte("{\r\n  \"a\": nul\r\n}\n"))
	d.Add(diagnostic.Diagnostic{Severity: diagnostic.Error, Summary: "Not JSON", Detail: "It is not.", File: "main.json", Line: 2, Column: 8})
	want := "Error: Not JSON\n\n  on main.json line 2:\n   2:   \"a\": nul\n\nIt is not.\n\n"
	if got := written(t, d); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if one := d.All()[0]; one.Snippet != `  "a": nul` || one.String() != "main.json:2:8: Not JSON: It is not." {
		t.Errorf("%+v", one)
	}
}

// What concerns a whole file, or no file, names it and shows nothing.
func TestWithoutAPlace(t *testing.T) {
	d := diagnostic.Fail("plan.json", "Too old", "It has version %d.", 3)
	d.Append(diagnostic.Fail("", "Nothing to read", "There is nothing."))
	want := "Error: Too old\n\nplan.json: It has version 3.\n\nError: Nothing to read\n\nThere is nothing.\n\n"
	if got := written(t, d); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A document of one line is not shown whole.
func TestLongLine(t *testing.T) {
	var d diagnostic.Diagnostics
	d.Source("plan.json", []byte(strings.Repeat("x", 10_000)))
	d.Add(diagnostic.Diagnostic{Severity: diagnostic.Error, Summary: "Not JSON", Detail: "It is not.", File: "plan.json", Line: 1, Column: 9_000})
	if got := written(t, d); len(got) > 200 || !strings.Contains(got, "plan.json line 1") {
		t.Errorf("%.300s", got)
	}
}

func TestJSON(t *testing.T) {
	var d diagnostic.Diagnostics
	d.Add(diagnostic.Diagnostic{Severity: diagnostic.Warning, Summary: "Odd", Detail: "Look at it."})
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"severity":"warning","summary":"Odd","detail":"Look at it."}]`; string(raw) != want {
		t.Errorf("%s\nwant %s", raw, want)
	}
	if d.Err() != nil || d.HasErrors() || len(d.Warnings()) != 1 {
		t.Error("a warning counts as an error")
	}
}
