package diagnostic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Severity of a diagnostic.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one thing that is wrong or worth knowing.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`          // terse
	Detail   string   `json:"detail,omitempty"` // with what to do
	File     string   `json:"file,omitempty"`   // "" where no file is concerned
	Line     int      `json:"line,omitempty"`   // from 1; 0 where the file as a whole is meant
	Column   int      `json:"column,omitempty"`
	Snippet  string   `json:"snippet,omitempty"` // the line of the file, where its text is at hand
}

func (d Diagnostic) String() string {
	place := ""
	if d.File != "" {
		place = d.File + ": "
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d: ", d.File, d.Line, d.Column)
		}
	}
	return place + d.Summary + ": " + strings.ReplaceAll(d.Detail, "\n", " ")
}

// Diagnostics are what reading said, in the order in which it was said. The zero
// Diagnostics say nothing.
type Diagnostics struct {
	list  hcl.Diagnostics
	files map[string]*hcl.File
}

// Of are the diagnostics of a reader that works with hcl; files are the sources by
// name, for the text around each place.
func Of(list hcl.Diagnostics, files map[string]*hcl.File) Diagnostics {
	return Diagnostics{list: list, files: files}
}

// Fail is one error that concerns a file as a whole, or none ("").
func Fail(file, summary, detail string, args ...any) Diagnostics {
	var d Diagnostics
	d.Add(Diagnostic{Severity: Error, Summary: summary, Detail: fmt.Sprintf(detail, args...), File: file})
	return d
}

// Source gives the text of a file, for the lines around the places in it that
// diagnostics added later have.
func (d *Diagnostics) Source(file string, text []byte) {
	files := make(map[string]*hcl.File, len(d.files)+1)
	for name, f := range d.files {
		files[name] = f
	}
	files[file] = &hcl.File{Bytes: text}
	d.files = files
}

// Add adds one; its snippet comes from the file's text.
func (d *Diagnostics) Add(one Diagnostic) {
	h := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: one.Summary, Detail: one.Detail}
	if one.Severity == Warning {
		h.Severity = hcl.DiagWarning
	}
	if one.File != "" {
		h.Subject = d.place(one)
	}
	d.list = append(slices.Clip(d.list), h)
}

// place is the range from a diagnostic's place to the end of its line.
func (d *Diagnostics) place(one Diagnostic) *hcl.Range {
	r := &hcl.Range{Filename: one.File, Start: hcl.Pos{Line: one.Line, Column: one.Column}}
	r.End = r.Start
	f, ok := d.files[one.File]
	if !ok || one.Line < 1 {
		return r
	}
	start, text := lineOf(f.Bytes, one.Line)
	at := min(max(one.Column-1, 0), len(text))
	r.Start.Byte, r.End.Byte, r.End.Column = start+at, start+len(text), r.Start.Column+len(text)-at
	return r
}

// lineOf is where a line begins and its text.
func lineOf(src []byte, line int) (start int, text string) {
	rest := string(src)
	for n := 1; ; n++ {
		head, tail, more := strings.Cut(rest, "\n")
		if n == line {
			return start, strings.TrimSuffix(head, "\r")
		}
		if !more {
			return len(src), ""
		}
		start += len(head) + 1
		rest = tail
	}
}

// Append adds what another reader said.
func (d *Diagnostics) Append(other Diagnostics) {
	for name, f := range other.files {
		if _, ok := d.files[name]; !ok {
			d.Source(name, f.Bytes)
		}
	}
	d.list = append(slices.Clip(d.list), other.list...)
}

// HasErrors reports whether there is no estate to work with.
func (d Diagnostics) HasErrors() bool { return d.list.HasErrors() }

// All are the diagnostics in order.
func (d Diagnostics) All() []Diagnostic {
	out := make([]Diagnostic, 0, len(d.list))
	for _, h := range d.list {
		one := Diagnostic{Severity: Error, Summary: h.Summary, Detail: h.Detail}
		if h.Severity == hcl.DiagWarning {
			one.Severity = Warning
		}
		if h.Subject != nil {
			one.File, one.Line, one.Column = h.Subject.Filename, h.Subject.Start.Line, h.Subject.Start.Column
			if one.Line > 0 && d.showable(*h.Subject) {
				_, one.Snippet = lineOf(d.files[one.File].Bytes, one.Line)
			}
		}
		out = append(out, one)
	}
	return out
}

// Errors are the diagnostics that are errors.
func (d Diagnostics) Errors() []Diagnostic { return d.only(Error) }

// Warnings are the diagnostics that are warnings.
func (d Diagnostics) Warnings() []Diagnostic { return d.only(Warning) }

func (d Diagnostics) only(s Severity) []Diagnostic {
	var out []Diagnostic
	for _, one := range d.All() {
		if one.Severity == s {
			out = append(out, one)
		}
	}
	return out
}

// Error is the errors, a line each, for callers that treat them as one error.
func (d Diagnostics) Error() string {
	var lines []string
	for _, one := range d.Errors() {
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}

// Err is the diagnostics as an error, nil where they hold none.
func (d Diagnostics) Err() error {
	if !d.HasErrors() {
		return nil
	}
	return d
}
