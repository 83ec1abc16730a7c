package value

import "errors"

// ErrCost is what a template that takes too much work ends with.
var ErrCost = errors.New("the template takes more work than is allowed to evaluate it: look for loops within loops, or values that are made of themselves many times over")

// Meter bounds the work of evaluating a template and what it holds. One is shared
// by a template and those within it; it serves one goroutine.
type Meter struct{ left int }

// NewMeter is a meter with a number of units: about one for each value made.
func NewMeter(units int) *Meter { return &Meter{units} }

// Spend takes units, or says that there are no more.
func (m *Meter) Spend(units int) error {
	if m.left -= units; m.left < 0 {
		return ErrCost
	}
	return nil
}

const maxDepth = 150

var errDepth = errors.New("a value is made of arrays and objects nested more than 150 deep")

// Weigh spends what walking through v costs, and refuses a v that is nested too
// deep to walk through.
func (m *Meter) Weigh(v any) error { return m.weigh(v, 0) }

func (m *Meter) weigh(v any, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	if err := m.Spend(1); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		return m.Spend(len(v) / 64)
	case []any:
		for _, e := range v {
			if err := m.weigh(e, depth+1); err != nil {
				return err
			}
		}
	case Object:
		for _, e := range v {
			if err := m.weigh(e, depth+1); err != nil {
				return err
			}
		}
	case Partial:
		return m.weigh(v.Known, depth+1)
	}
	return nil
}
