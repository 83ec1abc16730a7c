package planned

import (
	"slices"
	"strconv"
	"strings"
)

// Addresses are dotted, with keys in brackets whose strings may hold dots:
// module.net["a.b"].azurerm_subnet.this[0].

// steps cuts an address at the dots that are not within a key.
func steps(address string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '.' && !quoted:
			out = append(out, address[start:i])
			start = i + 1
		}
	}
	return append(out, address[start:])
}

// withoutKey is the address of a block of which an address is one instance.
func withoutKey(address string) string {
	all := steps(address)
	last, _ := cutKey(all[len(all)-1])
	all[len(all)-1] = last
	return strings.Join(all, ".")
}

// plainPath is a module's address without keys.
func plainPath(module string) string {
	if module == "" {
		return ""
	}
	all := steps(module)
	for i := range all {
		all[i], _ = cutKey(all[i])
	}
	return strings.Join(all, ".")
}

// PlainAddress is the address of a resource without the keys of instances.
func PlainAddress(address string) string { return plainPath(address) }

// cutKey takes the key off a step.
func cutKey(step string) (name string, key any) {
	name, rest, ok := strings.Cut(step, "[")
	if !ok {
		return step, nil
	}
	rest = strings.TrimSuffix(rest, "]")
	if s, err := strconv.Unquote(rest); err == nil && strings.HasPrefix(rest, `"`) {
		return name, s
	}
	if n, err := strconv.Atoi(rest); err == nil {
		return name, float64(n)
	}
	return name, nil
}

// cutLast takes the last call off a module's address.
func cutLast(module string) (parent, call string) {
	all := steps(module)
	if len(all) < 2 {
		return "", module
	}
	return strings.Join(all[:len(all)-2], "."), strings.Join(all[len(all)-2:], ".")
}

// cutCall takes NAME or NAME[KEY] off what follows "module.".
func cutCall(rest string) (call, output string) {
	all := steps(rest)
	return all[0], strings.Join(all[1:], ".")
}

// split takes a reference to a resource apart.
func split(ref string) (address, attribute string) {
	all := steps(ref)
	if len(all) < 2 {
		return ref, ""
	}
	return strings.Join(all[:2], "."), strings.Join(all[2:], ".")
}

// longest are the references that no other goes on from, each.key and count.index
// aside, of which it says whether they are among them.
func longest(refs []string) (out []string, indexed bool) {
	for _, r := range refs {
		if r == "each.key" || r == "count.index" {
			indexed = true
			continue
		}
		further := false
		for _, other := range refs {
			if other != r && (strings.HasPrefix(other, r+".") || strings.HasPrefix(other, r+"[")) {
				further = true
			}
		}
		if !further && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out, indexed
}
