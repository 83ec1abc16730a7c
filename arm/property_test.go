package arm_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
)

var (
	segment = rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9._()-]{0,12}`).Filter(func(s string) bool {
		return !strings.EqualFold(s, "providers") && s != "." && s != ".."
	})
	namespace = rapid.StringMatching(`Microsoft\.[A-Z][a-z]{1,8}`)
)

// scopes are ids of scopes.
var scopes = rapid.Custom(func(t *rapid.T) arm.ID {
	switch rapid.IntRange(0, 3).Draw(t, "level") {
	case 0:
		return arm.Tenant
	case 1:
		return arm.ManagementGroupID(segment.Draw(t, "management group"))
	case 2:
		return arm.SubscriptionID(segment.Draw(t, "subscription"))
	}
	return arm.GroupID(segment.Draw(t, "subscription"), segment.Draw(t, "group"))
})

// resources are ids of resources, children and extensions, however nested.
var resources = rapid.Custom(func(t *rapid.T) arm.ID {
	id := scopes.Draw(t, "scope").Extension(namespace.Draw(t, "namespace"), segment.Draw(t, "type"), segment.Draw(t, "name"))
	for range rapid.IntRange(0, 3).Draw(t, "depth") {
		if rapid.Bool().Draw(t, "extension") {
			id = id.Extension(namespace.Draw(t, "namespace"), segment.Draw(t, "type"), segment.Draw(t, "name"))
			continue
		}
		id = id.Child(segment.Draw(t, "type"), segment.Draw(t, "name"))
	}
	return id
})

func TestAnIDParsesAndPrintsAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := resources.Draw(t, "id")
		got, err := arm.ParseID(string(id))
		if err != nil || got != id {
			t.Fatalf("ParseID(%s) = %s, %v", id, got, err)
		}
		if again, err := arm.ParseID(string(id) + "/"); err != nil || again != id {
			t.Fatalf("with a slash at its end: %s, %v", again, err)
		}
	})
}

func TestIDsCompareWithoutCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, other := resources.Draw(t, "id"), resources.Draw(t, "other")
		for _, same := range []arm.ID{arm.ID(strings.ToUpper(string(id))), arm.ID(strings.ToLower(string(id)))} {
			if !id.Equal(same) || id.Key() != same.Key() {
				t.Fatalf("%s and %s differ", id, same)
			}
			if !strings.EqualFold(id.Type(), same.Type()) || !id.Parent().Equal(same.Parent()) || !id.Scope().Equal(same.Scope()) || id.Level() != same.Level() {
				t.Fatalf("%s and %s stand elsewhere", id, same)
			}
		}
		if id.Equal(other) != (id.Key() == other.Key()) {
			t.Fatalf("Equal and Key disagree about %s and %s", id, other)
		}
	})
}

func TestChildrenAndExtensionsLeadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := resources.Draw(t, "id")
		ns, typ, name := namespace.Draw(t, "namespace"), segment.Draw(t, "type"), segment.Draw(t, "name")
		child, extension := id.Child(typ, name), id.Extension(ns, typ, name)
		if child.Parent() != id || child.Name() != name || child.Type() != id.Type()+"/"+typ {
			t.Fatalf("child %s: parent %s, name %s, type %s", child, child.Parent(), child.Name(), child.Type())
		}
		of, ok := extension.Extended()
		if extension.Parent() != id || of != id || !ok || extension.Type() != ns+"/"+typ {
			t.Fatalf("extension %s: parent %s, extends %s, type %s", extension, extension.Parent(), of, extension.Type())
		}
		for _, below := range []arm.ID{child, extension} {
			if below.Scope() != id.Scope() || !below.Within(id) || id.Within(below) || !below.Within(id.Scope()) {
				t.Fatalf("%s is not placed under %s", below, id)
			}
		}
	})
}

// values are what a document may hold.
func values(depth int) *rapid.Generator[any] {
	leaf := []*rapid.Generator[any]{
		rapid.Just[any](true), rapid.Just[any](nil),
		rapid.Float64().AsAny(), rapid.String().AsAny(), rapid.Map(resources, func(id arm.ID) any { return string(id) }),
		rapid.Custom(func(t *rapid.T) any {
			return arm.Unknown{Expression: rapid.String().Draw(t, "expression"), File: rapid.String().Draw(t, "file"), Line: rapid.IntRange(0, 9).Draw(t, "line")}
		}),
	}
	if depth > 0 {
		leaf = append(leaf,
			rapid.SliceOfN(values(depth-1), 0, 3).AsAny(),
			rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}`), values(depth-1), 0, 3).AsAny())
	}
	return rapid.OneOf(leaf...)
}

var estates = rapid.Custom(func(t *rapid.T) *arm.Estate {
	properties := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}`), values(2), 0, 4)
	var docs []arm.Resource
	for i, id := range rapid.SliceOfNDistinct(resources, 0, 6, arm.ID.Key).Draw(t, "ids") {
		docs = append(docs, arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Properties: properties.Draw(t, "properties"), Source: arm.Source{File: "main.tf", Line: i}})
	}
	e, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(0, 3).Draw(t, "unread") {
		e = e.WithUnread(arm.Unread{
			Address: segment.Draw(t, "address"), Type: segment.Draw(t, "type"), Reason: "none", Attributes: properties.Draw(t, "attributes"),
			Source: arm.Source{File: "main.tf", Line: 1},
		})
	}
	return e
})

func TestAnEstateIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := estates.Draw(t, "estate")
		first, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := arm.ReadEstate(bytes.NewReader(first))
		if err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
		if len(back.Edges()) != len(e.Edges()) || len(back.Unread()) != len(e.Unread()) {
			t.Fatalf("%d edges and %d unread, were %d and %d", len(back.Edges()), len(back.Unread()), len(e.Edges()), len(e.Unread()))
		}
	})
}

func TestOrderOfDocumentsPlaysNoPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := estates.Draw(t, "estate")
		shuffled, err := arm.NewEstate(rapid.Permutation(e.All()).Draw(t, "order")...)
		if err != nil {
			t.Fatal(err)
		}
		for i, edge := range e.Edges() {
			if shuffled.Edges()[i] != edge {
				t.Fatalf("edge %d: %v and %v", i, edge, shuffled.Edges()[i])
			}
		}
		seen := map[string]bool{}
		for _, r := range shuffled.InOrder() {
			seen[r.ID.Key()] = true
		}
		if len(seen) != e.Len() {
			t.Fatalf("%d of %d documents in order", len(seen), e.Len())
		}
	})
}
