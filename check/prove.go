package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// Prove derives what a secured machine learning solution requires of an estate
// and answers each requirement.
func Prove(e *arm.Estate, opts Options) *Report {
	w := newWorld(e)
	w.opts = opts
	r := &Report{Places: w.places, Resources: e.Len(), Unread: len(e.Unread()), UnreadTypes: e.UnreadTypes()}
	for _, rule := range rules {
		found := rule.derive(w)
		slices.SortStableFunc(found, func(a, b Requirement) int { return cmp.Compare(a.ID, b.ID) })
		unique(found)
		for i := range found {
			found[i].Rule = rule.ID
			found[i].Severity = cmp.Or(found[i].Severity, rule.Severity)
			switchOff(&found[i], opts.Disable)
		}
		r.Requirements = append(r.Requirements, found...)
	}
	trace(r.Requirements)
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
