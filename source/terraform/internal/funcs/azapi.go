package funcs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// azapi are the functions of the azapi provider that make resource ids and take
// them apart.
func azapi() map[string]function.Function {
	return map[string]function.Function{
		"provider::azapi::build_resource_id": toString(func(a []string) (string, error) {
			return nestedID(a[0], a[1], []string{a[2]})
		}, "parent_id", "resource_type", "name"),
		"provider::azapi::extension_resource_id": idFunction(func(a []string, names []string) (string, error) {
			return scopedID(a[0], a[1], names)
		}, "base_resource_id", "resource_type"),
		"provider::azapi::tenant_resource_id": idFunction(func(a []string, names []string) (string, error) {
			return scopedID("", a[0], names)
		}, "resource_type"),
		"provider::azapi::management_group_resource_id": idFunction(func(a []string, names []string) (string, error) {
			return scopedID("/providers/Microsoft.Management/managementGroups/"+a[0], a[1], names)
		}, "management_group_name", "resource_type"),
		"provider::azapi::subscription_resource_id": idFunction(func(a []string, names []string) (string, error) {
			return scopedID("/subscriptions/"+a[0], a[1], names)
		}, "subscription_id", "resource_type"),
		"provider::azapi::resource_group_resource_id": idFunction(func(a []string, names []string) (string, error) {
			return scopedID("/subscriptions/"+a[0]+"/resourceGroups/"+a[1], a[2], names)
		}, "subscription_id", "resource_group_name", "resource_type"),
		"provider::azapi::parse_resource_id": fromStrings(parseID, parsedID, cty.ObjectVal, "resource_type", "resource_id"),
	}
}

// idFunction is a function of strings and, last, a list of names.
func idFunction(f func(a, names []string) (string, error), params ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(cty.String)}
	for _, p := range params {
		spec.Params = append(spec.Params, function.Parameter{Name: p, Type: cty.String})
	}
	spec.Params = append(spec.Params, function.Parameter{Name: "resource_names", Type: cty.List(cty.String)})
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var in, names []string
		for _, a := range args[:len(params)] {
			in = append(in, a.AsString())
		}
		for _, n := range args[len(params)].AsValueSlice() {
			if !n.IsKnown() {
				return cty.UnknownVal(cty.String), nil
			}
			if n.IsNull() {
				return cty.NilVal, errors.New("a name is null")
			}
			names = append(names, n.AsString())
		}
		id, err := f(in, names)
		return cty.StringVal(id), err
	}
	return function.New(spec)
}

const groupType = "Microsoft.Resources/resourceGroups"

// scopedID is the id of a resource of a type, with the names of what it is within
// first, at a scope.
func scopedID(scope, typ string, names []string) (string, error) {
	typ, _, _ = strings.Cut(typ, "@")
	parts := strings.Split(typ, "/")
	if len(parts) < 2 {
		return "", fmt.Errorf("%q is not a resource type: one has a namespace and a type, as Microsoft.Network/virtualNetworks", typ)
	}
	if len(parts)-1 != len(names) {
		return "", fmt.Errorf("%s needs %d names, and %d are given", typ, len(parts)-1, len(names))
	}
	if strings.EqualFold(typ, groupType) {
		return scope + "/resourceGroups/" + names[0], nil
	}
	id := scope + "/providers/" + parts[0]
	for i, name := range names {
		id += "/" + parts[i+1] + "/" + name
	}
	return id, nil
}

// nestedID is the id of a resource within its parent, which is a scope or, for a
// type of more than one level, the resource above.
func nestedID(parent, typ string, name []string) (string, error) {
	typ, _, _ = strings.Cut(typ, "@")
	parts := strings.Split(typ, "/")
	if len(parts) > 2 {
		return parent + "/" + parts[len(parts)-1] + "/" + name[0], nil
	}
	return scopedID(strings.TrimSuffix(parent, "/"), typ, name)
}

var parsedID = cty.Object(map[string]cty.Type{
	"id": cty.String, "name": cty.String, "parent_id": cty.String, "parts": cty.Map(cty.String), "provider_namespace": cty.String,
	"resource_group_id": cty.String, "resource_group_name": cty.String, "subscription_id": cty.String, "type": cty.String,
})

func parseID(a []string) (map[string]cty.Value, error) {
	typ, id := a[0], a[1]
	typ, _, _ = strings.Cut(typ, "@") // an API version may stand behind it
	subscription, group, namespace, chain, err := pieces(id)
	if err != nil {
		return nil, err
	}
	found := namespace
	if strings.EqualFold(typ, groupType) {
		namespace, found = "Microsoft.Resources", "Microsoft.Resources"
	}
	for _, s := range chain {
		found += "/" + s.typ
	}
	if len(chain) == 0 || !strings.EqualFold(found, typ) {
		return nil, fmt.Errorf("%s is not the id of a %s", id, typ)
	}
	parts := map[string]cty.Value{}
	if segments := strings.Split(strings.Trim(id, "/"), "/"); len(segments) > 1 {
		for i := 0; i+1 < len(segments); i += 2 {
			parts[segments[i]] = cty.StringVal(segments[i+1])
		}
	}
	last := chain[len(chain)-1]
	parent := strings.TrimSuffix(id, "/"+last.typ+"/"+last.name)
	parent = strings.TrimSuffix(parent, "/providers/"+namespace)
	groupID := ""
	if group != "" {
		groupID = "/subscriptions/" + subscription + "/resourceGroups/" + group
	}
	return map[string]cty.Value{
		"id": cty.StringVal(id), "name": cty.StringVal(last.name), "parent_id": cty.StringVal(parent), "parts": cty.MapVal(parts),
		"provider_namespace": cty.StringVal(namespace), "resource_group_id": cty.StringVal(groupID),
		"resource_group_name": cty.StringVal(group), "subscription_id": cty.StringVal(subscription), "type": cty.StringVal(typ),
	}, nil
}
