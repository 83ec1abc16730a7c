package check

import (
	"testing"

	"github.com/cloister-ml/cloister/network/networktest"
	"pgregory.net/rapid"
)

// Whatever the networks are, each requirement is answered with a reason, and what
// follows from another names one that falls and follows from none.
func TestRandomNetworksAreAnswered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := networktest.Random(t, networktest.Complete)
		r := Prove(e, Options{})
		causes := map[string]Requirement{}
		for _, q := range r.Requirements {
			causes[q.ID] = q
		}
		for _, q := range r.Requirements {
			if q.Reason == "" || q.Title == "" || len(q.Stages) == 0 {
				t.Errorf("%s is not explained: %+v", q.ID, q)
			}
			if q.Because == "" {
				continue
			}
			cause, ok := causes[q.Because]
			if !ok || !cause.Finding() || q.Outcome == Holds {
				t.Errorf("%s (%s) follows from %s, which is %+v", q.ID, q.Outcome, q.Because, cause)
			}
		}
	})
}
