package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Types that this package gives a meaning.
const (
	typeAssignment   = "Microsoft.Authorization/roleAssignments"
	typeDefinition   = "Microsoft.Authorization/roleDefinitions"
	typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"
	typeManagement   = "Microsoft.Management/managementGroups"
	typeMember       = "Microsoft.Management/managementGroups/subscriptions"
	typeVault        = "Microsoft.KeyVault/vaults"
	typeCluster      = "Microsoft.ContainerService/managedClusters"
	typeRegistry     = "Microsoft.ContainerRegistry/registries"
	typeStorage      = "Microsoft.Storage/storageAccounts"
	typeDenial       = "Microsoft.Authorization/denyAssignments"
	typeGroup        = "Microsoft.Graph/groups"

	typeServicePrincipal = "Microsoft.Graph/servicePrincipals"

	typeGroupMember = "Microsoft.Graph/groups/members"
)

// Model is who may do what in an estate. It is made once and then only read;
// [Model.WithOwner] makes another.
type Model struct {
	byPrincipal map[string][]assignment // by object id, in lower case
	shared      []assignment            // of groups, and of principals that are not known
	denials     []denial
	custom      map[string]Role // by GUID, lower case
	principals  map[string]Principal
	objectOf    map[string]string // key of a resource -> the object id of its identity
	members     map[string]map[string]bool
	vaults      map[string]vault // with access policies, by key
	registries  map[string]string
	accounts    map[string]keyHolder
	above       map[string]string
	root        string // key of the management group above all others, or "" where that is not known
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
	condition string // an attribute condition that narrows it, or ""
	unknown   string // what of it is not known, or ""
	extra     *Role  // of the bootstrap owner

	scopeUnknown bool
}

// FromEstate reads the identities, role definitions, role assignments and vault
// access policies of an estate.
func FromEstate(e *arm.Estate) *Model {
	m := &Model{
		byPrincipal: map[string][]assignment{}, custom: map[string]Role{}, principals: map[string]Principal{}, objectOf: map[string]string{},
		members: map[string]map[string]bool{}, vaults: map[string]vault{}, registries: map[string]string{}, accounts: map[string]keyHolder{}, above: map[string]string{},
	}
	for _, doc := range e.All() {
		m.addPrincipal(doc)
		switch {
		case doc.IsType(typeDefinition):
			r := customRole(doc)
			m.custom[strings.ToLower(r.ID)] = r
		case doc.IsType(typeAssignment):
			m.assign(readAssignment(doc))
		case doc.IsType(typeDenial):
			m.denials = append(m.denials, readDenial(doc))
		case doc.IsType(typeGroup), doc.IsType(typeGroupMember):
			m.addMember(doc)
		case doc.IsType(typeRegistry):
			m.addRegistry(doc)
		case doc.IsType(typeStorage):
			m.addAccount(doc)
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
	if doc.IsType(typeCluster) {
		m.addKubelet(doc)
	}
	switch {
	case doc.IsType(typeUserIdentity):
		p.ObjectID = cmp.Or(arm.String(doc.Properties, "principalId"), arm.PrincipalID(doc.ID))
	case doc.IsType(typeServicePrincipal):
		p.ObjectID = doc.ID.Name()
	case doc.Identity.SystemAssigned():
		p.ObjectID = cmp.Or(doc.Identity.PrincipalID, arm.PrincipalID(doc.ID))
	default:
		return
	}
	m.principals[strings.ToLower(p.ObjectID)] = p
	m.objectOf[doc.ID.Key()] = p.ObjectID
}

// addKubelet notes the identity by which the nodes of a cluster pull images, where
// it is one of the cluster's own making.
func (m *Model) addKubelet(doc arm.Resource) {
	if id, own := kubelet(doc); own {
		m.principals[strings.ToLower(id)] = Principal{ObjectID: id, Type: "ServicePrincipal", Name: doc.Name + " (kubelet)", Resource: doc.ID}
	}
}

// kubelet is the object id of a cluster's kubelet identity, and whether it is not
// a resource of the estate: AKS makes one in the group of the nodes unless it is
// given one.
func kubelet(doc arm.Resource) (id string, own bool) {
	const at = "identityProfile.kubeletidentity"
	given, ok := arm.Lookup(doc.Properties, at)
	if o, isObject := given.(map[string]any); isObject {
		return arm.String(o, "objectId"), arm.String(o, "objectId") != "" && arm.String(o, "resourceId") == ""
	}
	if ok || !doc.IsType(typeCluster) || doc.Identity == nil {
		return "", false
	}
	region := strings.ToLower(strings.ReplaceAll(doc.Location, " ", ""))
	nodes := cmp.Or(arm.String(doc.Properties, "nodeResourceGroup"), "MC_"+doc.ID.ResourceGroup()+"_"+doc.ID.Name()+"_"+region)
	return arm.PrincipalID(arm.ResourceID(doc.ID.Subscription(), nodes, typeUserIdentity, doc.ID.Name()+"-agentpool")), true
}

func (m *Model) assign(a assignment) {
	if a.group || strings.HasPrefix(a.unknown, "principalId") {
		m.shared = append(m.shared, a)
		return
	}
	m.byPrincipal[a.principal] = append(m.byPrincipal[a.principal], a)
}

// addMember reads a group of the directory and its members, where the estate
// declares them: the group by its object id, with members by object id as a list
// of its own or as documents below it.
func (m *Model) addMember(doc arm.Resource) {
	group, id := strings.ToLower(cmp.Or(arm.String(doc.Properties, "id"), doc.ID.Name())), ""
	if doc.IsType(typeGroupMember) {
		group, id = strings.ToLower(doc.ID.Parent().Name()), strings.ToLower(doc.ID.Name())
	}
	if m.members[group] == nil {
		m.members[group] = map[string]bool{}
	}
	for _, member := range append(arm.Strings(doc.Properties, "members"), id) {
		m.members[group][strings.ToLower(member)] = true
	}
	if _, ok := arm.UnknownIn(doc.Properties, "members"); ok {
		m.members[group][someone] = true
	}
}

// someone stands for a member that is not known.
const someone = "?"

// memberOf says whether a principal is in a group, directly or by groups in it.
func (m *Model) memberOf(group, principal string) verdict.Value {
	return m.memberWithin(group, principal, map[string]bool{})
}

func (m *Model) memberWithin(group, principal string, seen map[string]bool) verdict.Value {
	list, known := m.members[group]
	if !known {
		return verdict.Unknown
	}
	if seen[group] {
		return verdict.No
	}
	seen[group] = true
	if list[principal] {
		return verdict.Yes
	}
	out := verdict.No
	if list[someone] {
		out = verdict.Unknown
	}
	for id := range list {
		if _, nested := m.members[id]; !nested {
			continue
		}
		switch m.memberWithin(id, principal, seen) {
		case verdict.Yes:
			return verdict.Yes
		case verdict.Unknown:
			out = verdict.Unknown
		}
	}
	return out
}

func readAssignment(doc arm.Resource) assignment {
	p := doc.Properties
	a := assignment{
		id:        doc.ID,
		scope:     doc.ID.Parent(),
		principal: strings.ToLower(arm.String(p, "principalId")),
		roleName:  arm.String(p, "roleDefinitionId"),
		group:     strings.EqualFold(arm.String(p, "principalType"), "Group"),
		condition: arm.String(p, "condition"),
	}
	if s := arm.Ref(p, "scope"); s != "" {
		a.scope = s
	}
	if a.scope == "" {
		a.scope = "/"
	}
	a.role = strings.ToLower(a.roleName[strings.LastIndexByte(a.roleName, '/')+1:])
	for _, path := range []string{"scope", "condition", "roleDefinitionId", "principalId"} {
		if u, ok := arm.UnknownAt(p, path); ok {
			a.unknown = path + " is " + u.String()
			a.scopeUnknown = a.scopeUnknown || path == "scope"
		}
	}
	return a
}

// Principal finds a managed identity by its object id.
func (m *Model) Principal(objectID string) (Principal, bool) {
	p, ok := m.principals[strings.ToLower(objectID)]
	return p, ok
}

// ObjectID is the object id of the managed identity that a document of the estate
// is, or has of its own.
func (m *Model) ObjectID(id arm.ID) (string, bool) {
	object, ok := m.objectOf[id.Key()]
	return object, ok
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
		return m.objectOf[arm.ID(id).Key()]
	}
	return ""
}

// IdentitiesOf are all the identities that a resource can act as: its own, then
// its user-assigned ones in order of their ids, then a cluster's kubelet's. Those
// that are not in the estate are left out.
func (m *Model) IdentitiesOf(r arm.Resource) []string {
	var out []string
	add := func(id string) {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	if r.Identity.SystemAssigned() {
		add(cmp.Or(r.Identity.PrincipalID, arm.PrincipalID(r.ID)))
	}
	if r.Identity != nil {
		for _, id := range slices.Sorted(maps.Keys(r.Identity.User)) {
			add(m.objectOf[arm.ID(id).Key()])
		}
	}
	add(m.objectOf[arm.Ref(r.Properties, "identityProfile.kubeletidentity.resourceId").Key()])
	id, _ := kubelet(r)
	add(id)
	return out
}

// WithOwner is the model with one more principal, who may do every control and
// data action at scope and below: the one that a new cloud starts with.
func (m *Model) WithOwner(objectID string, scope arm.ID) *Model {
	out := *m
	role := Role{Name: "bootstrap owner", Actions: []string{"*"}, DataActions: []string{"*"}}
	out.byPrincipal = maps.Clone(m.byPrincipal)
	key := strings.ToLower(objectID)
	out.byPrincipal[key] = append(slices.Clone(m.byPrincipal[key]), assignment{scope: scope, principal: key, roleName: role.Name, extra: &role})
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
