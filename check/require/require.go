package require

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/check"
)

// Suffix is how the names of the files end.
const Suffix = ".require.hcl"

// maxFile bounds what is read of one file, in bytes.
const maxFile = 1 << 20

// Set is what the files ask for.
type Set struct {
	Asks       []check.Ask
	Disables   []check.Disable
	Severities map[string]check.Severity
}

// Dir reads every file of a folder whose name ends in Suffix, in the order of
// their names. A folder without any is an empty set.
func Dir(dir string) (Set, error) {
	var all Set
	names, err := filepath.Glob(filepath.Join(escaped(dir), "*"+Suffix))
	if err != nil {
		return all, fmt.Errorf("looking for requirements in %s: %w", dir, err)
	}
	slices.Sort(names)
	for _, name := range names {
		s, err := File(name)
		if err != nil {
			return all, err
		}
		all = all.With(s)
	}
	return all, nil
}

// escaped is a path in which nothing is a pattern.
func escaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// With is both sets; where both give a rule a severity the other's counts.
func (s Set) With(other Set) Set {
	out := Set{Asks: slices.Concat(s.Asks, other.Asks), Disables: slices.Concat(s.Disables, other.Disables), Severities: map[string]check.Severity{}}
	for _, from := range []map[string]check.Severity{s.Severities, other.Severities} {
		for rule, severity := range from {
			out.Severities[rule] = severity
		}
	}
	return out
}

// File reads one file.
func File(name string) (Set, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Set{}, fmt.Errorf("reading requirements: %w", err)
	}
	if info.Size() > maxFile {
		return Set{}, fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return Set{}, fmt.Errorf("reading requirements: %w", err)
	}
	return Parse(src, name)
}

// Parse reads the text of one file. Its error has a line for each thing that is
// wrong, with file and line.
func Parse(src []byte, name string) (Set, error) {
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return Set{}, asError(diags)
	}
	p := parser{set: Set{Severities: map[string]check.Severity{}}}
	body, _ := f.Body.(*hclsyntax.Body)
	for _, a := range sortedAttributes(body) {
		p.fail(a.SrcRange, "%s is not known here; write blocks require, disable and severity", a.Name)
	}
	for _, b := range body.Blocks {
		p.block(b)
	}
	return p.set, errors.Join(p.errs...)
}

func asError(diags hcl.Diagnostics) error {
	var errs []error
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %s; %s", d.Subject.Filename, d.Subject.Start.Line, d.Summary, d.Detail))
		}
	}
	return errors.Join(errs...)
}

type parser struct {
	set  Set
	errs []error
}

func (p *parser) fail(at hcl.Range, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", at.Filename, at.Start.Line, fmt.Sprintf(format, args...)))
}

func place(at hcl.Range) check.At { return check.At{File: at.Filename, Line: at.Start.Line} }

func (p *parser) block(b *hclsyntax.Block) {
	kinds := []string{"require", "disable", "severity"}
	if !slices.Contains(kinds, b.Type) {
		p.fail(b.TypeRange, "there is no block %s%s", b.Type, nearest(b.Type, kinds))
		return
	}
	if len(b.Labels) != 1 {
		p.fail(b.TypeRange, `%s has one label, as %s "..."`, b.Type, b.Type)
		return
	}
	for _, inner := range b.Body.Blocks {
		p.fail(inner.TypeRange, "%s takes no block %s; write %s = {...}", b.Type, inner.Type, inner.Type)
	}
	switch b.Type {
	case "require":
		p.require(b)
	case "disable":
		p.disable(b)
	case "severity":
		p.severity(b)
	}
}

func (p *parser) require(b *hclsyntax.Block) {
	a := check.Ask{Name: b.Labels[0], Must: true, At: place(b.TypeRange)}
	must, mustNot := true, false
	fields := map[string]func(*hclsyntax.Attribute){
		"from":     func(at *hclsyntax.Attribute) { a.From = p.selector(at) },
		"to":       func(at *hclsyntax.Attribute) { a.To = p.selector(at) },
		"as":       func(at *hclsyntax.Attribute) { a.As = p.selector(at) },
		"port":     func(at *hclsyntax.Attribute) { a.Port = p.port(at) },
		"protocol": func(at *hclsyntax.Attribute) { a.Protocol = p.protocol(at) },
		"may":      func(at *hclsyntax.Attribute) { a.May = p.text(at) },
		"data":     func(at *hclsyntax.Attribute) { a.Data = p.truth(at) },
		"private":  func(at *hclsyntax.Attribute) { a.Private = p.truth(at) },
		"must":     func(at *hclsyntax.Attribute) { must = p.truth(at) },
		"must_not": func(at *hclsyntax.Attribute) { mustNot = p.truth(at) },
		"severity": func(at *hclsyntax.Attribute) { a.Severity = p.level(at) },
	}
	p.attributes(b, fields)
	a.Must = must && !mustNot
	if given(b, "must") && given(b, "must_not") && must == mustNot {
		p.fail(b.TypeRange, "require %q says must and must_not; keep one", a.Name)
	}
	switch {
	case !given(b, "to"):
		p.fail(b.TypeRange, "require %q says no to: which service or machine", a.Name)
	case !given(b, "from") && (!given(b, "as") || !given(b, "may")):
		p.fail(b.TypeRange, "require %q says no from; without it a requirement is about a right, and says as and may", a.Name)
	}
	p.set.Asks = append(p.set.Asks, a)
}

func (p *parser) disable(b *hclsyntax.Block) {
	d := check.Disable{Rule: b.Labels[0], At: place(b.TypeRange)}
	p.attributes(b, map[string]func(*hclsyntax.Attribute){
		"resource": func(at *hclsyntax.Attribute) { d.On = p.selector(at) },
		"reason":   func(at *hclsyntax.Attribute) { d.Reason = strings.TrimSpace(p.text(at)) },
	})
	if d.Reason == "" {
		p.fail(b.TypeRange, "disable %q gives no reason; say why, as reason = \"...\"", d.Rule)
	}
	p.set.Disables = append(p.set.Disables, d)
}

func (p *parser) severity(b *hclsyntax.Block) {
	var level check.Severity
	p.attributes(b, map[string]func(*hclsyntax.Attribute){"level": func(at *hclsyntax.Attribute) { level = p.level(at) }})
	if _, ok := check.RuleByID(b.Labels[0]); !ok {
		p.fail(b.LabelRanges[0], "there is no rule %s%s", b.Labels[0], nearest(b.Labels[0], ruleIDs()))
	}
	if level == "" && !given(b, "level") {
		p.fail(b.TypeRange, "severity %q gives no level: critical, high, medium or low", b.Labels[0])
	}
	p.set.Severities[b.Labels[0]] = level
}

func ruleIDs() []string {
	var out []string
	for _, r := range check.Rules() {
		out = append(out, r.ID)
	}
	return out
}

func given(b *hclsyntax.Block, name string) bool { return b.Body.Attributes[name] != nil }

func (p *parser) attributes(b *hclsyntax.Block, fields map[string]func(*hclsyntax.Attribute)) {
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, a := range sortedAttributes(b.Body) {
		read, ok := fields[a.Name]
		if !ok {
			p.fail(a.NameRange, "%s has no %s%s", b.Type, a.Name, nearest(a.Name, known))
			continue
		}
		read(a)
	}
}

func sortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	var out []*hclsyntax.Attribute
	for _, a := range body.Attributes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return out
}

// value evaluates an attribute, which may use no variable and no function.
func (p *parser) value(a *hclsyntax.Attribute) (cty.Value, bool) {
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		p.fail(a.SrcRange, "%s: %s", a.Name, diags[0].Detail)
		return v, false
	}
	return v, v.IsWhollyKnown() && !v.IsNull()
}

func (p *parser) text(a *hclsyntax.Attribute) string {
	v, ok := p.value(a)
	if !ok || v.Type() != cty.String {
		p.fail(a.SrcRange, "%s is a string", a.Name)
		return ""
	}
	return v.AsString()
}

func (p *parser) truth(a *hclsyntax.Attribute) bool {
	v, ok := p.value(a)
	if !ok || v.Type() != cty.Bool {
		p.fail(a.SrcRange, "%s is true or false", a.Name)
		return false
	}
	return v.True()
}

func nearest(wrong string, known []string) string {
	best, at := "", 0.5
	for _, k := range known {
		if s := levenshtein.Similarity(wrong, k, nil); s > at {
			best, at = k, s
		}
	}
	if best == "" {
		return ": there are " + strings.Join(known, ", ")
	}
	return "; did you mean " + best + "?"
}
