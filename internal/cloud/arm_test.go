package cloud_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

const sub = "/subscriptions/" + cloudtest.Subscription

// answer is what ARM answered to a plain request.
type answer struct {
	status int
	header http.Header
	body   arm.Object
}

func (a answer) code() string { return arm.String(a.body, "error.code") }

// ask makes a request with the owner's token, unless header says otherwise.
func ask(t *testing.T, c *cloudtest.Cloud, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Client().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out := answer{status: resp.StatusCode, header: resp.Header}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &out.body); err != nil {
			t.Errorf("%s %s: %v: %s", method, path, err, data)
		}
	}
	return out
}

// Every refusal has Azure's status and code.
func TestRefusals(t *testing.T) {
	c := cloudtest.Start(t, nil)
	v := "?api-version=2024-01-01"
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope"}`)
	ask(t, c, "PUT", sub+"/resourceGroups/rg/providers/A.B/c/one"+v, `{"location":"westeurope"}`)
	stranger, err := c.NewServicePrincipal(t.Context(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.ClientAs(stranger).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	long := `{"location":"westeurope","properties":{"x":"` + strings.Repeat("a", 4<<20) + `"}}`
	deep := `{"properties":` + strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 201)
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code                     string
	}{
		{"no token", "GET", sub + v, "", []string{"Authorization", ""}, 401, "AuthenticationFailed"},
		{"basic authentication", "GET", sub + v, "", []string{"Authorization", "Basic YTpi"}, 401, "AuthenticationFailed"},
		{"a token that is none", "GET", sub + v, "", []string{"Authorization", "Bearer abc"}, 401, "InvalidAuthenticationToken"},
		{"an unsigned token", "GET", sub + v, "", []string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."}, 401, "InvalidAuthenticationToken"},
		{"a stranger", "GET", sub + "/resourceGroups/rg" + v, "", []string{"Authorization", "Bearer " + other}, 403, "AuthorizationFailed"},
		{"a stranger, of what is not there", "GET", sub + "/resourceGroups/none" + v, "", []string{"Authorization", "Bearer " + other}, 403, "AuthorizationFailed"},
		{"no api-version", "GET", sub, "", nil, 400, "MissingApiVersionParameter"},
		{"an api-version that is none", "GET", sub + "?api-version=new", "", nil, 400, "InvalidApiVersionParameter"},
		{"another subscription", "GET", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups" + v, "", nil, 404, "SubscriptionNotFound"},
		{"no such group", "GET", sub + "/resourceGroups/none" + v, "", nil, 404, "ResourceGroupNotFound"},
		{"no such resource", "GET", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, "", nil, 404, "ResourceNotFound"},
		{"a resource of no such group", "PUT", sub + "/resourceGroups/none/providers/A.B/c/two" + v, `{}`, nil, 404, "ResourceGroupNotFound"},
		{"a child of no such parent", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two/d/x" + v, `{}`, nil, 404, "ParentResourceNotFound"},
		{"an extension of no such resource", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two/providers/E.F/g/x" + v, `{}`, nil, 404, "ParentResourceNotFound"},
		{"a list below no such parent", "GET", sub + "/resourceGroups/rg/providers/A.B/c/two/d" + v, "", nil, 404, "ParentResourceNotFound"},
		{"a body that is no JSON", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, `{`, nil, 400, "InvalidRequestContent"},
		{"a body that is a list", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, `[]`, nil, 400, "InvalidRequestContent"},
		{"tags that are no strings", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, `{"tags":{"a":1}}`, nil, 400, "InvalidRequestContent"},
		{"deep JSON", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, deep, nil, 400, "InvalidRequestContent"},
		{"a huge body", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, long, nil, 413, "RequestContentTooLarge"},
		{"a group without a location", "PUT", sub + "/resourceGroups/new" + v, `{}`, nil, 400, "LocationRequired"},
		{"a group elsewhere", "PUT", sub + "/resourceGroups/rg" + v, `{"location":"eastus"}`, nil, 409, "InvalidResourceGroupLocation"},
		{"a group with a wrong name", "PUT", sub + "/resourceGroups/a%20b" + v, `{"location":"eastus"}`, nil, 400, "InvalidResourceGroup"},
		{"a resource elsewhere", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/one" + v, `{"location":"eastus"}`, nil, 409, "InvalidResourceLocation"},
		{"a name that ends with a period", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two." + v, `{}`, nil, 400, "InvalidResourceName"},
		{"a path with dots", "GET", sub + "/resourceGroups/rg/%2e%2e/providers/A.B/c/one" + v, "", nil, 400, "InvalidRequestUri"},
		{"a path with an escaped slash", "GET", sub + "/resourceGroups/rg%2fproviders/A.B/c/one" + v, "", nil, 400, "InvalidRequestUri"},
		{"a path with a null", "GET", sub + "/resourceGroups/rg%00" + v, "", nil, 400, "InvalidRequestUri"},
		{"a patch of what is not there", "PATCH", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, `{}`, nil, 404, "ResourceNotFound"},
		{"an action that is none", "POST", sub + "/resourceGroups/rg/providers/A.B/c/one/explode" + v, "", nil, 404, "InvalidAction"},
		{"a method that is none", "TRACE", sub + "/resourceGroups/rg" + v, "", nil, 405, "MethodNotAllowed"},
		{"If-Match of another version", "PUT", sub + "/resourceGroups/rg" + v, `{"location":"westeurope"}`, []string{"If-Match", `W/"1"`}, 412, "PreconditionFailed"},
		{"If-None-Match of what is there", "PUT", sub + "/resourceGroups/rg" + v, `{"location":"westeurope"}`, []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		{"a filter that cannot be read", "GET", sub + "/resources" + v + "&$filter=size%20gt%203", "", nil, 400, "InvalidFilterInQueryString"},
		{"an operation that is none", "GET", sub + "/providers/A.B/locations/global/operationStatuses/zzz" + v, "", nil, 404, "OperationNotFound"},
		{"an identity that is not there", "PUT", sub + "/resourceGroups/rg/providers/A.B/c/two" + v, `{"identity":{"type":"UserAssigned","userAssignedIdentities":{"` + sub + `/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/x":{}}}}`, nil, 400, "FailedIdentityOperation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, c, tt.method, tt.path, tt.body, tt.header...)
			if got.status != tt.status || got.code() != tt.code {
				t.Errorf("got %d %s (%s), want %d %s", got.status, got.code(), arm.String(got.body, "error.message"), tt.status, tt.code)
			}
			if tt.status == 401 && !strings.Contains(got.header.Get("WWW-Authenticate"), cloudtest.Tenant) {
				t.Errorf("WWW-Authenticate: %q", got.header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestTokenOfAnotherAudience(t *testing.T) {
	c := cloudtest.Start(t, nil)
	form := "grant_type=client_credentials&client_id=" + c.Owner.ClientID + "&client_secret=" + c.Owner.ClientSecret + "&resource=https://storage.azure.com/"
	got := ask(t, c, "POST", "/"+cloudtest.Tenant+"/oauth2/token", form, "Content-Type", "application/x-www-form-urlencoded")
	if got.status != 200 || arm.String(got.body, "resource") != "https://storage.azure.com/" {
		t.Fatalf("token: %d %v", got.status, got.body)
	}
	refused := ask(t, c, "GET", sub+"?api-version=2024-01-01", "", "Authorization", "Bearer "+arm.String(got.body, "access_token"))
	if refused.status != 401 || refused.code() != "InvalidAuthenticationTokenAudience" {
		t.Errorf("a storage token at ARM: %d %s", refused.status, refused.code())
	}
}

func TestLogin(t *testing.T) {
	c := cloudtest.Start(t, nil)
	form := func(secret, rest string) string {
		return "client_id=" + c.Owner.ClientID + "&client_secret=" + secret + "&" + rest
	}
	const grant, scope = "grant_type=client_credentials&", "scope=https://management.azure.com/.default"
	for _, tt := range []struct {
		name, tenant, form string
		status             int
		number             float64
	}{
		{"right", cloudtest.Tenant, form(c.Owner.ClientSecret, grant+scope), 200, 0},
		{"at an address for clients that know no tenants", "adfs", form(c.Owner.ClientSecret, grant+scope), 200, 0},
		{"for the cloud's own address", cloudtest.Tenant, form(c.Owner.ClientSecret, grant+"scope="+c.URL+"/.default"), 200, 0},
		{"a wrong secret", cloudtest.Tenant, form("guess", grant+scope), 401, 7000215},
		{"no secret", cloudtest.Tenant, form("", grant+scope), 401, 7000218},
		{"an unknown application", cloudtest.Tenant, strings.Replace(form(c.Owner.ClientSecret, grant+scope), c.Owner.ClientID, cloudtest.Tenant, 1), 400, 700016},
		{"another tenant", cloudtest.Subscription, form(c.Owner.ClientSecret, grant+scope), 400, 90002},
		{"another grant", cloudtest.Tenant, form(c.Owner.ClientSecret, "grant_type=saml&"+scope), 400, 70003},
		{"no scope", cloudtest.Tenant, form(c.Owner.ClientSecret, grant), 400, 1002012},
		{"an unknown resource", cloudtest.Tenant, form(c.Owner.ClientSecret, grant+"scope=https://example.com/.default"), 400, 500011},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, c, "POST", "/"+tt.tenant+"/oauth2/v2.0/token", tt.form, "Content-Type", "application/x-www-form-urlencoded")
			number, _ := arm.Lookup(got.body, "error_codes.0")
			if got.status != tt.status || tt.number != 0 && number != tt.number || strings.Contains(fmt.Sprint(got.body), c.Owner.ClientSecret) {
				t.Errorf("got %d %v", got.status, got.body)
			}
		})
	}
	for _, path := range []string{"/" + cloudtest.Tenant + "/v2.0", "/adfs", "/common/v2.0"} {
		got := ask(t, c, "GET", path+"/.well-known/openid-configuration", "")
		if arm.String(got.body, "jwks_uri") != c.URL+"/"+cloudtest.Tenant+"/discovery/v2.0/keys" {
			t.Errorf("%s: %v", path, got.body)
		}
	}
	if keys := ask(t, c, "GET", "/"+cloudtest.Tenant+"/discovery/v2.0/keys", ""); arm.String(keys.body, "keys.0.kty") != "RSA" || arm.String(keys.body, "keys.0.d") != "" {
		t.Errorf("keys: %v", keys.body)
	}
}

// What clients are told that know only ARM's address. Each field is one that the
// azurerm provider or az insists on.
func TestEndpoints(t *testing.T) {
	c := cloudtest.Start(t, nil)
	got := ask(t, c, "GET", "/metadata/endpoints?api-version=2022-09-01", "", "Authorization", "")
	for path, want := range map[string]string{
		"name": "Cloister", "resourceManager": c.URL + "/", "microsoftGraphResourceId": "https://graph.microsoft.com/",
		"authentication.loginEndpoint": c.URL, "authentication.tenant": "common", "authentication.identityProvider": "AAD",
		"authentication.audiences.0": "https://management.azure.com/",
		"suffixes.storage":           "core.windows.net", "suffixes.keyVaultDns": "vault.azure.net", "suffixes.acrLoginServer": "azurecr.io",
	} {
		if s := arm.String(got.body, path); s != want {
			t.Errorf("%s is %q, want %q", path, s, want)
		}
	}
	old := ask(t, c, "GET", "//metadata/endpoints?api-version=2015-01-01", "", "Authorization", "")
	if arm.String(old.body, "graphEndpoint") == "" || arm.String(old.body, "authentication.loginEndpoint") != c.URL+"/" {
		t.Errorf("the older shape: %v", old.body)
	}
}

// Of two who change what both have read, one is told that it came too late.
func TestTwoWriters(t *testing.T) {
	c := cloudtest.Start(t, nil)
	path := sub + "/resourceGroups/rg?api-version=2024-01-01"
	first := ask(t, c, "PUT", path, `{"location":"westeurope"}`)
	for round := range 10 {
		tag := ask(t, c, "GET", path, "").header.Get("ETag")
		var results [2]int
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() {
				body := fmt.Sprintf(`{"location":"westeurope","tags":{"round":"%d","writer":"%d"}}`, round, i)
				results[i] = ask(t, c, "PUT", path, body, "If-Match", tag).status
			})
		}
		group.Wait()
		if results[0]+results[1] != 200+412 {
			t.Fatalf("round %d: %v", round, results)
		}
	}
	if first.header.Get("ETag") == ask(t, c, "GET", path, "").header.Get("ETag") {
		t.Error("the ETag stays though the document changes")
	}
}

func TestListsArePaged(t *testing.T) {
	c := cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), PageSize: 3})
	cl := c.Client()
	group := arm.GroupID(cloudtest.Subscription, "rg")
	resources := []arm.Resource{{ID: group, Location: "westeurope"}}
	for i := range 10 {
		resources = append(resources, arm.Resource{ID: group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", i))})
	}
	for _, r := range resources {
		if _, err := cl.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		string(group) + "/resources":                                        10,
		sub + "/resources":                                                  10,
		sub + "/providers/A.B/c":                                            10,
		string(group) + "/providers/a.b/C":                                  10,
		sub + "/resourceGroups":                                             1,
		string(group) + "/resources?$filter=name%20eq%20'n3'":               1,
		sub + "/resources?$filter=name%20eq%20'n3'%20or%20name%20eq%20'n4'": 2,
	} {
		list, err := cl.List(t.Context(), path)
		if err != nil || len(list) != want {
			t.Errorf("%s has %d, %v; want %d", path, len(list), err, want)
		}
	}
}

// A PATCH changes what it names and leaves the rest, and tags as a whole.
func TestPatch(t *testing.T) {
	c := cloudtest.Start(t, nil)
	v := "?api-version=2024-01-01"
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope"}`)
	path := sub + "/resourceGroups/rg/providers/A.B/c/one" + v
	ask(t, c, "PUT", path, `{"location":"westeurope","zones":["1"],"tags":{"a":"1","b":"2"},"properties":{"keep":1,"drop":2,"deep":{"x":1}}}`)
	got := ask(t, c, "PATCH", path, `{"tags":{"c":"3"},"properties":{"drop":null,"deep":{"y":2}}}`)
	var want, have bytes.Buffer
	fmt.Fprint(&want, map[string]any{"tags": map[string]any{"c": "3"}, "zones": []any{"1"},
		"properties": map[string]any{"keep": 1.0, "deep": map[string]any{"x": 1.0, "y": 2.0}, "provisioningState": "Succeeded"}})
	fmt.Fprint(&have, map[string]any{"tags": got.body["tags"], "zones": got.body["zones"], "properties": got.body["properties"]})
	if got.status != 200 || want.String() != have.String() {
		t.Errorf("got %d %s\nwant %s", got.status, have.String(), want.String())
	}
}

// A managed identity may do what it was given a role for, where it was given it,
// and sees the rest as if it were not there.
func TestRoleAssignmentsAreEnforced(t *testing.T) {
	c := cloudtest.Start(t, nil)
	cl := c.Client()
	who, err := c.NewServicePrincipal(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	mine, other := arm.GroupID(cloudtest.Subscription, "mine"), arm.GroupID(cloudtest.Subscription, "other")
	for _, g := range []arm.ID{mine, other} {
		for _, r := range []arm.Resource{{ID: g, Location: "westeurope"}, {ID: g + "/providers/A.B/c/one"}} {
			if _, err := cl.Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	const readerRole = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	assignment := mine.Extension("Microsoft.Authorization", "roleAssignments", "5b0a31a9-7b0f-5c66-9a5e-3f1d3c0a6d11")
	if _, err := cl.Put(t.Context(), arm.Resource{ID: assignment, Properties: arm.Object{
		"roleDefinitionId": sub + "/providers/Microsoft.Authorization/roleDefinitions/" + readerRole,
		"principalId":      who.ObjectID, "principalType": "ServicePrincipal", "scope": string(mine),
	}}); err != nil {
		t.Fatal(err)
	}
	as := c.ClientAs(who)
	if _, err := as.Get(t.Context(), mine+"/providers/A.B/c/one"); err != nil {
		t.Errorf("reading where it may: %v", err)
	}
	if _, err := as.Put(t.Context(), arm.Resource{ID: mine + "/providers/A.B/c/two"}); status(err) != 403 {
		t.Errorf("writing with a reader's role: %v", err)
	}
	if _, err := as.Get(t.Context(), other+"/providers/A.B/c/one"); status(err) != 403 {
		t.Errorf("reading where it may not: %v", err)
	}
	list, err := as.List(t.Context(), "/subscriptions")
	if err != nil || len(list) != 1 {
		t.Errorf("the subscription: %v, %v", list, err)
	}
	if err := cl.Delete(t.Context(), assignment); err != nil {
		t.Fatal(err)
	}
	if _, err := as.Get(t.Context(), mine+"/providers/A.B/c/one"); status(err) != 403 {
		t.Errorf("after the assignment has gone: %v", err)
	}
	if list, err := as.List(t.Context(), "/subscriptions"); err != nil || len(list) != 0 {
		t.Errorf("the subscription, to who may nothing: %v, %v", list, err)
	}
}

func status(err error) int {
	var e *client.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
