package lang

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Missing is something declared whose instances are not known: a module that is
// not on this machine, or a resource whose count or for_each only deployment
// decides.
type Missing struct {
	Address string
	Type    string // the resource type, or "module"
	Reason  string // why, as a clause
	Range   hcl.Range
	Config  *Body // what is written, where it can be evaluated; else nil
}

// miss keeps what cannot be evaluated for the result.
func (ev *evaluator) miss(m Missing) { ev.missing = append(ev.missing, m) }

// missed is what cannot be evaluated, each once: a cell may be computed again
// after an attempt that came too early.
func (ev *evaluator) missed() []Missing {
	slices.SortStableFunc(ev.missing, func(a, b Missing) int { return cmp.Compare(a.Address, b.Address) })
	return slices.CompactFunc(ev.missing, func(a, b Missing) bool { return a.Address == b.Address })
}
