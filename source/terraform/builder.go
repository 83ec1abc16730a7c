package terraform

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// builder gathers the documents of an estate.
type builder struct {
	types   azure
	secrets bool
	docs    map[string]*arm.Resource
	changes []change
	unread  []arm.Unread
	diags   hcl.Diagnostics
}

// change is what one resource does to the document of another.
type change struct {
	v      view
	id     arm.ID
	apply  func(doc *arm.Resource)
	silent bool // a document that is not there is no loss
}

func newBuilder(types azure, secrets bool) *builder {
	return &builder{types: types, secrets: secrets, docs: map[string]*arm.Resource{}}
}

func (b *builder) build(resources []*lang.Resource) {
	unmapped := map[string][]*lang.Resource{}
	for _, r := range resources {
		if !b.types.Mapped(r.Type) {
			unmapped[r.Type] = append(unmapped[r.Type], r)
			continue
		}
		k, ok := kinds[r.Type]
		if !ok {
			continue
		}
		v := b.types.view(r, b.secrets)
		var id arm.ID
		if k.id != nil {
			id = k.id(v)
		}
		if k.arm != "" {
			b.put(v, document(k, v, id))
		}
		if k.effect != nil {
			k.effect(v, id, b)
		}
	}
	b.join()
	for _, c := range b.changes {
		doc, ok := b.docs[c.id.Key()]
		switch {
		case ok:
			c.apply(doc)
		case !c.silent:
			b.warn(c.v.r.Range, "Change to a resource that is not declared",
				"%s changes %s, which this configuration does not declare: what it changes is not in the estate.", c.v.r.Address, c.id)
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(unmapped)) {
		b.keep(typ, unmapped[typ])
	}
}

// document is a resource's own document.
func document(k kind, v view, id arm.ID) arm.Resource {
	doc := arm.Resource{ID: id, Name: id.Name(), Type: k.arm, Properties: arm.Object{}, Source: source(v.r)}
	if v.has("location") {
		doc.Location = service.Region(v.symbol("location"))
	}
	doc.Tags = tags(v)
	v.self = id
	doc.Identity = identity(v, id)
	if k.zonal {
		doc.Zones = zones(v)
	}
	maps.Copy(doc.Properties, arm.Clone(k.fixed))
	apply(v, k.props, doc.Properties)
	if k.sku != nil {
		doc.SKU = arm.Object{}
		apply(v, k.sku, doc.SKU)
	}
	k.rows.document(v, &doc)
	if k.finish != nil {
		k.finish(v, &doc)
	}
	if len(doc.Properties) == 0 {
		doc.Properties = nil
	}
	return doc
}

func source(r *lang.Resource) arm.Source {
	return arm.Source{File: r.Range.Filename, Line: r.Range.Start.Line, Address: r.Address}
}

func tags(v view) map[string]string {
	all, _ := v.json("tags").(arm.Object)
	out := map[string]string{}
	for k, e := range all {
		switch e := e.(type) {
		case string:
			out[k] = e
		case arm.Unknown:
			out[k] = braced(e.Expression)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// zones are the availability zones that a resource is in.
func zones(v view) []string {
	if v.has("zone") {
		return []string{v.symbol("zone")}
	}
	switch list := v.json("zones").(type) {
	case arm.Unknown:
		return []string{braced(list.Expression)}
	case []any:
		var out []string
		for _, z := range list {
			switch z := z.(type) {
			case string:
				out = append(out, z)
			case arm.Unknown:
				out = append(out, braced(z.Expression))
			}
		}
		return out
	}
	return nil
}

// identity is the managed identity block.
func identity(v view, id arm.ID) *arm.Identity {
	if len(v.blocks("identity")) == 0 {
		return nil
	}
	out := &arm.Identity{Type: v.text("identity.type")}
	if out.SystemAssigned() {
		out.PrincipalID = cmp.Or(v.r.Made["identity.principal_id"], arm.PrincipalID(id))
		if plain, _, _ := lang.Marks(v.tenant); plain.IsKnown() {
			out.TenantID = plain.AsString()
		}
	}
	ids, _ := v.json("identity.identity_ids").([]any)
	for _, one := range ids {
		s, ok := one.(string)
		if !ok {
			continue
		}
		if out.User == nil {
			out.User = map[string]arm.Object{}
		}
		user := arm.ID(s)
		out.User[s] = arm.Object{"principalId": arm.PrincipalID(user), "clientId": clientID(user)}
	}
	return out
}

// clientID is the application id of a user-assigned identity.
func clientID(id arm.ID) string { return arm.StableGUID(id, "clientId") }

// actual gives a document the object and client ids of the identities assigned to
// it that a state or a plan knows.
func (b *builder) actual(doc *arm.Resource) {
	if doc.Identity == nil {
		return
	}
	for id, user := range doc.Identity.User {
		given, ok := b.docs[arm.ID(id).Key()]
		if !ok || !given.IsType(typeUserIdentity) {
			continue
		}
		for _, name := range []string{"principalId", "clientId"} {
			if s := arm.String(given.Properties, name); s != "" {
				user[name] = s
			}
		}
	}
}

// put adds a document; one id may be declared once.
func (b *builder) put(v view, doc arm.Resource) {
	if _, err := arm.ParseID(string(doc.ID)); err != nil {
		b.fail(v.r.Range, "Not a resource name", "%s would have the id %s, which Azure does not accept: look at its name and at what it is placed in.", v.r.Address, doc.ID)
		return
	}
	if first, ok := b.docs[doc.ID.Key()]; ok {
		b.warn(v.r.Range, "Resource declared twice", "%s and %s (%s) are one resource in Azure, %s, so deployment fails at the second: give one of them another name.", v.r.Address, first.Source.Address, first.Source, doc.ID)
		b.unread = append(b.unread, arm.Unread{Address: v.r.Address, Type: v.r.Type, Reason: "it is " + first.Source.Address + " declared again", Source: source(v.r)})
		return
	}
	b.docs[doc.ID.Key()] = &doc
}

// child adds a document that a resource declares within itself.
func (b *builder) child(v view, typ string, id arm.ID, props arm.Object) {
	doc := arm.Resource{ID: id, Name: id.Name(), Type: typ, Properties: props, Source: v.source()}
	if at, ok := unplaced(props); ok {
		doc.Source = at
	}
	b.put(v, doc)
}

// change alters the document with an id once all are there.
func (b *builder) change(v view, id arm.ID, apply func(doc *arm.Resource)) {
	b.changes = append(b.changes, change{v: v, id: id, apply: apply})
}

// settle is change for what can be left out where the document is not there.
func (b *builder) settle(v view, id arm.ID, apply func(doc *arm.Resource)) {
	b.changes = append(b.changes, change{v: v, id: id, apply: apply, silent: true})
}

func (b *builder) fail(at hcl.Range, summary, detail string, args ...any) {
	b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at})
}

func (b *builder) warn(at hcl.Range, summary, detail string, args ...any) {
	b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at})
}

// documents are the estate's, in no order.
func (b *builder) documents() []arm.Resource {
	out := make([]arm.Resource, 0, len(b.docs))
	for _, d := range b.docs {
		b.actual(d)
		orderRules(d)
		settlePlaces(d)
		out = append(out, *d)
	}
	return out
}
