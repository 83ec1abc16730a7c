package verdict

import (
	"fmt"

	"github.com/cloister-ml/cloister/arm"
)

// Value is three-valued: never a guess.
type Value int

const (
	Unknown Value = iota // cannot be said before deployment
	Yes                  // allowed, reachable, resolved
	No                   // denied, unreachable, not resolved
)

func (v Value) String() string {
	switch v {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "unknown"
}

// MarshalText writes yes, no or unknown.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads yes, no or unknown.
func (v *Value) UnmarshalText(text []byte) error {
	for _, known := range []Value{Unknown, Yes, No} {
		if string(text) == known.String() {
			*v = known
			return nil
		}
	}
	return fmt.Errorf("%q is not a verdict: yes, no or unknown", text)
}

// Step is one thing that was looked at on the way to an answer, in order.
type Step struct {
	At       string `json:"at"`                 // what: "NSG nsg-training (subnet training, outbound)", "route 10.2.0.0/16"
	Resource arm.ID `json:"resource,omitempty"` // the document that decided, where one did
	Part     string `json:"part,omitempty"`     // the part of that document that did: properties.securityRules.2
	Value    Value  `json:"value"`
	Reason   string `json:"reason"` // why: "rule deny-ssh (priority 200) denies TCP 22"
}

// Verdict is an answer with its steps. The zero Verdict is unknown.
type Verdict struct {
	Value Value  `json:"value"`
	Steps []Step `json:"steps,omitempty"`
}

// Add appends a step and takes it into the value: one No makes No, otherwise one
// Unknown makes Unknown. It reports whether the steps so far all hold.
func (v *Verdict) Add(s Step) bool {
	if len(v.Steps) == 0 {
		v.Value = s.Value
	} else {
		v.Value = And(v.Value, s.Value)
	}
	v.Steps = append(v.Steps, s)
	return v.Value == Yes
}

// Append adds another verdict's steps.
func (v *Verdict) Append(other Verdict) bool {
	for _, s := range other.Steps {
		v.Add(s)
	}
	return v.Value == Yes
}

// And is No where either is No, else Unknown where either is, else Yes.
func And(a, b Value) Value {
	switch {
	case a == No || b == No:
		return No
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Yes
}

// Not is No for Yes, Yes for No, and Unknown for Unknown.
func Not(v Value) Value {
	switch v {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Unknown
}

// Decisive is the step that settled the value: the first No, else the first
// Unknown, else the last step.
func (v Verdict) Decisive() Step {
	for _, want := range []Value{No, Unknown} {
		for _, s := range v.Steps {
			if s.Value == want {
				return s
			}
		}
	}
	if len(v.Steps) == 0 {
		return Step{}
	}
	return v.Steps[len(v.Steps)-1]
}
