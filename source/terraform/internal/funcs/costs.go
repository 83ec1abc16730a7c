package funcs

import (
	"errors"
	"math/bits"
	"regexp"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// costs are the functions whose result, or whose work, can be far larger than
// what is written, and the steps that a call takes.
var costs = map[string]func(m *Meter, args []cty.Value) int{
	"setproduct":      productCost,
	"replace":         replaceCost,
	"format":          formatCost,
	"formatlist":      formatCost,
	"join":            joinCost,
	"indent":          indentCost,
	"concat":          totalCost,
	"merge":           totalCost,
	"setunion":        totalCost,
	"setintersection": totalCost,
	"setsubtract":     totalCost,
	"zipmap":          totalCost,
	"chunklist":       totalCost,
	"distinct":        squareCost,
	"matchkeys":       squareCost,
	"flatten":         deepCost,
	"jsonencode":      deepCost,
	"yamlencode":      deepCost,
	"tostring":        deepCost,
	"tolist":          deepCost,
	"tomap":           deepCost,
	"toset":           deepCost,
	"transpose":       deepCost,
	"templatefile":    deepCost,
	"templatestring":  deepCost,
}

// metered makes the functions that costs names answer an error where a call is
// too large.
func metered(table map[string]function.Function, m *Meter) {
	for name, cost := range costs {
		f, ok := table[name]
		if !ok {
			continue
		}
		table[name] = function.New(&function.Spec{
			Description: f.Description(), Params: openParams(f.Params()), VarParam: openParam(f.VarParam()),
			Type: func(args []cty.Value) (cty.Type, error) {
				if !m.Spend(cost(m, args)) {
					return cty.DynamicPseudoType, m.errTooLarge()
				}
				return f.ReturnTypeForValues(args)
			},
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
		})
	}
}

// openParams lets marks and unknowns pass to the function within, which has the
// same parameters and treats them as it should.
func openParams(params []function.Parameter) []function.Parameter {
	out := make([]function.Parameter, len(params))
	for i, p := range params {
		out[i] = *openParam(&p)
	}
	return out
}

func openParam(p *function.Parameter) *function.Parameter {
	if p == nil {
		return nil
	}
	open := *p
	open.AllowMarked, open.AllowUnknown, open.AllowDynamicType = true, true, true
	return &open
}

// count is how many elements a value has, 0 where it has none or that is not known.
func count(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

// textOf is a value's string, "" where it has none.
func textOf(v cty.Value) string {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// product multiplies without overflow.
func product(a, b int) int {
	hi, lo := bits.Mul64(uint64(max(a, 0)), uint64(max(b, 0)))
	if hi != 0 || lo > maxRun {
		return maxRun + 1
	}
	return int(lo)
}

func totalCost(_ *Meter, args []cty.Value) int {
	n := 0
	for _, a := range args {
		n += count(a)
	}
	return n
}

func squareCost(_ *Meter, args []cty.Value) int {
	n := 0
	for _, a := range args {
		n += count(a)
	}
	return product(n, n) / 32
}

func productCost(_ *Meter, args []cty.Value) int {
	n := len(args)
	for _, a := range args {
		n = product(n, count(a))
	}
	return n
}

func deepCost(m *Meter, args []cty.Value) int {
	for _, a := range args {
		if !m.Weigh(a) {
			return maxRun
		}
	}
	return 0
}

func replaceCost(_ *Meter, args []cty.Value) int {
	s, old, by := textOf(args[0]), textOf(args[1]), textOf(args[2])
	found := len(s) + 1
	if len(old) > 0 && !strings.HasPrefix(old, "/") {
		found = strings.Count(s, old)
	}
	return (len(s) + product(found, len(by))) / 16
}

func joinCost(m *Meter, args []cty.Value) int {
	n := 0
	for _, a := range args[1:] {
		n += count(a)
	}
	return deepCost(m, args[1:]) + product(n, len(textOf(args[0])))/16
}

// indentCost also refuses what the function within cannot take.
func indentCost(_ *Meter, args []cty.Value) int {
	by, _ := args[0].Unmark()
	if by.IsNull() || !by.IsKnown() || by.Type() != cty.Number {
		return 0
	}
	n, _ := by.AsBigFloat().Int64()
	if n > maxRun {
		return maxRun
	}
	return product(strings.Count(textOf(args[1]), "\n"), int(n)) / 16
}

// wide finds the widths and precisions of a format string.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*`)

func formatCost(m *Meter, args []cty.Value) int {
	lines := 1
	for _, a := range args[1:] {
		lines = max(lines, count(a))
	}
	width := 0
	for _, verb := range wide.FindAllString(textOf(args[0]), -1) {
		for _, digits := range strings.FieldsFunc(verb, func(r rune) bool { return r < '0' || r > '9' }) {
			n, err := strconv.Atoi(digits)
			if err != nil || n > maxRun {
				return maxRun
			}
			width += n
		}
	}
	return deepCost(m, args[1:]) + product(lines, width)/16
}

// magnitude finds numbers with an exponent of five digits or more.
var magnitude = regexp.MustCompile(`(?:^|[\s:,\[])[+-]?[0-9.]+[eE][+-]?0*[1-9][0-9]{4,}(?:$|[\s,\]}])`)

// errMagnitude is what is wrong with a number such as 1e1000000000.
var errMagnitude = errors.New("a number has more than ten thousand digits")

// modest refuses text with a number that takes too long to compute with.
func modest(f function.Function) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(), Params: openParams(f.Params()), VarParam: openParam(f.VarParam()),
		Type: func(args []cty.Value) (cty.Type, error) {
			if s := textOf(args[0]); len(s) > 5 && magnitude.MatchString(s) {
				return cty.DynamicPseudoType, errMagnitude
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// checkNumber refuses a number literal that takes too long to compute with.
func checkNumber(literal []byte) error {
	if len(literal) > 10_000 || magnitude.Match(literal) {
		return errMagnitude
	}
	return nil
}
