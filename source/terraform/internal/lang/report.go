package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// maxReports bounds what one run says of each severity: the first hundred errors
// are enough.
const maxReports = 100

// report keeps diagnostics, each once.
func (ev *evaluator) report(diags hcl.Diagnostics) {
	for _, d := range diags {
		key := d.Summary + "\x00" + d.Detail
		if d.Subject != nil {
			key += "\x00" + d.Subject.String()
		}
		if ev.reported[key] || ev.said[d.Severity] >= maxReports {
			continue
		}
		ev.reported[key] = true
		ev.said[d.Severity]++
		ev.diags = append(ev.diags, d)
	}
}

func (ev *evaluator) fail(at *hcl.Range, summary, detail string, args ...any) {
	ev.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: at}})
}

func (ev *evaluator) warn(at *hcl.Range, summary, detail string, args ...any) {
	ev.report(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: at}})
}

// called is how messages name a module at the beginning of a sentence.
func (ev *evaluator) called(m *module) string {
	if m.dir == ev.root {
		return "The root module"
	}
	return "The module in " + m.dir
}

// short is a place as file:line.
func short(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// DidYouMean ends a message with the name among those that exist which is
// nearest to the one given, where one is near.
func DidYouMean[T any](given string, among map[string]T) string {
	best, far := "", 1+len(given)/3
	for _, name := range slices.Sorted(maps.Keys(among)) {
		if d := levenshtein.Distance(given, name, nil); d < far {
			best, far = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// suggest names the nearest function or output where one does not exist: the
// library names any function that is near, and no output.
func (ev *evaluator) suggest(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Subject != nil && d.Summary == "Unsupported attribute" {
			for at, say := range ev.nothing {
				if at.Overlaps(*d.Subject) {
					d.Summary, d.Detail, d.Subject = "Reference to nothing", say, &at
				}
			}
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
			name := call.CalledFunctionNamespace() + call.CalledFunctionName()
			d.Detail = fmt.Sprintf("There is no function named %q.%s", name, DidYouMean(name, ev.functions))
		}
	}
}

// traversalString is a reference as it is written.
func traversalString(t hcl.Traversal) string {
	var b strings.Builder
	for i, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			if i > 0 || len(t) > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step.Name)
		case hcl.TraverseIndex:
			b.WriteString(indexString(step.Key))
		case hcl.TraverseSplat:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// indexString is ["key"] or [0].
func indexString(key cty.Value) string {
	key, _ = key.Unmark()
	switch {
	case !key.IsKnown() || key.IsNull():
		return "[?]"
	case key.Type() == cty.String:
		return fmt.Sprintf("[%q]", key.AsString())
	case key.Type() == cty.Number:
		return "[" + key.AsBigFloat().Text('f', -1) + "]"
	}
	return "[?]"
}
