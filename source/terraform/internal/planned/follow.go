package planned

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// maxSteps bounds how far a reference is followed.
const maxSteps = 32

// index files the configuration's modules under their paths.
func (rd *reader) index(path string, m *configModule) {
	rd.configs[path] = m
	for name, c := range m.Calls {
		if c.Module != nil {
			rd.index(strings.TrimPrefix(path+".module."+name, "."), c.Module)
		}
	}
}

func (rd *reader) configOf(r resource) *configResource {
	m := rd.configs[plainPath(r.module)]
	if m == nil {
		return nil
	}
	for i := range m.Resources {
		if m.Resources[i].Address == r.Type+"."+r.Name {
			return &m.Resources[i]
		}
	}
	return nil
}

// at is where an expression stands: an instance of a module, and the keys that
// each.key and count.index have there.
type at struct {
	module string // address with keys
	key    any
	group  []any // the keys of all instances beside it
}

// follow is the value that the references of an attribute's expression lead to.
func (rd *reader) follow(n *node, name string, raw json.RawMessage) (cty.Value, bool) {
	var e expression
	if len(raw) == 0 || json.Unmarshal(raw, &e) != nil {
		return cty.NilVal, false
	}
	where := at{module: n.module, key: n.Index, group: keys(rd.groups[withoutKey(n.Address)])}
	return rd.chase(where, name, e.References, 0)
}

func keys(nodes []*node) []any {
	var out []any
	for _, n := range nodes {
		out = append(out, n.Index)
	}
	return out
}

func (rd *reader) chase(where at, name string, refs []string, steps int) (cty.Value, bool) {
	if steps > maxSteps {
		return cty.NilVal, false
	}
	refs, indexed := longest(refs)
	if len(refs) != 1 {
		return cty.NilVal, false
	}
	ref := refs[0]
	switch root, rest, _ := strings.Cut(ref, "."); root {
	case "var":
		return rd.argument(where, name, rest, steps)
	case "module":
		if indexed {
			return rd.sameInstance(where, name, ref, steps)
		}
		return rd.output(where, name, ref, steps)
	case "data", "local", "each", "count", "path", "terraform", "self":
		return cty.NilVal, false
	}
	address, attribute := split(ref)
	attribute = strings.ReplaceAll(attribute, "[0]", "") // of a block that stands once
	if where.module != "" {
		address = where.module + "." + address
	}
	if n, ok := rd.nodes[address]; ok && attribute != "" && !indexed {
		return rd.attribute(n, attribute)
	}
	if !indexed || attribute != "" {
		return cty.NilVal, false
	}
	return rd.sameKey(where, name, address)
}

// sameKey is the attribute of the instance that has the key of what refers to it,
// where both have the same instances: TYPE.NAME[each.key] and the like, of which
// the plan gives only TYPE.NAME and each.key. Which attribute is meant shows in the
// name of the one that is set: nat_gateway_id is the id of an azurerm_nat_gateway.
func (rd *reader) sameKey(where at, name, address string) (cty.Value, bool) {
	group := rd.groups[address]
	if where.key == nil || !slices.Equal(sorted(where.group), sorted(keys(group))) {
		return cty.NilVal, false
	}
	n, ok := rd.nodes[address+indexText(where.key)]
	if !ok {
		return cty.NilVal, false
	}
	kind := n.Type[strings.IndexByte(n.Type, '_')+1:]
	kind = strings.TrimPrefix(strings.TrimPrefix(kind, "linux_"), "windows_")
	what := strings.TrimSuffix(strings.TrimSuffix(name, "_ids"), "_id")
	if what == name || !strings.HasSuffix(what, kind) && !strings.HasPrefix(what, kind) {
		return cty.NilVal, false
	}
	return rd.attribute(n, "id")
}

func sorted(list []any) []string {
	out := make([]string, len(list))
	for i, k := range list {
		out[i] = indexText(k)
	}
	slices.Sort(out)
	return out
}
