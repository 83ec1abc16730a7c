package planned

import (
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// argument is what the call of a module gives for a variable, or for a member of
// one.
func (rd *reader) argument(where at, name, variable string, steps int) (cty.Value, bool) {
	variable, members, _ := strings.Cut(variable, ".")
	if where.module == "" || strings.ContainsAny(variable+members, "[") {
		return cty.NilVal, false
	}
	parent, call := cutLast(where.module)
	callName, key := cutKey(strings.TrimPrefix(call, "module."))
	m := rd.configs[plainPath(parent)]
	if m == nil {
		return cty.NilVal, false
	}
	var e expression
	if json.Unmarshal(m.Calls[callName].Expressions[variable], &e) != nil {
		return cty.NilVal, false
	}
	refs, _ := longest(e.References)
	if members != "" && len(refs) == 1 && !isScoped(refs[0]) {
		refs[0] += "." + members
		return rd.chase(at{module: parent, key: key}, name, refs, steps+1)
	}
	if members != "" {
		return cty.NilVal, false
	}
	return rd.chase(at{module: parent, key: key}, name, e.References, steps+1)
}

// isScoped reports whether a reference is to what only its block knows.
func isScoped(ref string) bool {
	return strings.HasPrefix(ref, "each.") || strings.HasPrefix(ref, "count.") || strings.HasPrefix(ref, "local.")
}

// output is what an output of a module is, or a member of one.
func (rd *reader) output(where at, name, ref string, steps int) (cty.Value, bool) {
	call, output := cutCall(strings.TrimPrefix(ref, "module."))
	output, members, nested := strings.Cut(output, ".")
	if output == "" || strings.ContainsAny(output+members, "[") {
		return cty.NilVal, false
	}
	path := "module." + call
	if where.module != "" {
		path = where.module + "." + path
	}
	m := rd.configs[plainPath(path)]
	if m == nil {
		return cty.NilVal, false
	}
	out, ok := m.Outputs[output]
	if !ok {
		return cty.NilVal, false
	}
	refs := out.Expression.References
	if nested {
		if refs, ok = memberOf(refs, strings.Split(members, ".")); !ok {
			return cty.NilVal, false
		}
	}
	return rd.chase(at{module: path}, name, refs, steps+1)
}

// memberOf is the reference that a member of an object is made of. A plan says
// only what the whole object refers to; a member leads to the one reference that
// has its names: { agents = azurerm_subnet.agents.id }, { id = azurerm_key_vault.this.id }
// and { hub = { id = azurerm_virtual_network.hub.id } }. Where not exactly one has
// them, nothing is known.
func memberOf(refs, members []string) ([]string, bool) {
	candidates, _ := longest(refs)
	last := members[len(members)-1]
	var found []string
	labels := map[string]bool{}
	for _, ref := range candidates {
		address, attribute := split(ref)
		if attribute == "" || isScoped(ref) || strings.HasPrefix(ref, "var.") || strings.HasPrefix(ref, "module.") || strings.HasPrefix(ref, "data.") {
			return nil, false // what it is made of beside resources is not known
		}
		labels[address] = true
		_, label, _ := strings.Cut(address, ".")
		label, _ = cutKey(label)
		switch {
		case len(members) == 1 && label == last, len(members) == 2 && label == members[0] && attribute == last:
			found = append(found, ref)
		}
	}
	if len(found) == 0 && len(labels) == 1 && len(members) == 1 {
		for _, ref := range candidates {
			if _, attribute := split(ref); attribute == last {
				found = append(found, ref)
			}
		}
	}
	return found, len(found) == 1
}

// sameInstance is the id of what a module makes, of the module's instance with the
// index of what refers to it: module.NAME[count.index].id and the like, of which
// the plan gives only module.NAME and count.index.
func (rd *reader) sameInstance(where at, name, ref string, steps int) (cty.Value, bool) {
	call, output := cutCall(strings.TrimPrefix(ref, "module."))
	if output != "" || where.key == nil || strings.Contains(call, "[") || !strings.HasSuffix(name, "_id") {
		return cty.NilVal, false
	}
	v, ok := rd.output(where, name, "module."+call+indexText(where.key)+".id", steps)
	if !ok {
		return cty.NilVal, false
	}
	plain, _ := v.Unmark()
	if plain.Type() != cty.String || !plain.IsKnown() || plain.IsNull() {
		return cty.NilVal, false
	}
	kind := strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", "") + "s"
	segments := strings.Split(strings.ToLower(plain.AsString()), "/")
	return v, len(segments) > 2 && segments[len(segments)-2] == kind
}
