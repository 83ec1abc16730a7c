package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Bounds of one run over a template and those within it. Azure's own limit is 800
// resources a deployment; nested ones count for themselves there.
const (
	maxResources = 20_000
	maxNested    = 20
	maxErrors    = 50
)

// run is what a template and those within it share.
type run struct {
	*eval.Shared
	opts      Options
	root      *os.Root // where linked templates are; nil for a template that is no file
	dir       string   // of the root, for names of files
	diags     diagnostic.Diagnostics
	errs      int
	resources int
	unread    []arm.Unread
	specs     map[string]*Step // of template specs' versions, by key of the id
	home      target           // of the template itself
	cloud     asked            // what answers reference() while something is evaluated
}

func newRun(file string, opts Options) *run {
	return &run{Shared: eval.NewShared(), opts: opts, dir: filepath.Dir(file), specs: map[string]*Step{}}
}

// open lets linked templates be read from the folder of the file, if it is one.
func (r *run) open(file string) {
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
		r.root, _ = os.OpenRoot(r.dir)
	}
}

func (r *run) close() {
	if r.root != nil {
		r.root.Close()
	}
}

func (r *run) add(s diagnostic.Severity, file string, at jsontext.Pos, summary, detail string, args ...any) {
	if s == diagnostic.Error {
		if r.errs++; r.errs > maxErrors {
			return
		}
	}
	r.diags.Add(diagnostic.Diagnostic{
		Severity: s, Summary: summary, Detail: fmt.Sprintf(detail, args...), File: file, Line: at.Line, Column: at.Column,
	})
}

// report adds an error of evaluation.
func (r *run) report(err error) {
	var e *eval.Error
	switch {
	case err == nil:
	case errors.As(err, &e):
		r.add(diagnostic.Error, e.File, e.Pos, e.Summary, "%s", e.Detail)
	default:
		r.errs++
		r.diags.Append(diagnostic.Fail("", "Template cannot be evaluated", "%v.", err))
	}
}

// over reports whether a run has said enough, or may not work on.
func (r *run) over() bool { return r.errs > maxErrors || r.Meter.Spend(0) != nil }

// begin is the deployment that a template is.
func (r *run) begin(file string, text []byte) *Deployment {
	root, ok := r.parse(file, text)
	if !ok {
		return nil
	}
	at, err := targetOf(root, r.opts)
	if err != nil {
		r.add(diagnostic.Error, file, root.Pos, "Not a template", "%s.", err)
		return nil
	}
	r.home = at
	name := r.opts.Name
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	d := &Deployment{run: r, name: name, file: file, root: root, at: at, said: at}
	given, written := r.given(r.opts)
	if r.errs > 0 || r.diags.HasErrors() {
		return nil
	}
	d.scope, err = eval.New(r.Shared, root, eval.Options{
		File: file, Host: d, Given: given, Written: written, Secrets: r.opts.Secrets, Require: r.opts.RequireParameters,
	})
	if err != nil {
		r.report(err)
		return nil
	}
	for _, err := range d.scope.Check() {
		r.report(err)
	}
	if r.errs > 0 {
		return nil
	}
	d.expand()
	return d
}

// keep names something of the template that the estate has no document of.
func (r *run) keep(s *Step, reason string) {
	r.unread = append(r.unread, arm.Unread{Address: s.Source.Address, Type: s.Type, Reason: reason, Source: s.Source})
}

// stands is the unknown value for a part of where a deployment goes.
func stands(expression, symbol string) value.Unknown {
	return value.NewUnknown(expression, "", 0).As(symbol)
}
