package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

// Types of the tenant's directory, at tenant scope.
const (
	typeGraphGroup     = "Microsoft.Graph/groups"
	typeGraphApp       = "Microsoft.Graph/applications"
	typeGraphPrincipal = "Microsoft.Graph/servicePrincipals"
)

// directoryKinds are what access asks of Microsoft Entra: who the members of a group
// are, and which service principals there are.
var directoryKinds = map[string]kind{
	"azuread_group": {
		arm: typeGraphGroup, id: directoryID(typeGraphGroup),
		decide: func(v view, id arm.ID) map[string]cty.Value {
			return texts("object_id", id.Name(), "id", v.directoryPath("groups", id))
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["id"] = doc.ID.Name()
			doc.Properties["displayName"] = v.json("display_name")
			doc.Properties["members"] = or(v.json("members"), []any{})
			if len(v.blocks("dynamic_membership")) > 0 {
				doc.Properties["members"] = arm.Unknown{Expression: v.r.Address + ".dynamic_membership", File: v.r.Range.Filename, Line: v.r.Range.Start.Line}
			}
		},
	},
	"azuread_group_member": {effect: func(v view, _ arm.ID, b *builder) {
		group := arm.ID("/providers/" + typeGraphGroup + "/" + lastSegment(v.symbol("group_object_id")))
		member := v.json("member_object_id")
		if s, ok := member.(string); ok {
			id := group.Child("members", lastSegment(s))
			b.put(v, arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Source: source(v.r)})
			return
		}
		b.settle(v, group, func(doc *arm.Resource) { appendTo(doc, "members", member) })
	}},
	"azuread_application": {
		arm: typeGraphApp, id: directoryID(typeGraphApp),
		decide: func(v view, id arm.ID) map[string]cty.Value {
			return texts("object_id", id.Name(), "client_id", clientID(id), "application_id", clientID(id), "id", v.directoryPath("applications", id))
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["displayName"] = v.json("display_name")
			doc.Properties["appId"] = clientID(doc.ID)
		},
	},
	"azuread_service_principal": {
		arm: typeGraphPrincipal, id: principalOf,
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("object_id", id.Name(), "id", v.directoryPath("servicePrincipals", id))
			for _, name := range []string{"client_id", "application_id"} {
				out[name] = v.application()
			}
			return out
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["id"] = doc.ID.Name()
			doc.Properties["appId"] = v.document(v.application(), "client_id")
		},
	},
	"azuread_application_federated_identity_credential": {
		arm: typeGraphApp + "/federatedIdentityCredentials",
		id: func(v view) arm.ID {
			name := "application_id"
			if !v.has(name) {
				name = "application_object_id" // until azuread 2
			}
			return arm.ID("/providers/"+typeGraphApp+"/"+lastSegment(v.symbol(name))).Child("federatedIdentityCredentials", v.symbol("display_name"))
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["name"] = v.json("display_name")
			for _, name := range []string{"audiences", "issuer", "subject"} {
				doc.Properties[name] = v.json(name)
			}
		},
	},
}

// directoryID is the id of what a display name names, whose last part is the object
// id that stands for the one which the directory would choose. Display names need not
// be unique: a second resource with one has an id of its own.
func directoryID(typ string) func(view) arm.ID {
	return func(v view) arm.ID {
		if s := v.text("object_id"); v.r.Data && s != "" {
			return arm.ID("/providers/" + typ + "/" + s)
		}
		name := v.text("display_name")
		if name == "" {
			name = braced(v.r.Address)
		}
		id := arm.ID("/providers/" + typ + "/" + name)
		if !v.r.Data && !v.displayed.first(id, v.r.Address) {
			id += arm.ID("/" + braced(v.r.Address))
		}
		return arm.ID("/providers/" + typ + "/" + arm.PrincipalID(id))
	}
}

// displayed are the display names that resources have, each with the address of the
// first that was seen with it, which is the one that a data source finds.
type displayed map[string]string

// first reports whether no other resource was seen with the name before. Nil keeps none.
func (d displayed) first(name arm.ID, address string) bool {
	if d == nil {
		return true
	}
	seen, ok := d[name.Key()]
	if !ok {
		d[name.Key()] = address
	}
	return !ok || seen == address
}

// principalOf is the service principal of an application, of which a tenant has one.
func principalOf(v view) arm.ID {
	app := v.text("client_id") + v.text("application_id")
	if s := v.text("object_id"); v.r.Data && s != "" {
		return arm.ID("/providers/" + typeGraphPrincipal + "/" + s)
	}
	if app == "" && v.text("display_name") != "" {
		app = clientID(directoryID(typeGraphApp)(v))
	}
	if app == "" {
		app = braced(v.r.Address)
	}
	return arm.ID("/providers/" + typeGraphPrincipal + "/" + arm.PrincipalID(arm.ID("/providers/"+typeGraphPrincipal+"/"+app)))
}

// application is the client id that a service principal is of.
func (v view) application() cty.Value {
	for _, name := range []string{"client_id", "application_id"} {
		if v.has(name) {
			return v.value(name)
		}
	}
	return cty.UnknownVal(cty.String)
}

// directoryPath is an object's id as azuread 3 gives it; before it was the object id.
func (v view) directoryPath(collection string, id arm.ID) string {
	for _, c := range v.r.Constraints {
		if strings.HasPrefix(strings.TrimLeft(c, "~>=< "), "2.") || strings.HasPrefix(strings.TrimLeft(c, "~>=< "), "1.") {
			return id.Name()
		}
	}
	return "/" + collection + "/" + id.Name()
}

func lastSegment(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
