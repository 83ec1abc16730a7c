package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// Prove derives what a secured machine learning solution requires of an estate
// and answers each requirement.
func Prove(e *arm.Estate, opts Options) *Report { return newWorld(e).prove(opts) }

func (w *world) prove(opts Options) *Report {
	w.opts = opts
	e := w.estate
	r := &Report{Places: w.places, Resources: e.Len(), Unread: len(e.Unread()), UnreadTypes: e.UnreadTypes()}
	all := make([][]Requirement, 0, len(rules))
	for _, rule := range rules {
		found := rule.derive(w)
		slices.SortStableFunc(found, func(a, b Requirement) int { return cmp.Compare(a.ID, b.ID) })
		unique(found)
		for i := range found {
			found[i].Rule = rule.ID
			found[i].Severity = cmp.Or(opts.Severities[rule.ID], found[i].Severity, rule.Severity)
			switchOff(&found[i], opts.Disable)
			w.switchOff(&found[i])
		}
		all = append(all, found)
	}
	r.Requirements = slices.Concat(all...)
	trace(r.Requirements)
	r.Unmatched = w.unmatchedParts()
	return r
}

// unique numbers what has one id, as things of one name in two groups have.
func unique(list []Requirement) {
	seen := map[string]int{}
	for i := range list {
		id := list[i].ID
		seen[id]++
		if n := seen[id]; n > 1 {
			list[i].ID = fmt.Sprintf("%s:%d", id, n)
		}
	}
}

// switchOff takes a requirement out of the verdict where the user says so.
func switchOff(r *Requirement, disable map[string]string) {
	for _, key := range []string{r.ID, r.Rule} {
		if reason, ok := disable[key]; ok {
			r.Outcome, r.Reason, r.Remedy = Off, cmp.Or(reason, "switched off without a reason"), ""
			return
		}
	}
}

// switchOff takes a requirement out where a block of the user's or a comment
// beside the resource says so.
func (w *world) switchOff(r *Requirement) {
	for i, d := range w.opts.Disables {
		if d.Rule != r.Rule && d.Rule != r.ID || d.On.given() && !w.concerns(d.On, *r) {
			continue
		}
		w.used[i] = true
		r.Outcome, r.Reason, r.Remedy = Off, d.Reason, ""
		return
	}
	if r.Outcome == Holds {
		return
	}
	doc, _ := w.estate.Get(r.Resource)
	for _, at := range []arm.Source{r.Source, doc.Source} { // a rule may be a resource beside its group's
		for _, s := range w.opts.Remarks[At{at.File, at.Line}].Suppressed {
			if s.Rule == r.Rule || s.Rule == r.ID {
				r.Outcome, r.Reason, r.Remedy = Off, fmt.Sprintf("%s (%s:%d)", s.Reason, s.At.File, s.At.Line), ""
				return
			}
		}
	}
}
