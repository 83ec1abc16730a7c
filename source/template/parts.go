package template

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// parts notes where the objects in the arrays of a document are written: its rules,
// subnets, rule collections.
type parts struct {
	address string
	out     map[string]arm.Source
}

// partsOf are the places of parts of a step's properties that are not the step's own,
// as arm.Resource.Parts has them.
func partsOf(s *Step, properties any) map[string]arm.Source {
	p := parts{address: s.Source.Address}
	p.note("properties", properties, s.scope.Place(s.node.Get("properties")), s.Source)
	return p.out
}

func (p *parts) note(path string, v any, at eval.Place, around arm.Source) {
	if at.Node == nil {
		return
	}
	switch v := v.(type) {
	case value.Object:
		for name, e := range v {
			if nests(e) {
				p.note(path+"."+name, e, at.Member(name), around)
			}
		}
	case []any:
		p.list(path, v, at, around)
	}
}

// list notes the elements of an array. One whose elements have no place of their own
// is itself noted.
func (p *parts) list(path string, list []any, at eval.Place, around arm.Source) {
	for i, e := range list {
		if _, ok := e.(value.Object); !ok {
			if nests(e) {
				p.note(path+"."+strconv.Itoa(i), e, at.Item(i), around)
			}
			continue
		}
		item, inner := at.Item(i), path+"."+strconv.Itoa(i)
		if item.Node == nil {
			p.add(path, at, around)
			continue
		}
		p.note(inner, e, item, p.add(inner, item, around))
	}
}

// add notes a place, unless it is that of what is around it.
func (p *parts) add(path string, at eval.Place, around arm.Source) arm.Source {
	here := arm.Source{File: at.File(), Line: at.Node.Pos.Line, Address: p.address}
	if here == around {
		return around
	}
	if p.out == nil {
		p.out = map[string]arm.Source{}
	}
	p.out[path] = here
	return here
}

func nests(v any) bool {
	switch v.(type) {
	case value.Object, []any:
		return true
	}
	return false
}

// moveParts adds the parts of a document that are at one path and under it to
// another document, at a path of that.
func moveParts(to *arm.Resource, under string, from arm.Resource, path string) {
	for at, where := range from.Parts {
		if rest, ok := strings.CutPrefix(at, path); ok && (rest == "" || rest[0] == '.') {
			to.Parts[under+rest] = where
		}
	}
}

// dropParts are the parts of a document without those at some paths and under them.
func dropParts(doc arm.Resource, paths ...string) map[string]arm.Source {
	out := maps.Clone(doc.Parts)
	maps.DeleteFunc(out, func(at string, _ arm.Source) bool {
		return slices.ContainsFunc(paths, func(path string) bool { return at == path || strings.HasPrefix(at, path+".") })
	})
	if out == nil {
		out = map[string]arm.Source{}
	}
	return out
}
