package cloud

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// graphAudience is what tokens for Microsoft Graph are for: the tenant's directory.
const graphAudience = "https://graph.microsoft.com"

// Graph answers the few calls of Microsoft Graph with which clients look up who
// they are and whom they give a role: it lists, and changes nothing.
//
// Source: the reference of Microsoft Graph v1.0, servicePrincipal, organization and
// directoryObject: getByIds.
func (c *Cloud) Graph() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request, Caller) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			caller, err := c.Authenticate(r, append(c.audiences.management(), graphAudience)...)
			if err == nil {
				err = f(w, r, caller)
			}
			if err != nil {
				WriteError(w, err)
			}
		})
	}
	handle("GET /v1.0/servicePrincipals", c.graphPrincipals)
	handle("GET /v1.0/servicePrincipals/{id}", c.graphPrincipal)
	handle("GET /v1.0/applications", c.graphApplications)
	handle("GET /v1.0/organization", c.graphOrganization)
	handle("GET /v1.0/me", func(http.ResponseWriter, *http.Request, Caller) error {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
	})
	handle("POST /v1.0/directoryObjects/getByIds", c.graphByIDs)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		WriteError(w, Errorf(http.StatusNotFound, "Request_ResourceNotFound", "There is nothing at this address."))
	})
	return mux
}

// isGraph reports whether a path is Microsoft Graph's, where it shares its address
// with ARM.
func isGraph(path string) bool { return strings.HasPrefix(path, "/v1.0/") }

// directory are the applications and the managed identities.
func (c *Cloud) directory() []arm.Object {
	var out []arm.Object
	show := func(id, app, name, kind string) {
		out = append(out, arm.Object{
			"@odata.type": "#microsoft.graph.servicePrincipal", "id": id, "appId": app, "displayName": name, "appDisplayName": name,
			"servicePrincipalType": kind, "accountEnabled": true, "servicePrincipalNames": []string{app}, "appOwnerOrganizationId": c.options.Tenant,
		})
	}
	for _, p := range c.ServicePrincipals() {
		show(p.ObjectID, p.AppID, p.Name, "Application")
	}
	for _, r := range c.Estate().All() {
		if id, ok := identityOf(r); ok {
			show(id.objectID, id.clientID, id.name, "ManagedIdentity")
		}
	}
	return out
}

var graphTerm = regexp.MustCompile(`^\s*(appId|displayName|id)\s+eq\s+'([^']*)'\s*$`)

func graphFilter(text string) (func(arm.Object) bool, error) {
	if text == "" {
		return func(arm.Object) bool { return true }, nil
	}
	var tests [][]string
	for _, part := range split(text, " or ") {
		m := graphTerm.FindStringSubmatch(part)
		if m == nil {
			return nil, Errorf(http.StatusBadRequest, "Request_UnsupportedQuery", "The filter '%s' cannot be read: it compares appId, displayName and id by eq, joined by 'or'.", text)
		}
		tests = append(tests, m)
	}
	return func(o arm.Object) bool {
		for _, m := range tests {
			if strings.EqualFold(arm.String(o, m[1]), m[2]) {
				return true
			}
		}
		return false
	}, nil
}

func graphList(w http.ResponseWriter, r *http.Request, kind string, from []arm.Object) error {
	pass, err := graphFilter(r.URL.Query().Get("$filter"))
	if err != nil {
		return err
	}
	value := []arm.Object{}
	for _, o := range from {
		if pass(o) {
			value = append(value, o)
		}
	}
	WriteJSON(w, http.StatusOK, arm.Object{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#" + kind, "value": value})
	return nil
}

func (c *Cloud) graphPrincipals(w http.ResponseWriter, r *http.Request, _ Caller) error {
	return graphList(w, r, "servicePrincipals", c.directory())
}

func (c *Cloud) graphPrincipal(w http.ResponseWriter, r *http.Request, _ Caller) error {
	for _, o := range c.directory() {
		if strings.EqualFold(arm.String(o, "id"), r.PathValue("id")) {
			WriteJSON(w, http.StatusOK, o)
			return nil
		}
	}
	return Errorf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", strings.Map(printable, r.PathValue("id")))
}

func (c *Cloud) graphApplications(w http.ResponseWriter, r *http.Request, _ Caller) error {
	var apps []arm.Object
	for _, p := range c.ServicePrincipals() {
		apps = append(apps, arm.Object{"id": arm.StableGUID(arm.ID("/applications/"+p.AppID), "id"), "appId": p.AppID, "displayName": p.Name, "signInAudience": "AzureADMyOrg"})
	}
	return graphList(w, r, "applications", apps)
}

func (c *Cloud) graphOrganization(w http.ResponseWriter, r *http.Request, _ Caller) error {
	return graphList(w, r, "organization", []arm.Object{{"id": c.options.Tenant, "displayName": "Cloister", "tenantType": "AAD", "verifiedDomains": []any{}}})
}

func (c *Cloud) graphByIDs(w http.ResponseWriter, r *http.Request, _ Caller) error {
	body, err := readObject(w, r)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, id := range arm.Strings(body, "ids") {
		wanted[strings.ToLower(id)] = true
	}
	value := []arm.Object{}
	for _, o := range c.directory() {
		if wanted[strings.ToLower(arm.String(o, "id"))] {
			value = append(value, o)
		}
	}
	WriteJSON(w, http.StatusOK, arm.Object{"value": value})
	return nil
}
