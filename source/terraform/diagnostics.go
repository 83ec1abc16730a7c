package terraform

import (
	"fmt"
	"io"
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
	Severity Severity
	Summary  string // terse
	Detail   string // with what to do
	File     string // "" where no file is concerned
	Line     int
	Column   int
}

func (d Diagnostic) String() string {
	place := ""
	if d.File != "" {
		place = fmt.Sprintf("%s:%d:%d: ", d.File, d.Line, d.Column)
	}
	return place + d.Summary + ": " + strings.ReplaceAll(d.Detail, "\n", " ")
}

// Diagnostics are what reading said, errors first. The zero Diagnostics say
// nothing.
type Diagnostics struct {
	list  hcl.Diagnostics
	files map[string]*hcl.File
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

// Write prints the diagnostics with the source text they are about. Width wraps
// the detail (0: not), and color marks them for a terminal.
func (d Diagnostics) Write(w io.Writer, width uint, color bool) error {
	return hcl.NewDiagnosticTextWriter(w, d.files, width, color).WriteDiagnostics(d.list)
}
