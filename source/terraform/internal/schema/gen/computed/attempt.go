package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// attempt is one resource to be planned: a type with what it must have, and the blocks
// along one path.
type attempt struct {
	typ, name string
	path      []string
	body      map[string]any
}

func (a attempt) address() string { return a.typ + "." + a.name }

// unknown is a value that no plan knows, of any type.
const unknown = "${jsondecode(timestamp())}"

// style is how much an attempt writes beside what a type requires: what suits one
// type another refuses.
type style struct {
	optional bool // the attributes that may be left out as well
	blocks   bool // the other blocks as well, as many as the plan will not know
}

var styles = []style{{}, {optional: true}, {optional: true, blocks: true}}

// attempts are those of a type in one style: the bare one, and one for each block
// that holds others.
func attempts(typ string, b *schema.Block, s style) []attempt {
	paths := append([][]string{nil}, holders(b, nil)...)
	out := make([]attempt, 0, len(paths))
	for i, path := range paths {
		out = append(out, attempt{typ: typ, name: fmt.Sprintf("n%d", i), path: path, body: s.body(b, path)})
	}
	return out
}

// holders are the paths of the blocks within which blocks may be left out.
func holders(b *schema.Block, at []string) [][]string {
	var out [][]string
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		n := b.Blocks[name]
		path := append(slices.Clone(at), name)
		for _, within := range n.Blocks {
			if within.Min == 0 {
				out = append(out, path)
				break
			}
		}
		out = append(out, holders(&n.Block, path)...)
	}
	return out
}

// body is what is written of a block, with the blocks along a path.
func (s style) body(b *schema.Block, path []string) map[string]any {
	out := map[string]any{}
	for name, a := range b.Attributes {
		if a.Required || a.Optional && s.optional && name != "id" {
			out[name] = unknown
		}
	}
	dynamic := map[string]any{}
	for name, n := range b.Blocks {
		within := path[min(1, len(path)):]
		switch {
		case len(path) > 0 && path[0] == name:
			out[name] = slices.Repeat([]any{s.body(&n.Block, within)}, max(1, n.Min))
		case n.Min > 0:
			out[name] = slices.Repeat([]any{s.body(&n.Block, nil)}, n.Min)
		case s.blocks && len(path) > 0:
			dynamic[name] = map[string]any{"for_each": unknown, "content": s.body(&n.Block, nil)}
		}
	}
	if len(dynamic) > 0 {
		out["dynamic"] = dynamic
	}
	return out
}
