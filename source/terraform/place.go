package terraform

import (
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// placed is the member of an object that says where its block stands, until the
// document is whole: a service's file may move and sort what it makes of blocks,
// and other resources add to it, so that no path is final before. No property of
// ARM's has the name.
const placed = "\x00"

// source is where a resource is declared, or the block of it that v reads.
func (v view) source() arm.Source {
	if v.path == "" {
		return source(v.r)
	}
	return arm.Source{File: v.body.Range.Filename, Line: v.body.Range.Start.Line, Address: v.r.Address}
}

// place notes in an object where the block is that it was made of.
func (v view) place(o arm.Object) { o[placed] = v.source() }

// marks notes that what stands at a dotted path of a document's properties is
// declared by the resource of v.
func (v view) marks(doc *arm.Resource, path string) {
	if doc.Parts == nil {
		doc.Parts = map[string]arm.Source{}
	}
	doc.Parts["properties."+strings.TrimSuffix(path, ".id")] = v.source()
}

// unplaced takes the place out of an object.
func unplaced(o arm.Object) (arm.Source, bool) {
	at, ok := o[placed].(arm.Source)
	if ok {
		delete(o, placed)
	}
	return at, ok
}

// settlePlaces moves the places out of a document's objects to its parts: those
// that are not the place of what holds them.
func settlePlaces(doc *arm.Resource) {
	s := settler{doc: doc}
	s.object("properties", doc.Properties, doc.Source)
	s.object("sku", doc.SKU, doc.Source)
	s.object("plan", doc.Plan, doc.Source)
}

type settler struct{ doc *arm.Resource }

func (s settler) object(path string, o arm.Object, around arm.Source) {
	if at, ok := unplaced(o); ok && at != around {
		if s.doc.Parts == nil {
			s.doc.Parts = map[string]arm.Source{}
		}
		s.doc.Parts[path], around = at, at
	}
	for key, val := range o {
		s.value(path, key, val, around)
	}
}

// value goes on into what can hold objects; a path is only made for those.
func (s settler) value(path, key string, val any, around arm.Source) {
	switch val := val.(type) {
	case arm.Object:
		s.object(path+"."+key, val, around)
	case []any:
		inner := ""
		for i, e := range val {
			switch e.(type) {
			case arm.Object, []any:
				if inner == "" {
					inner = path + "." + key
				}
				s.value(inner, strconv.Itoa(i), e, around)
			}
		}
	}
}
