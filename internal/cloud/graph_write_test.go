package cloud_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// What az ad and the azuread provider write, and what it does.
func TestGraphWrites(t *testing.T) {
	c := cloudtest.Start(t, nil)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		got := ask(t, c, method, "/v1.0/"+path, body, header...)
		if got.status != status {
			t.Fatalf("%s %s: %d %v, want %d", method, path, got.status, got.body, status)
		}
		return got
	}
	app := call("POST", "applications", `{"displayName":"robot"}`, 201)
	id, appID := arm.String(app.body, "id"), arm.String(app.body, "appId")
	secret := call("POST", "applications/"+id+"/addPassword", `{"passwordCredential":{"displayName":"rbac"}}`, 200)
	signIn := func(secret string) answer {
		return form(t, c, "token", url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "client_secret": {secret}, "scope": {"https://management.azure.com/.default"}})
	}
	text := arm.String(secret.body, "secretText")
	if got := signIn(text); got.aadsts() != 7000229 {
		t.Errorf("an application without a service principal: %v", got.body)
	}
	principal := call("POST", "servicePrincipals", `{"appId":"`+appID+`"}`, 201)
	call("POST", "servicePrincipals", `{"appId":"`+appID+`"}`, 409)
	token := arm.String(signIn(text).body, "access_token")
	if token == "" {
		t.Fatal("no token for the service principal")
	}
	if shown := call("GET", "applications(appId='"+appID+"')", "", 200); strings.Contains(arm.String(shown.body, "passwordCredentials.0.secretText"), text) {
		t.Error("the secret is shown again")
	}

	// It sees itself, and changes nothing.
	as := []string{"Authorization", "Bearer " + token}
	if list := call("GET", "servicePrincipals", "", 200, as...); len(arm.Objects(list.body, "value")) != 1 {
		t.Errorf("an application without rights sees %v", list.body)
	}
	call("POST", "applications", `{"displayName":"another"}`, 403, as...)
	call("POST", "applications/"+id+"/addPassword", `{}`, 403, as...)
	call("GET", "users/"+c.Owner.ObjectID, "", 404, as...)

	call("POST", "applications/"+id+"/removePassword", `{"keyId":"`+arm.String(secret.body, "keyId")+`"}`, 204)
	if got := signIn(text); got.aadsts() != 7000215 {
		t.Errorf("a secret that was removed: %v", got.body)
	}
	call("DELETE", "servicePrincipals/"+arm.String(principal.body, "id"), "", 204)
	call("GET", "organization", "", 401, as...)
	call("DELETE", "applications/"+id, "", 204)
	call("GET", "applications/"+id, "", 404)
	owner := call("GET", "applications(appId='"+c.Owner.ClientID+"')", "", 200)
	call("DELETE", "applications/"+arm.String(owner.body, "id"), "", 403)

	user := call("POST", "users", `{"displayName":"Ada","userPrincipalName":"ada@cloister.onmicrosoft.com","accountEnabled":true,"passwordProfile":{"password":"`+password+`"}}`, 201)
	ada := arm.String(user.body, "id")
	call("POST", "users", `{"displayName":"Ada","userPrincipalName":"ADA@cloister.onmicrosoft.com","passwordProfile":{"password":"`+password+`"}}`, 400)
	group := call("POST", "groups", `{"displayName":"devs","mailNickname":"devs","securityEnabled":true,"mailEnabled":false}`, 201)
	devs := arm.String(group.body, "id")
	ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + ada + `"}`
	call("POST", "groups/"+devs+"/members/$ref", ref, 204)
	call("POST", "groups/"+devs+"/members/$ref", ref, 400)
	if list := call("GET", "groups/"+devs+"/members", "", 200); arm.String(list.body, "value.0.id") != ada {
		t.Errorf("members: %v", list.body)
	}
	if list := call("POST", "users/"+ada+"/checkMemberGroups", `{"groupIds":["`+devs+`"]}`, 200); arm.String(list.body, "value.0") != devs {
		t.Errorf("checkMemberGroups: %v", list.body)
	}
	call("DELETE", "groups/"+devs+"/members/"+ada+"/$ref", "", 204)
	call("DELETE", "groups/"+devs+"/members/"+ada+"/$ref", "", 404)

	signedIn := form(t, c, "token", url.Values{"grant_type": {"password"}, "client_id": {azureCLI}, "username": {"ada@cloister.onmicrosoft.com"}, "password": {password}, "scope": {"https://graph.microsoft.com/.default offline_access"}})
	as = []string{"Authorization", "Bearer " + arm.String(signedIn.body, "access_token")}
	call("GET", "users", "", 200, as...)
	call("DELETE", "groups/"+devs, "", 403, as...)
	call("PATCH", "users/"+ada, `{"accountEnabled":false}`, 204)
	call("GET", "me", "", 401, as...)
	if got := form(t, c, "token", url.Values{"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {arm.String(signedIn.body, "refresh_token")}}); got.aadsts() != 50057 {
		t.Errorf("a disabled user refreshes: %v", got.body)
	}
}

// $filter, $select and paging.
func TestGraphQueries(t *testing.T) {
	c := cloudtest.Start(t, nil)
	for _, name := range []string{"one", "two", "three", "o'four"} {
		if got := ask(t, c, "POST", "/v1.0/groups", `{"displayName":"`+name+`","mailNickname":"`+strings.Trim(name, "'")+`"}`); got.status != 201 {
			t.Fatal(got.body)
		}
	}
	names := func(query string) string {
		t.Helper()
		got := ask(t, c, "GET", "/v1.0/groups?"+query, "")
		var list []string
		for _, o := range arm.Objects(got.body, "value") {
			list = append(list, arm.String(o, "displayName"))
		}
		if got.status != 200 {
			return arm.String(got.body, "error.code")
		}
		return strings.Join(list, " ")
	}
	for filter, want := range map[string]string{
		"displayName eq 'ONE'":                                 "one",
		"displayName eq 'one' or displayName eq 'two'":         "one two",
		"startswith(displayName,'t') and mailEnabled eq false": "three two",
		"displayName in ('one', 'three')":                      "one three",
		"displayName eq 'o''four'":                             "o'four",
		"displayName eq 'one or two'":                          "",
		"displayName ne 'one' and securityEnabled eq true":     "o'four three two",
		"mailEnabled eq true":                                  "",
		"displayName gt 'a'":                                   "Request_UnsupportedQuery",
		"x/any(c:d eq 'a')":                                    "Request_UnsupportedQuery",
		"displayName eq 'one":                                  "Request_UnsupportedQuery",
	} {
		if got := names("$filter=" + url.QueryEscape(filter)); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	page := ask(t, c, "GET", "/v1.0/groups?$top=3&$count=true&$select=displayName", "")
	next, _ := page.body["@odata.nextLink"].(string)
	if len(arm.Objects(page.body, "value")) != 3 || next == "" || arm.String(page.body, "value.0.id") != "" || fmt.Sprint(page.body["@odata.count"]) != "4" {
		t.Fatalf("the first page: %v", page.body)
	}
	rest := ask(t, c, "GET", strings.TrimPrefix(next, c.URL), "")
	if list := arm.Objects(rest.body, "value"); len(list) != 1 || arm.String(list[0], "displayName") != "two" {
		t.Errorf("the second page: %v", rest.body)
	}
	if got := names("$top=x"); got != "Request_BadRequest" {
		t.Errorf("$top=x: %s", got)
	}
}
