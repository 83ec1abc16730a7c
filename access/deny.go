package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// everyone is the principal of a deny assignment that is for all.
//
// Source: Microsoft Learn, "Understand Azure deny assignments".
const everyone = "00000000-0000-0000-0000-000000000000"

// denial is one deny assignment. It goes before every role assignment.
type denial struct {
	id       arm.ID
	scope    arm.ID
	hereOnly bool // doNotApplyToChildScopes
	maker    string
	role     Role // what it denies
	denied   []party
	excluded []party
	unknown  string
}

// party is whom a deny assignment names.
type party struct {
	id       string
	mayGroup bool // its type does not say that it is no group
}

func readDenial(doc arm.Resource) denial {
	d := denial{id: doc.ID, scope: doc.ID.Parent(), hereOnly: arm.Bool(doc.Properties, "doNotApplyToChildScopes", false), role: customRole(doc),
		maker: strings.ToLower(arm.String(doc.Properties, "createdBy"))}
	if s := arm.Ref(doc.Properties, "scope"); s != "" {
		d.scope = s
	}
	if d.scope == "" {
		d.scope = "/"
	}
	d.role.Scopes = nil
	d.unknown = d.role.unknown
	read := func(path string) []party {
		var out []party
		if u, ok := arm.UnknownIn(doc.Properties, path); ok {
			d.unknown = "its " + path + " are " + u.String()
		}
		for _, o := range arm.Objects(doc.Properties, path) {
			if u, ok := arm.UnknownAt(o, "id"); ok {
				d.unknown = "one of its " + path + " is " + u.String()
			}
			kind := arm.String(o, "type")
			out = append(out, party{strings.ToLower(arm.String(o, "id")), kind == "" || strings.EqualFold(kind, "Group")})
		}
		return out
	}
	d.denied, d.excluded = read("principals"), read("excludePrincipals")
	if u, ok := arm.UnknownAt(doc.Properties, "scope"); ok {
		d.unknown = "its scope is " + u.String()
	}
	return d
}

// denied is No where a deny assignment refuses a call, and has unknown steps where
// one may.
func (m *Model) denied(principal, action string, data bool, scope arm.ID) verdict.Verdict {
	var doubts verdict.Verdict
	for _, d := range m.denials {
		within := m.within(scope, d.scope)
		if d.hereOnly && !scope.Equal(d.scope) {
			within = verdict.No
		}
		if strings.HasPrefix(d.unknown, "its scope") {
			within = verdict.Unknown
		}
		_, named := d.role.Allows(action, data)
		if !named && d.role.unknown == "" {
			continue
		}
		v := verdict.And(within, verdict.And(m.listed(d.denied, principal), verdict.Not(m.listed(d.excluded, principal))))
		if v == verdict.No && d.unknown == "" || within == verdict.No {
			continue
		}
		s := verdict.Step{At: "deny assignment " + d.id.Name(), Resource: d.id, Value: verdict.No, Reason: fmt.Sprintf("it denies %s at %s, whatever roles allow", action, short(d.scope))}
		if v == verdict.Yes && d.unknown == "" {
			return verdict.Verdict{Value: verdict.No, Steps: []verdict.Step{s}}
		}
		s.Value, s.Reason = verdict.Unknown, fmt.Sprintf("whether it denies %s here is not known", action)
		if d.unknown != "" {
			s.Reason += ": " + d.unknown
		}
		doubts.Add(s)
	}
	return doubts
}

// listed says whether a principal is in a list, by itself, as everyone, or by a group.
func (m *Model) listed(list []party, principal string) verdict.Value {
	out := verdict.No
	for _, p := range list {
		id := p.id
		if id == principal || id == everyone {
			return verdict.Yes
		}
		_, machine := m.principals[id]
		switch {
		case machine || !p.mayGroup:
		case m.memberOf(id, principal) == verdict.Yes:
			return verdict.Yes
		case m.memberOf(id, principal) == verdict.Unknown:
			out = verdict.Unknown // it may be a group
		}
	}
	return out
}

// Through is the model for what is done through the maker of deny assignments, by
// its id in their createdBy: they do not hold for itself. A deployment stack changes
// what it denies to others.
func (m *Model) Through(maker string) *Model {
	next := *m
	next.denials = slices.DeleteFunc(slices.Clone(m.denials), func(d denial) bool { return maker != "" && d.maker == strings.ToLower(maker) })
	return &next
}
