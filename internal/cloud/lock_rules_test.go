package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
)

const v = "?api-version=2024-01-01"

func withAuthorization(h cloud.Host) []cloud.Provider {
	return []cloud.Provider{authorization.New(h.(*cloud.Cloud)), {Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c", Actions: map[string]cloud.Action{"ask": nil}}}}}
}

// What each lock forbids, at its own scope, below it and above it.
func TestLocks(t *testing.T) {
	group, one, child := sub+"/resourceGroups/rg", sub+"/resourceGroups/rg/providers/A.B/c/one", sub+"/resourceGroups/rg/providers/A.B/c/one/d/x"
	lock := "/providers/Microsoft.Authorization/locks/keep"
	for _, tt := range []struct {
		level, at, method, path string
		status                  int
	}{
		{"CanNotDelete", one, "DELETE", one, 409},
		{"CanNotDelete", one, "DELETE", child, 409},
		{"CanNotDelete", one, "DELETE", group, 409},
		{"CanNotDelete", one, "PUT", one, 200},
		{"CanNotDelete", one, "PATCH", one, 200},
		{"CanNotDelete", one, "POST", one + "/ask", 404}, // there is no such action
		{"CanNotDelete", group, "DELETE", child, 409},
		{"CanNotDelete", sub, "DELETE", one, 409},
		{"CanNotDelete", child, "DELETE", sub + "/resourceGroups/other", 200},
		{"ReadOnly", group, "PUT", one, 409},
		{"ReadOnly", group, "PATCH", group, 409},
		{"ReadOnly", group, "POST", one + "/ask", 409},
		{"ReadOnly", group, "PUT", one + "/providers/Microsoft.Resources/tags/default", 409},
		{"ReadOnly", group, "GET", one, 200},
		{"ReadOnly", one, "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two", 201},
		{"ReadOnly", one, "DELETE", group, 409},
		{"ReadOnly", group, "DELETE", group + lock, 200}, // a lock holds no lock
	} {
		t.Run(strings.Join([]string{tt.level, tt.at, tt.method, tt.path}, " "), func(t *testing.T) {
			c := cloudtest.Start(t, withAuthorization)
			for _, path := range []string{group, sub + "/resourceGroups/other", one, child} {
				ask(t, c, "PUT", path+v, `{"location":"westeurope"}`)
			}
			if got := ask(t, c, "PUT", tt.at+lock+v, `{"properties":{"level":"`+tt.level+`"}}`); got.status != 201 {
				t.Fatalf("the lock: %d %v", got.status, got.body)
			}
			got := ask(t, c, tt.method, tt.path+v, `{"location":"westeurope","properties":{"tags":{}}}`)
			if got.status != tt.status || tt.status == 409 && got.code() != "ScopeLocked" {
				t.Errorf("got %d %s, want %d", got.status, got.code(), tt.status)
			}
			if gone := ask(t, c, "DELETE", tt.at+lock+v, ""); gone.status > 204 {
				t.Fatalf("deleting the lock: %d %v", gone.status, gone.body)
			}
			if again := ask(t, c, tt.method, tt.path+v, `{"location":"westeurope","properties":{"tags":{}}}`); again.status == 409 {
				t.Errorf("without the lock: %d %s", again.status, again.code())
			}
		})
	}
}

func TestWrongLocks(t *testing.T) {
	c := cloudtest.Start(t, withAuthorization)
	for path, body := range map[string]string{
		"locks/a":           `{"properties":{"level":"Everything"}}`,
		"locks/b":           `{"properties":{"level":"ReadOnly","notes":"` + strings.Repeat("n", 513) + `"}}`,
		"denyAssignments/c": `{"properties":{}}`,
	} {
		if got := ask(t, c, "PUT", sub+"/providers/Microsoft.Authorization/"+path+v, body); got.status < 400 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// A PUT of a policy assignment is answered as one that creates, whether or not it was
// there: the client of azurerm knows no other answer.
func TestPolicyAssignmentsAreCreatedAnew(t *testing.T) {
	c := cloudtest.Start(t, withAuthorization)
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope"}`)
	at := sub + "/resourceGroups/rg/providers/Microsoft.Authorization/policyAssignments/p" + v
	for _, tt := range []struct {
		method, body string
		status       int
	}{
		{"PUT", `{"properties":{"displayName":"one"}}`, 201},
		{"PUT", `{"properties":{"displayName":"two"}}`, 201},
		{"PATCH", `{"properties":{"displayName":"three"}}`, 200},
	} {
		if got := ask(t, c, tt.method, at, tt.body); got.status != tt.status {
			t.Errorf("%s: %d, want %d", tt.method, got.status, tt.status)
		}
	}
}

func TestTags(t *testing.T) {
	c := cloudtest.Start(t, withAuthorization)
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope","tags":{"a":"1"}}`)
	at := sub + "/resourceGroups/rg/providers/Microsoft.Resources/tags/default" + v
	for _, tt := range []struct{ method, body, want string }{
		{"GET", "", "a=1"},
		{"PATCH", `{"operation":"Merge","properties":{"tags":{"A":"2","b":"3"}}}`, "A=2 b=3"},
		{"PATCH", `{"operation":"Delete","properties":{"tags":{"a":"2","b":"9"}}}`, "b=3"},
		{"PATCH", `{"operation":"Replace","properties":{"tags":{"c":"4"}}}`, "c=4"},
		{"PATCH", `{"operation":"Explode","properties":{"tags":{}}}`, "InvalidTagsPatchOperation"},
		{"PUT", `{"properties":{"tags":{"d":"5"}}}`, "d=5"},
		{"PUT", `{"properties":{"tags":{"d":5}}}`, "InvalidRequestContent"},
		{"PUT", `{}`, "InvalidRequestContent"},
	} {
		got := ask(t, c, tt.method, at, tt.body)
		var shown []string
		tags, _ := arm.Lookup(got.body, "properties.tags")
		object, _ := tags.(map[string]any)
		for name, value := range object {
			shown = append(shown, name+"="+value.(string))
		}
		slices.Sort(shown)
		if text := strings.Join(shown, " ") + got.code(); text != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.body, text, tt.want)
		}
	}
	if got := ask(t, c, "DELETE", at, ""); got.status != 200 {
		t.Errorf("DELETE: %d", got.status)
	}
	if got := ask(t, c, "GET", sub+"/resourceGroups/rg"+v, ""); got.body["tags"] != nil {
		t.Errorf("the group keeps %v", got.body["tags"])
	}
}

// The activity log says who did what, and what was refused.
func TestActivityLog(t *testing.T) {
	c := cloudtest.Start(t, withAuthorization)
	for _, name := range []string{"one", "two"} {
		ask(t, c, "PUT", sub+"/resourceGroups/"+name+v, `{"location":"westeurope"}`)
	}
	ask(t, c, "PUT", sub+"/resourceGroups/one/providers/A.B/c/x"+v, `{}`)
	list := sub + "/providers/Microsoft.Insights/eventtypes/management/values" + v
	for _, tt := range []struct {
		filter string
		want   int
	}{
		{"", 3},
		{"resourceGroupName eq 'one'", 2},
		{"resourceProvider eq 'A.B'", 1},
		{"eventTimestamp ge '2000-01-01T00:00:00Z' and eventTimestamp le '2100-01-01T00:00:00Z' and status eq 'Succeeded'", 3},
		{"eventTimestamp ge '2100-01-01T00:00:00Z'", 0},
		{"caller eq 'nobody'", 0},
	} {
		got := ask(t, c, "GET", list+"&$filter="+strings.ReplaceAll(tt.filter, " ", "%20"), "")
		if n := len(arm.List(got.body, "value")); got.status != 200 || n != tt.want {
			t.Errorf("%s: %d, %d entries, want %d", tt.filter, got.status, n, tt.want)
		}
	}
	first := ask(t, c, "GET", list+"&$top=1", "")
	if arm.String(first.body, "value.0.operationName.value") != "A.B/c/write" || arm.String(first.body, "value.0.caller") != c.Owner.ObjectID || arm.String(first.body, "nextLink") == "" {
		t.Errorf("the newest entry: %v", first.body)
	}
	if got := ask(t, c, "GET", list+"&$filter=level%20gt%203", ""); got.status != 400 {
		t.Errorf("a filter that cannot be read: %d", got.status)
	}
}

// Who may read one group sees that one in the subscription's lists, and no other.
func TestListsHoldWhatMayBeRead(t *testing.T) {
	c := cloudtest.Start(t, withAuthorization)
	for _, name := range []string{"one", "two"} {
		ask(t, c, "PUT", sub+"/resourceGroups/"+name+v, `{"location":"westeurope"}`)
		ask(t, c, "PUT", sub+"/resourceGroups/"+name+"/providers/A.B/c/in-"+name+v, `{}`)
	}
	reader, err := c.NewServicePrincipal(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.ClientAs(reader).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := func(path string) string {
		got := ask(t, c, "GET", path+v, "", "Authorization", "Bearer "+token)
		if got.status != 200 {
			return got.code()
		}
		var out []string
		for _, r := range arm.Objects(got.body, "value") {
			out = append(out, arm.String(r, "name"))
		}
		return strings.Join(out, " ")
	}
	for path, want := range map[string]string{sub: "AuthorizationFailed", sub + "/resources": "", sub + "/resourceGroups": "", "/subscriptions": ""} {
		if got := names(path); got != want {
			t.Errorf("without a role, %s: %q, want %q", path, got, want)
		}
	}
	role := sub + "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
	given := ask(t, c, "PUT", sub+"/resourceGroups/one/providers/Microsoft.Authorization/roleAssignments/0f1c1c0a-6c6e-4a53-9d0a-1d2f7c9f5a22"+v,
		`{"properties":{"roleDefinitionId":"`+role+`","principalId":"`+reader.ObjectID+`"}}`)
	if given.status != 201 {
		t.Fatalf("%d %v", given.status, given.body)
	}
	for path, want := range map[string]string{sub: "", sub + "/resources": "in-one", sub + "/resourceGroups": "one", sub + "/locations": "AuthorizationFailed"} {
		if got := names(path); got != want {
			t.Errorf("as a reader of one group, %s: %q, want %q", path, got, want)
		}
	}
}
