package lang

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Origin is the mark of a value that is not known before deployment: what it
// comes from, and where that is written. Everything computed from the value has
// the mark too.
type Origin struct {
	Expression string // as random_password.admin.result
	File       string
	Line       int
	// Symbol stands for the value in resource ids, where it is a resource's name.
	Symbol string
}

// Sensitive marks a value that is not to be shown.
const Sensitive sensitive = "sensitive"

type sensitive string

// symbolic marks a known value that has a symbol where a part is not known, as
// the id of a resource in a group without a known name has.
type symbolic struct{}

// symbols marks the values that hold symbols, which stand in braces: no id and
// no name in Azure has them otherwise.
func symbols(decided map[string]cty.Value) {
	for name, v := range decided {
		if plain, _ := v.Unmark(); plain.Type() == cty.String && plain.IsKnown() && !plain.IsNull() && strings.Contains(plain.AsString(), "{") {
			decided[name] = v.Mark(symbolic{})
		}
	}
}

// hasSymbols reports whether a value follows from one with symbols, so that what
// is computed of its letters decides nothing.
func hasSymbols(v cty.Value) bool {
	_, marks := v.UnmarkDeep()
	_, ok := marks[symbolic{}]
	return ok
}

func originAt(expression string, at hcl.Range) Origin {
	return Origin{Expression: expression, File: at.Filename, Line: at.Start.Line}
}

// unknown is a value of type t that comes from o.
func unknown(t cty.Type, o Origin) cty.Value { return cty.UnknownVal(t).Mark(o) }

// Marks takes the marks off a value, of which it says where the value comes from
// (the zero Origin where nothing says it) and whether it is sensitive.
func Marks(v cty.Value) (plain cty.Value, from Origin, secret bool) {
	plain, marks := v.Unmark()
	from, secret = read(marks)
	return plain, from, secret
}

// MarksDeep is Marks over a value and all that it holds.
func MarksDeep(v cty.Value) (plain cty.Value, from Origin, secret bool) {
	plain, marks := v.UnmarkDeep()
	from, secret = read(marks)
	return plain, from, secret
}

func read(marks cty.ValueMarks) (from Origin, secret bool) {
	var origins []Origin
	for m := range marks {
		switch m := m.(type) {
		case Origin:
			origins = append(origins, m)
		case sensitive:
			secret = true
		}
	}
	if len(origins) > 0 {
		from = slices.MinFunc(origins, func(a, b Origin) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Expression, b.Expression))
		})
	}
	return from, secret
}
