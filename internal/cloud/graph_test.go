package cloud_test

import (
	"net/url"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// The directory that clients look people and applications up in.
func TestGraph(t *testing.T) {
	c := cloudtest.Start(t, nil)
	identity := arm.ID(sub + "/resourceGroups/rg/providers/A.B/c/one")
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope"}`)
	ask(t, c, "PUT", string(identity)+v, `{"location":"westeurope","identity":{"type":"SystemAssigned"}}`)
	filter := func(text string) string { return "?$filter=" + url.QueryEscape(text) }
	for _, tt := range []struct {
		method, path, body string
		status             int
		at, want           string
	}{
		{"GET", "servicePrincipals" + filter("appId eq '"+c.Owner.ClientID+"'"), "", 200, "value.0.id", c.Owner.ObjectID},
		{"GET", "servicePrincipals" + filter("appId eq 'none'"), "", 200, "value.0.id", ""},
		{"GET", "servicePrincipals" + filter("displayName eq 'one'"), "", 200, "value.0.id", arm.PrincipalID(identity)},
		{"GET", "servicePrincipals" + filter("size gt 3"), "", 400, "error.code", "Request_UnsupportedQuery"},
		{"GET", "servicePrincipals/" + arm.PrincipalID(identity), "", 200, "servicePrincipalType", "ManagedIdentity"},
		{"GET", "servicePrincipals/none", "", 404, "error.code", "Request_ResourceNotFound"},
		{"GET", "applications" + filter("appId eq '"+c.Owner.ClientID+"'"), "", 200, "value.0.appId", c.Owner.ClientID},
		{"GET", "organization", "", 200, "value.0.id", cloudtest.Tenant},
		{"GET", "me", "", 400, "error.code", "Request_BadRequest"},
		{"GET", "nothing", "", 404, "error.code", "Request_ResourceNotFound"},
		{"POST", "directoryObjects/getByIds", `{"ids":["` + c.Owner.ObjectID + `"]}`, 200, "value.0.appId", c.Owner.ClientID},
		{"POST", "directoryObjects/getByIds", `{"ids":["` + c.Owner.ObjectID + `"],"types":["user","servicePrincipal"]}`, 200, "value.0.appId", c.Owner.ClientID},
		{"POST", "directoryObjects/getByIds", `{"ids":["` + c.Owner.ObjectID + `"],"types":["user"]}`, 200, "value.0.appId", ""},
		{"POST", "directoryObjects/getByIds", `{"ids":[]}`, 400, "error.code", "Request_BadRequest"},
	} {
		got := ask(t, c, tt.method, "/v1.0/"+tt.path, tt.body)
		if s := arm.String(got.body, tt.at); got.status != tt.status || s != tt.want {
			t.Errorf("%s %s: %d, %s is %q, want %d and %q", tt.method, tt.path, got.status, tt.at, s, tt.status, tt.want)
		}
	}
	if got := ask(t, c, "GET", "/v1.0/servicePrincipals", "", "Authorization", ""); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
}
