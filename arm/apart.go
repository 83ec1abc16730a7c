package arm

import (
	"strconv"
	"strings"
)

// inner are the members that hold, in ARM's own shape, children which an estate
// has apart, by the type that has them.
var inner = map[string][]string{
	"microsoft.network/virtualnetworks":        {"subnets", "virtualNetworkPeerings"},
	"microsoft.network/expressroutecircuits":   {"peerings", "authorizations"},
	"microsoft.network/virtualnetworkgateways": {"natRules"},
	"microsoft.network/vpngateways":            {"natRules"},
}

// Apart takes the children that an estate has as documents of their own out of a
// document that holds them nested. Doc itself is unchanged. Children that are not
// known, as a whole or in their name, stay where they are.
func Apart(doc Resource) (Resource, []Resource) {
	var children []Resource
	for _, member := range inner[strings.ToLower(doc.Type)] {
		list, name := doc.member(member)
		if list == nil {
			continue
		}
		var stay []any
		at := "properties." + name
		parts := partsWithout(doc.Parts, at)
		for i, e := range list {
			from := at + "." + strconv.Itoa(i)
			o, _ := e.(Object)
			child := String(o, "name")
			if child == "" || strings.Contains(child, "/") {
				parts = doc.moved(parts, from, at+"."+strconv.Itoa(len(stay)))
				stay = append(stay, e)
				continue
			}
			props, _ := o["properties"].(Object)
			id := doc.ID.Child(member, child)
			children = append(children, Resource{
				ID: id, Name: child, Type: doc.Type + "/" + member, Properties: props,
				Source: doc.Place(from), Parts: doc.moved(nil, from+".properties", "properties"),
			})
		}
		doc.Properties, doc.Parts = without(doc.Properties, name), parts
		if stay != nil {
			doc.Properties[name] = stay
		}
	}
	return doc, children
}

// member is a property that is an array, and its name as written.
func (r Resource) member(name string) ([]any, string) {
	for k, v := range r.Properties {
		if list, ok := v.([]any); ok && strings.EqualFold(k, name) {
			return list, k
		}
	}
	return nil, ""
}

func without(o Object, name string) Object {
	out := make(Object, len(o))
	for k, v := range o {
		if k != name {
			out[k] = v
		}
	}
	return out
}
