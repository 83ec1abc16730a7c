package access

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Types that this package gives a meaning.
const (
	typeAssignment   = "Microsoft.Authorization/roleAssignments"
	typeDefinition   = "Microsoft.Authorization/roleDefinitions"
	typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"
	typeManagement   = "Microsoft.Management/managementGroups"
	typeMember       = "Microsoft.Management/managementGroups/subscriptions"
	typeVault        = "Microsoft.KeyVault/vaults"
)

// Model is who may do what in an estate. It is made once and then only read;
// [Model.WithOwner] makes another.
type Model struct {
	assignments []assignment
	custom      map[string]Role // by GUID, lower case
	principals  map[string]Principal
	vaults      map[string]vault // with access policies, by key
	above       map[string]string
}

// Principal is a managed identity of the estate.
type Principal struct {
	ObjectID string `json:"objectId"`
	Type     string `json:"type"` // ServicePrincipal
	Name     string `json:"name"`
	Resource arm.ID `json:"resource"` // whose system-assigned identity it is, or the user-assigned identity itself
}

// assignment is one role assignment.
type assignment struct {
	id        arm.ID
	scope     arm.ID
	role      string // GUID, lower case; "" where not known
	roleName  string // how the document names the role, for a reason
	principal string
	group     bool   // the principal is a group, whose members are not in the estate
	condition bool   // an attribute condition narrows it
	unknown   string // what of it is not known, or ""
	extra     *Role  // of the bootstrap owner
}

// FromEstate reads the identities, role definitions, role assignments and vault
// access policies of an estate.
func FromEstate(e *arm.Estate) *Model {
	m := &Model{custom: map[string]Role{}, principals: map[string]Principal{}, vaults: map[string]vault{}, above: map[string]string{}}
	for _, doc := range e.All() {
		m.addPrincipal(doc)
		switch {
		case doc.IsType(typeDefinition):
			r := customRole(doc)
			m.custom[strings.ToLower(r.ID)] = r
		case doc.IsType(typeAssignment):
			m.assignments = append(m.assignments, readAssignment(doc))
		case doc.IsType(typeVault):
			m.addVault(doc)
		case doc.IsType(typeMember):
			m.above["/subscriptions/"+strings.ToLower(doc.ID.Name())] = doc.ID.Parent().Key()
		case doc.IsType(typeManagement):
			if parent := arm.Ref(doc.Properties, "details.parent.id"); parent != "" {
				m.above[doc.ID.Key()] = parent.Key()
			}
		}
	}
	return m
}

func (m *Model) addPrincipal(doc arm.Resource) {
	p := Principal{Type: "ServicePrincipal", Name: doc.Name, Resource: doc.ID}
	switch {
	case doc.IsType(typeUserIdentity):
		p.ObjectID = cmp.Or(arm.String(doc.Properties, "principalId"), arm.PrincipalID(doc.ID))
	case doc.Identity.SystemAssigned():
		p.ObjectID = cmp.Or(doc.Identity.PrincipalID, arm.PrincipalID(doc.ID))
	default:
		return
	}
	m.principals[strings.ToLower(p.ObjectID)] = p
}

func readAssignment(doc arm.Resource) assignment {
	p := doc.Properties
	a := assignment{
		id:        doc.ID,
		scope:     doc.ID.Parent(),
		principal: strings.ToLower(arm.String(p, "principalId")),
		roleName:  arm.String(p, "roleDefinitionId"),
		group:     strings.EqualFold(arm.String(p, "principalType"), "Group"),
		condition: arm.String(p, "condition") != "",
	}
	if s := arm.Ref(p, "scope"); s != "" {
		a.scope = s
	}
	if a.scope == "" {
		a.scope = "/"
	}
	a.role = strings.ToLower(a.roleName[strings.LastIndexByte(a.roleName, '/')+1:])
	for _, path := range []string{"principalId", "roleDefinitionId", "scope"} {
		if u, ok := arm.UnknownAt(p, path); ok {
			a.unknown = path + " is " + u.String()
		}
	}
	return a
}

// Principal finds a managed identity by its object id.
func (m *Model) Principal(objectID string) (Principal, bool) {
	p, ok := m.principals[strings.ToLower(objectID)]
	return p, ok
}

// IdentityOf is the identity that a resource acts as: its system-assigned one, or
// the one user-assigned identity where it has exactly one and no other. The
// object id is "" where it has none, or more than one to choose from.
func (m *Model) IdentityOf(r arm.Resource) string {
	if r.Identity.SystemAssigned() {
		return cmp.Or(r.Identity.PrincipalID, arm.PrincipalID(r.ID))
	}
	if r.Identity == nil || len(r.Identity.User) != 1 {
		return ""
	}
	for id := range r.Identity.User {
		for _, p := range m.principals {
			if p.Resource.Equal(arm.ID(id)) {
				return p.ObjectID
			}
		}
	}
	return ""
}

// WithOwner is the model with one more principal, who may do every control and
// data action at scope and below: the one that a new cloud starts with.
func (m *Model) WithOwner(objectID string, scope arm.ID) *Model {
	out := *m
	role := Role{Name: "bootstrap owner", Actions: []string{"*"}, DataActions: []string{"*"}}
	out.assignments = append(slices.Clone(m.assignments), assignment{
		scope: scope, principal: strings.ToLower(objectID), roleName: role.Name, extra: &role,
	})
	return &out
}

// roleOf is the definition behind an assignment.
func (m *Model) roleOf(a assignment) (Role, bool) {
	if a.extra != nil {
		return *a.extra, true
	}
	if r, ok := m.custom[a.role]; ok {
		return r, true
	}
	return RoleByName(a.role)
}
