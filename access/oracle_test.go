package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// The oracle decides by brute force over plain values that the estate was made
// from: it knows neither Model nor the matcher nor the condition parser.

type plainRole struct{ allow, except []string }

type plainCondition struct {
	text string
	// holds tells the truth of the condition, with the truth of what nobody knows.
	holds func(action, container string, unknown bool) bool
}

type plainGrant struct {
	who    string
	scope  string
	role   int
	when   *plainCondition
	denies bool
	here   bool     // a denial that is for its scope alone
	except []string // whom a denial excludes
}

type plainWorld struct {
	roles  []plainRole
	grants []plainGrant
	groups map[string][]string
}

// may is what the facts say: unknown where it hangs on what nobody knows.
func (w plainWorld) may(who, action, scope string) verdict.Value {
	a, b := w.mayIf(who, action, scope, false), w.mayIf(who, action, scope, true)
	switch {
	case a != b:
		return verdict.Unknown
	case a:
		return verdict.Yes
	}
	return verdict.No
}

func (w plainWorld) mayIf(who, action, scope string, unknown bool) bool {
	_, container, _ := strings.Cut(scope, "/containers/")
	allowed := false
	for _, g := range w.grants {
		inside := scope == g.scope || g.scope == "/" || strings.HasPrefix(scope, g.scope+"/")
		if g.here {
			inside = scope == g.scope
		}
		role := w.roles[g.role]
		hits := func(list []string) bool {
			return slices.ContainsFunc(list, func(p string) bool {
				return asRegexp(p).MatchString(action) || asRegexp(strings.ReplaceAll(p, "/*/", "/")).MatchString(action)
			})
		}
		if !inside || !w.is(who, g.who) || !hits(role.allow) || hits(role.except) {
			continue
		}
		if g.denies {
			if !slices.ContainsFunc(g.except, func(id string) bool { return w.is(who, id) }) {
				return false
			}
			continue
		}
		if g.when == nil || g.when.holds(action, container, unknown) {
			allowed = true
		}
	}
	return allowed
}

func (w plainWorld) is(who, id string) bool {
	return id == who || id == everyone || slices.ContainsFunc(w.groups[id], func(m string) bool { return w.is(who, m) })
}

const (
	groupA = "aaaaaaaa-0000-0000-0000-00000000000a"
	groupB = "aaaaaaaa-0000-0000-0000-00000000000b"
)

var (
	oracleActions = []string{readBlob, writeBlob, "Microsoft.Storage/storageAccounts/read", "Microsoft.Authorization/roleAssignments/write", "microsoft.storage/STORAGEACCOUNTS/delete"}
	patterns      = []string{
		"*", "*/read", "Microsoft.Storage/*", "Microsoft.Storage/storageAccounts/*/read", "Microsoft.Storage/storageAccounts/read", readBlob, writeBlob,
		"microsoft.authorization/*/Write", "Microsoft.Storage/*/blobs/*", "*/delete", "Microsoft.KeyVault/*",
	}
	oracleScopes = []arm.ID{"/", arm.ID("/subscriptions/" + sub), group, account, container}
)

func drawCondition(t *rapid.T, depth int, used *bool) plainCondition {
	kind := rapid.IntRange(0, 5).Draw(t, "condition")
	if depth == 0 && kind > 2 {
		kind -= 3
	}
	switch kind {
	case 0:
		p := rapid.SampledFrom(patterns).Draw(t, "pattern")
		return plainCondition{"ActionMatches{'" + p + "'}", func(action, _ string, _ bool) bool {
			return asRegexp(p).MatchString(action) || asRegexp(strings.ReplaceAll(p, "/*/", "/")).MatchString(action)
		}}
	case 1:
		if *used {
			return plainCondition{"ActionMatches{'none'}", func(string, string, bool) bool { return false }}
		}
		*used = true // outside a container nobody knows it
		name := rapid.SampledFrom([]string{"data", "logs"}).Draw(t, "container")
		return plainCondition{fmt.Sprintf("@Resource[%s] StringEquals '%s'", containerName, name), func(_, container string, unknown bool) bool {
			if container == "" {
				return unknown
			}
			return container == name
		}}
	case 2:
		if *used { // what nobody knows stands once, so that its two truths say all
			return plainCondition{"(ActionMatches{'*'})", func(string, string, bool) bool { return true }}
		}
		*used = true
		return plainCondition{"@Request[a:b<$key$>] ForAnyOfAnyValues:StringLike {'x', 'y (z)'}", func(_, _ string, unknown bool) bool { return unknown }}
	case 3:
		c := drawCondition(t, depth-1, used)
		word := rapid.SampledFrom([]string{"!", "NOT "}).Draw(t, "not")
		return plainCondition{word + "(" + c.text + ")", func(a, b string, u bool) bool { return !c.holds(a, b, u) }}
	case 4:
		x, y := drawCondition(t, depth-1, used), drawCondition(t, depth-1, used)
		word := rapid.SampledFrom([]string{" AND ", " && "}).Draw(t, "and")
		return plainCondition{"(" + x.text + word + y.text + ")", func(a, b string, u bool) bool { return x.holds(a, b, u) && y.holds(a, b, u) }}
	}
	x, y := drawCondition(t, depth-1, used), drawCondition(t, depth-1, used)
	word := rapid.SampledFrom([]string{" OR ", " || ", "\n or\t"}).Draw(t, "or")
	return plainCondition{"(" + x.text + word + y.text + ")", func(a, b string, u bool) bool { return x.holds(a, b, u) || y.holds(a, b, u) }}
}

func TestAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, docs := drawWorld(t)
		e, err := arm.NewEstate(docs...)
		if err != nil {
			t.Fatal(err)
		}
		m := FromEstate(e)
		for _, action := range oracleActions {
			for _, scope := range oracleScopes[1:] {
				want := w.may(vm, action, string(scope))
				if got := m.Allows(vm, action, false, scope); got.Value != want {
					t.Fatalf("%s at %s: %s, want %s\n%+v\n%+v", action, scope, got.Value, want, got.Steps, w.grants)
				}
			}
		}
	})
}

func drawWorld(t *rapid.T) (plainWorld, []arm.Resource) {
	w := plainWorld{groups: map[string][]string{}}
	docs := []arm.Resource{machineDoc()}
	for _, id := range []string{groupA, groupB} {
		pool := []string{vm, other}
		if id == groupB {
			pool = append(pool, groupA)
		}
		w.groups[id] = rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, len(pool), rapid.ID[string]).Draw(t, "members")
		docs = append(docs, doc(arm.ID("/providers/Microsoft.Graph/groups/"+id), arm.Object{"members": anys(w.groups[id])}))
	}
	list := rapid.SliceOfN(rapid.SampledFrom(patterns), 0, 3)
	for i := range rapid.IntRange(1, 3).Draw(t, "roles") {
		r := plainRole{list.Draw(t, "allow"), list.Draw(t, "except")}
		w.roles = append(w.roles, r)
		docs = append(docs, doc(arm.ID("/providers/Microsoft.Authorization/roleDefinitions/"+customGUID(i)), arm.Object{"permissions": permissions(r)}))
	}
	used := false
	for i := range rapid.IntRange(1, 5).Draw(t, "grants") {
		g := plainGrant{
			who:   rapid.SampledFrom([]string{vm, vm, other, groupA, groupB}).Draw(t, "who"),
			scope: string(rapid.SampledFrom(oracleScopes).Draw(t, "scope")), role: rapid.IntRange(0, len(w.roles)-1).Draw(t, "role"),
		}
		if g.denies = rapid.IntRange(0, 4).Draw(t, "denies") == 0; g.denies {
			g.here = rapid.Bool().Draw(t, "here")
			g.except = rapid.SliceOfN(rapid.SampledFrom([]string{vm, groupA}), 0, 1).Draw(t, "except")
			if rapid.Bool().Draw(t, "everyone") {
				g.who = everyone
			}
		} else if rapid.Bool().Draw(t, "conditional") {
			c := drawCondition(t, 3, &used)
			g.when = &c
		}
		w.grants = append(w.grants, g)
		docs = append(docs, grantDoc(w, g, i))
	}
	return w, docs
}

func grantDoc(w plainWorld, g plainGrant, i int) arm.Resource {
	p := arm.Object{"scope": g.scope, "principalId": g.who, "roleDefinitionId": roleID(customGUID(g.role))}
	if _, isGroup := w.groups[g.who]; isGroup {
		p["principalType"] = "Group"
	}
	if g.when != nil {
		p["condition"] = g.when.text
	}
	typ := "roleAssignments"
	if g.denies {
		typ = "denyAssignments"
		party := func(id string) arm.Object {
			if _, isGroup := w.groups[id]; isGroup {
				return arm.Object{"id": id, "type": "Group"}
			}
			return arm.Object{"id": id, "type": "ServicePrincipal"}
		}
		excluded := []any{}
		for _, id := range g.except {
			excluded = append(excluded, party(id))
		}
		p = arm.Object{
			"scope": g.scope, "principals": []any{party(g.who)}, "excludePrincipals": excluded,
			"doNotApplyToChildScopes": g.here, "permissions": permissions(w.roles[g.role]),
		}
	}
	return doc(arm.ID(strings.TrimSuffix(g.scope, "/")).Extension("Microsoft.Authorization", typ, fmt.Sprint("g", i)), p)
}

func permissions(r plainRole) []any {
	return []any{arm.Object{"actions": anys(r.allow), "notActions": anys(r.except)}}
}

func anys(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func customGUID(i int) string { return fmt.Sprintf("5f0e2bd1-0000-0000-0000-00000000000%d", i) }

func FuzzCondition(f *testing.F) {
	f.Add("((!(ActionMatches{'" + readBlob + "'})) OR (@Resource[" + containerName + "] StringEquals 'data'))")
	f.Add("ActionMatches{")
	f.Add("((((((")
	f.Add("@Request[a] = {1, 2} && ! NOT x")
	f.Add("é ∧ (")
	f.Fuzz(func(t *testing.T, text string) {
		c := call{action: readBlob, scope: container}
		if v := condition("("+text+") OR ActionMatches{'*'}", c); v == verdict.No {
			t.Errorf("%q or true is false", text)
		}
	})
}

func TestWaysAround(t *testing.T) {
	registry := arm.ResourceID(sub, "rg", typeRegistry, "acr")
	const pull = "Microsoft.ContainerRegistry/registries/pull/read"
	accountDoc := func(keys any) arm.Resource { return doc(account, arm.Object{"allowSharedKeyAccess": keys}) }
	registryDoc := func(mode string, admin bool) arm.Resource {
		return doc(registry, arm.Object{"roleAssignmentMode": mode, "adminUserEnabled": admin})
	}
	for _, c := range []struct {
		name   string
		docs   []arm.Resource
		action string
		scope  arm.ID
		data   bool
		want   verdict.Value
	}{
		{"who lists keys reads blobs", []arm.Resource{accountDoc(true), assign(account, "Contributor", vm)}, readBlob, container, true, verdict.Yes},
		{"not where keys are off", []arm.Resource{accountDoc(false), assign(account, "Contributor", vm)}, readBlob, container, true, verdict.No},
		{"keys work unless it is said", []arm.Resource{doc(account, nil), assign(account, "Reader and Data Access", vm)}, readBlob, container, true, verdict.Yes},
		{"not known whether keys work", []arm.Resource{accountDoc(arm.Unknown{Expression: "var.k"}), assign(account, "Contributor", vm)}, readBlob, container, true, verdict.Unknown},
		{"Reader lists no keys", []arm.Resource{accountDoc(true), assign(account, "Reader", vm)}, readBlob, container, true, verdict.No},
		{"AcrPull pulls", []arm.Resource{registryDoc("LegacyRegistryPermissions", false), assign(registry, "AcrPull", vm)}, pull, registry, false, verdict.Yes},
		{"AcrPull does not where roles are by repository", []arm.Resource{registryDoc(abacMode, false), assign(registry, "AcrPull", vm)}, pull, registry, false, verdict.No},
		{"a repository's reader does", []arm.Resource{registryDoc(abacMode, false), assign(registry, "Container Registry Repository Reader", vm)}, pull, registry, false, verdict.Yes},
		{"and not elsewhere", []arm.Resource{registryDoc("", false), assign(registry, "Container Registry Repository Reader", vm)}, pull, registry, false, verdict.No},
		{"the admin account pulls", []arm.Resource{registryDoc("", true), assign(registry, "Contributor", vm)}, pull, registry, false, verdict.Yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v := model(t, c.docs...).May(vm, c.action, c.scope, c.data); v.Value != c.want || len(v.Steps) == 0 {
				t.Errorf("%s: %+v", v.Value, v.Steps)
			}
		})
	}
}

func TestEscalates(t *testing.T) {
	vaultWithPolicies := doc(vaultID, arm.Object{"enableRbacAuthorization": false})
	for _, c := range []struct {
		name  string
		docs  []arm.Resource
		scope arm.ID
		want  verdict.Value
	}{
		{"Owner", []arm.Resource{assign(group, "Owner", vm)}, account, verdict.Yes},
		{"Contributor", []arm.Resource{assign(group, "Contributor", vm)}, account, verdict.No},
		{"an administrator under a condition", []arm.Resource{assign(group, "Role Based Access Control Administrator", vm, "condition", "@Request[x] ForAnyOfAnyValues:GuidEquals {1}")}, account, verdict.Unknown},
		{"a condition that is for something else", []arm.Resource{assign(group, "Owner", vm, "condition", "!(ActionMatches{'Microsoft.Storage/*'}) OR (@Request[x] StringEquals 'y')")}, group, verdict.Yes},
		{"Contributor of a vault with policies", []arm.Resource{vaultWithPolicies, assign(vaultID, "Key Vault Contributor", vm)}, vaultID, verdict.Yes},
		{"Contributor of a vault with roles", []arm.Resource{doc(vaultID, arm.Object{"enableRbacAuthorization": true}), assign(vaultID, "Key Vault Contributor", vm)}, vaultID, verdict.No},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v := model(t, c.docs...).Escalates(vm, c.scope); v.Value != c.want || len(v.Steps) == 0 {
				t.Errorf("%s: %+v", v.Value, v.Steps)
			}
		})
	}
}

func TestRolesWithLimits(t *testing.T) {
	const guid = "5f0e2bd1-0000-0000-0000-000000000009"
	custom := func(scope arm.ID, actions any) arm.Resource {
		return doc(arm.ID("/subscriptions/"+sub+"/providers/Microsoft.Authorization/roleDefinitions/"+guid), arm.Object{
			"assignableScopes": []any{string(scope)}, "permissions": []any{
				arm.Object{"actions": actions, "notActions": []any{"*/delete"}}, arm.Object{"actions": []any{"Microsoft.Storage/storageAccounts/delete"}},
			},
		})
	}
	m := model(t, custom(group, []any{"Microsoft.Storage/*"}), assign(account, guid, vm))
	if v := m.Allows(vm, "Microsoft.Storage/storageAccounts/delete", false, account); v.Value != verdict.Yes {
		t.Errorf("what one permission excepts another gives: %+v", v)
	}
	m = model(t, custom(vaultID, []any{"*"}), assign(account, guid, vm))
	if v := m.Allows(vm, "Microsoft.Storage/storageAccounts/read", false, account); v.Value != verdict.No || !strings.Contains(v.Decisive().Reason, "may be assigned at") {
		t.Errorf("outside of its scopes: %+v", v)
	}
	m = model(t, custom(group, arm.Unknown{Expression: "var.actions"}), assign(account, guid, vm))
	if v := m.Allows(vm, "Microsoft.Storage/storageAccounts/read", false, account); v.Value != verdict.Unknown {
		t.Errorf("its actions are not known: %+v", v)
	}
}

func TestKubelet(t *testing.T) {
	cluster := doc(arm.ResourceID(sub, "rg", typeCluster, "aks"), nil)
	cluster.Identity, cluster.Location = &arm.Identity{Type: "SystemAssigned"}, "West Europe"
	m := model(t, cluster)
	ids := m.IdentitiesOf(cluster)
	if len(ids) != 2 || ids[0] != arm.PrincipalID(cluster.ID) {
		t.Fatalf("identities %v", ids)
	}
	if p, ok := m.Principal(ids[1]); !ok || p.Name != "aks (kubelet)" {
		t.Errorf("%+v", p)
	}
}

func BenchmarkAllows(b *testing.B) {
	var docs []arm.Resource
	for i := range 5000 {
		id := arm.ResourceID(sub, "rg", typeUserIdentity, fmt.Sprint("mi", i))
		docs = append(docs, doc(id, nil), assign(arm.ResourceID(sub, "rg", typeStorage, fmt.Sprint("st", i)), "Storage Blob Data Reader", arm.PrincipalID(id)))
	}
	e, err := arm.NewEstate(docs...)
	if err != nil {
		b.Fatal(err)
	}
	m, who, scope := FromEstate(e), arm.PrincipalID(docs[0].ID), arm.ResourceID(sub, "rg", typeStorage, "st0")
	for b.Loop() {
		if v := m.Allows(who, readBlob, true, scope); v.Value != verdict.Yes {
			b.Fatal(v)
		}
	}
}
