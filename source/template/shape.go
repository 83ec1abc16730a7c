package template

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// folded are the types that an estate holds within their parent, and under which
// property there.
var folded = map[string]string{
	"microsoft.network/networksecuritygroups/securityrules": "securityRules",
	"microsoft.network/routetables/routes":                  "routes",
}

// shape gives the documents the shape of an estate: children of their own where
// an estate has them apart, within their parent where it has them there.
func (p *paper) shape() []arm.Resource {
	// In the order of deployment: a child that a later resource declares again
	// replaces the one that its parent declared.
	all := map[string]*arm.Resource{}
	add := func(doc arm.Resource) { all[doc.ID.Key()] = &doc }
	for _, doc := range p.all {
		rest, children := arm.Apart(doc)
		if _, apart := all[doc.ID.Key()]; !apart || len(rest.Properties) > 0 {
			add(rest)
		}
		for _, c := range children {
			add(c)
		}
	}
	for _, doc := range p.all {
		p.fold(doc, all)
	}
	out := make([]arm.Resource, 0, len(all))
	for _, doc := range all {
		out = append(out, *doc)
	}
	slices.SortFunc(out, func(a, b arm.Resource) int { return cmp.Compare(a.ID.Key(), b.ID.Key()) })
	return out
}

// fold puts a rule, a route or access policies where an estate has them.
func (p *paper) fold(doc arm.Resource, all map[string]*arm.Resource) {
	member, ok := folded[strings.ToLower(doc.Type)]
	policies := doc.IsType("Microsoft.KeyVault/vaults/accessPolicies")
	if !ok && !policies {
		return
	}
	delete(all, doc.ID.Key())
	parent, ok := all[doc.ID.Parent().Key()]
	if !ok {
		p.run.unread = append(p.run.unread, arm.Unread{Address: doc.Source.Address, Type: doc.Type, Source: doc.Source,
			Reason: "it changes " + doc.ID.Parent().Name() + ", which the template does not declare", Attributes: doc.Properties})
		return
	}
	o := make(arm.Object, len(parent.Properties)+1)
	for k, v := range parent.Properties {
		o[k] = v
	}
	parent.Properties = o
	if policies {
		p.policies(parent, doc)
		return
	}
	list := slices.Clone(arm.List(o, member))
	at := slices.IndexFunc(list, func(e any) bool {
		have, _ := e.(arm.Object)
		return strings.EqualFold(arm.String(have, "name"), doc.Name)
	})
	if at < 0 {
		at, list = len(list), append(list, nil)
	}
	list[at] = arm.Object{"name": doc.Name, "properties": doc.Properties}
	o[member] = list
	path := "properties." + member + "." + strconv.Itoa(at)
	parent.Parts = dropParts(*parent, path)
	parent.Parts[path] = doc.Source
	moveParts(parent, path+".properties", doc, "properties")
}

// policies gives a vault the access policies that a resource of their type adds.
func (p *paper) policies(vault *arm.Resource, doc arm.Resource) {
	const path = "properties.accessPolicies"
	have := arm.List(vault.Properties, "accessPolicies")
	vault.Properties["accessPolicies"] = accessPolicies(have, doc)
	switch strings.ToLower(doc.Name) {
	case "remove":
	case "replace":
		vault.Parts = dropParts(*vault, path)
		vault.Parts[path] = doc.Source
		moveParts(vault, path, doc, path)
	default:
		vault.Parts = dropParts(*vault)
		for i := range arm.List(doc.Properties, "accessPolicies") {
			vault.Parts[path+"."+strconv.Itoa(len(have)+i)] = doc.Place(path + "." + strconv.Itoa(i))
		}
	}
}

// accessPolicies are a vault's after those named add, replace or remove.
func accessPolicies(have []any, doc arm.Resource) []any {
	more := arm.List(doc.Properties, "accessPolicies")
	switch strings.ToLower(doc.Name) {
	case "replace":
		return more
	case "remove":
		return have
	}
	return append(slices.Clone(have), more...)
}
