package armclients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/verdict"
)

// markedTypes are types whose documents take nothing but a marker to be told by.
var markedTypes = []string{"Contoso.Widgets/widgets", "Microsoft.Network/networkSecurityGroups", "Microsoft.Network/routeTables", "Contoso.Gadgets/gadgets"}

func markerOf(id arm.ID) string { return "marker-" + arm.StableGUID(id, "marker") }

// Whatever roles a principal was given and whatever it asks for, no answer has a
// document that package access says it may not read.
func TestNoAnswerLeaks(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	var documents []arm.ID
	var scopes []string
	for g := range 3 {
		held := arm.GroupID(sub, fmt.Sprintf("rg-%d", g))
		if err := w.Client().Do(ctx, http.MethodPut, string(held), arm.Object{"location": "westeurope", "tags": arm.Object{"m": markerOf(held)}}, nil); err != nil {
			t.Fatal(err)
		}
		documents, scopes = append(documents, held), append(scopes, string(held))
		for i, typ := range markedTypes {
			one := arm.ResourceID(sub, held.Name(), typ, fmt.Sprintf("doc%d", i))
			if _, err := w.Client().Put(ctx, arm.Resource{ID: one, Location: "westeurope", Tags: map[string]string{"m": markerOf(one)}}); err != nil {
				t.Fatal(err)
			}
			documents, scopes = append(documents, one), append(scopes, string(one))
		}
	}
	scopes = append(scopes, "/subscriptions/"+sub)
	h := w.ARM()
	principal := 0
	rapid.Check(t, func(rt *rapid.T) {
		principal++
		who, err := w.NewServicePrincipal(ctx, fmt.Sprint("p", principal))
		if err != nil {
			rt.Fatal(err)
		}
		w.giveAtRandom(rt, who, scopes)
		token, err := w.ClientAs(who).Token(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		roles := access.FromEstate(w.Estate()).UnderRoot(managementGroups + cloudtest.Tenant)
		for range 12 {
			method, target := request(rt, scopes)
			got := send(h, method, target, token, "application/json", []byte(`{}`))
			for _, d := range documents {
				action := d.Type() + "/read"
				if d.Group().Equal(d) {
					action = "Microsoft.Resources/subscriptions/resourceGroups/read"
				}
				may := roles.Allows(who.ObjectID, action, false, d).Value == verdict.Yes
				if strings.Contains(got.Body.String(), markerOf(d)) && !may {
					rt.Fatalf("%s %s shows %s, which the caller may not read", method, target, d)
				}
			}
			noStrangers(rt, roles, who, method+" "+target, got.Body.Bytes())
		}
	})
}

// noStrangers holds that every document of a list may be read by who asked.
func noStrangers(rt *rapid.T, roles *access.Model, who cloud.Credentials, what string, body []byte) {
	var list struct {
		Value []struct{ ID, Type string }
	}
	if json.Unmarshal(body, &list) != nil {
		return
	}
	for _, v := range list.Value {
		if id, err := arm.ParseID(v.ID); err == nil && id.Level() == arm.LevelResource && strings.HasPrefix(v.Type, "Contoso.") &&
			roles.Allows(who.ObjectID, v.Type+"/read", false, id).Value != verdict.Yes {
			rt.Fatalf("%s lists %s, which the caller may not read", what, id)
		}
	}
}

func (w *world) giveAtRandom(rt *rapid.T, who cloud.Credentials, scopes []string) {
	for i := range rapid.IntRange(0, 3).Draw(rt, "roles") {
		scope := rapid.SampledFrom(scopes).Draw(rt, "scope")
		role := rapid.SampledFrom([]string{reader, contributor, networkContributor, blobReader}).Draw(rt, "role")
		err := w.Client().Do(w.t.Context(), http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+arm.StableGUID(arm.ID(scope), fmt.Sprint(who.ObjectID, i)),
			arm.Object{"properties": arm.Object{"roleDefinitionId": *roleID(role), "principalId": who.ObjectID}}, nil)
		if err != nil && code(err) != "RoleAssignmentExists" {
			rt.Fatal(err)
		}
	}
}

const networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"

// request draws something to ask for.
func request(rt *rapid.T, scopes []string) (method, target string) {
	scope := rapid.SampledFrom(scopes).Draw(rt, "asked")
	typ := rapid.SampledFrom(markedTypes).Draw(rt, "type")
	tail := rapid.SampledFrom([]string{
		"", "/resources", "/resourcegroups", "/providers/" + typ, "/providers/Microsoft.Resources/tags/default",
		"/providers/Microsoft.Authorization/roleAssignments", "/providers/Microsoft.Authorization/locks", "/providers/Microsoft.Authorization/permissions",
		"/providers/Microsoft.Resources/deployments", "/privateLinkResources", "/privateEndpointConnections", "/listKeys",
		"/providers/Microsoft.Insights/eventtypes/management/values",
	}).Draw(rt, "tail")
	query := rapid.SampledFrom([]string{"", "&$filter=resourceType%20eq%20'" + typ + "'", "&$expand=createdTime", "&$top=1", "&$filter=atScope()"}).Draw(rt, "query")
	method = rapid.SampledFrom([]string{"GET", "GET", "GET", "HEAD", "PATCH", "POST"}).Draw(rt, "method")
	return method, scope + tail + "?api-version=2024-01-01" + query
}
