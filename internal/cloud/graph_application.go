package cloud

import (
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
)

func graphApplications(handle handle) {
	handle("GET /applications", func(q *graphCall) error { return q.list("applications", q.applications()) })
	handle("POST /applications", (*graphCall).createApplication)
	handle("GET /applications/{id}", func(q *graphCall) error { return q.get("applications", q.applications()) })
	handle("PATCH /applications/{id}", (*graphCall).changeApplication)
	handle("DELETE /applications/{id}", (*graphCall).deleteApplication)
	handle("GET /servicePrincipals", func(q *graphCall) error { return q.list("servicePrincipals", q.principals()) })
	handle("POST /servicePrincipals", (*graphCall).createPrincipal)
	handle("GET /servicePrincipals/{id}", func(q *graphCall) error { return q.get("servicePrincipals", q.principals()) })
	handle("PATCH /servicePrincipals/{id}", (*graphCall).changeApplication)
	handle("DELETE /servicePrincipals/{id}", (*graphCall).deletePrincipal)
	for _, kind := range []string{"applications", "servicePrincipals"} {
		handle("POST /"+kind+"/{id}/addPassword", (*graphCall).addPassword)
		handle("POST /"+kind+"/{id}/removePassword", (*graphCall).removePassword)
		handle("GET /"+kind+"/{id}/owners", (*graphCall).owners)
		handle("POST /"+kind+"/{id}/owners/$ref", (*graphCall).addOwner)
		handle("DELETE /"+kind+"/{id}/owners/{owner}/$ref", (*graphCall).removeOwner)
	}
}

// applications are the registrations.
func (q *graphCall) applications() []arm.Object {
	var out []arm.Object
	for _, a := range q.c.registrations() {
		out = append(out, showApplication(a))
	}
	return out
}

func showApplication(a application) arm.Object {
	redirects := anyStrings(a.Redirects)
	return arm.Object{
		"@odata.type": "#microsoft.graph.application", "id": objectOf(a.AppID), "appId": a.AppID, "displayName": a.Name, "signInAudience": "AzureADMyOrg",
		"createdDateTime": a.Created.UTC().Format(time.RFC3339), "publisherDomain": directory.Domain, "identifierUris": anyStrings(a.URIs), "tags": anyStrings(a.Tags),
		"passwordCredentials": showSecrets(a.Secrets), "keyCredentials": showCertificates(a.Certificates), "isFallbackPublicClient": a.Public,
		"publicClient": arm.Object{"redirectUris": redirects}, "spa": arm.Object{"redirectUris": []any{}},
		"web": arm.Object{"redirectUris": []any{}, "homePageUrl": nil, "logoutUrl": nil, "implicitGrantSettings": arm.Object{"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false}},
		"api": arm.Object{"oauth2PermissionScopes": []any{}, "knownClientApplications": []any{}, "preAuthorizedApplications": []any{}}, "appRoles": []any{}, "requiredResourceAccess": []any{},
		"info": arm.Object{},
	}
}

func anyStrings(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// principals are the service principals of applications, and managed identities.
func (q *graphCall) principals() []arm.Object {
	var out []arm.Object
	for _, a := range q.c.registrations() {
		if !a.NoPrincipal {
			out = append(out, q.showPrincipal(a))
		}
	}
	for _, r := range q.c.Estate().All() {
		if id, ok := identityOf(r); ok {
			out = append(out, q.principal(id.objectID, id.clientID, id.name, "ManagedIdentity", arm.Object{"alternativeNames": []any{"isExplicit=" + explicit(r), string(r.ID)}}))
		}
	}
	return out
}

// explicit says whether an identity is a document of its own.
func explicit(r arm.Resource) string {
	if r.IsType(typeUserIdentity) {
		return "True"
	}
	return "False"
}

func (q *graphCall) showPrincipal(a application) arm.Object {
	return q.principal(a.ObjectID, a.AppID, a.Name, "Application", arm.Object{
		"tags": anyStrings(a.Tags), "createdDateTime": a.Created.UTC().Format(time.RFC3339), "servicePrincipalNames": append(anyStrings(a.URIs), a.AppID),
	})
}

func (q *graphCall) principal(id, app, name, kind string, more arm.Object) arm.Object {
	o := arm.Object{
		"@odata.type": "#microsoft.graph.servicePrincipal", "id": id, "appId": app, "displayName": name, "appDisplayName": name,
		"servicePrincipalType": kind, "accountEnabled": true, "servicePrincipalNames": []any{app}, "appOwnerOrganizationId": q.c.options.Tenant,
		"signInAudience": "AzureADMyOrg", "passwordCredentials": []any{}, "keyCredentials": []any{}, "appRoles": []any{}, "oauth2PermissionScopes": []any{},
		"tags": []any{}, "replyUrls": []any{}, "alternativeNames": []any{}, "appRoleAssignmentRequired": false,
	}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// registration finds an application by its object id, its application id or its
// service principal's object id. The cloud's owner changes itself only.
func (q *graphCall) registration() (application, error) {
	id := q.r.PathValue("id")
	for _, a := range q.c.registrations() {
		if !strings.EqualFold(id, a.AppID) && !strings.EqualFold(id, objectOf(a.AppID)) && (a.NoPrincipal || !strings.EqualFold(id, a.ObjectID)) {
			continue
		}
		if a.Owner && q.r.Method != http.MethodGet && q.caller.ObjectID != a.ObjectID {
			return application{}, denied()
		}
		return a, nil
	}
	return application{}, graphMissing(id)
}

// apply reads what a body says of an application.
func apply(body arm.Object, p *proofs) error {
	if v, ok := body["isFallbackPublicClient"].(bool); ok {
		p.Public = v
	}
	for path, to := range map[string]*[]string{"publicClient.redirectUris": &p.Redirects, "identifierUris": &p.URIs, "tags": &p.Tags} {
		if _, ok := arm.Lookup(body, path); ok {
			*to = arm.Strings(body, path)
		}
	}
	if web := append(arm.Strings(body, "web.redirectUris"), arm.Strings(body, "spa.redirectUris")...); len(web) > 0 {
		p.Redirects = append(slices.Clone(p.Redirects), web...)
	}
	if len(p.Redirects)+len(p.URIs)+len(p.Tags) > maxCredentials {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The application has more than %d addresses, names and tags.", maxCredentials)
	}
	keys, given := body["keyCredentials"]
	if !given {
		return nil
	}
	list, ok := keys.([]any)
	if !ok || len(list) > maxCredentials {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The property 'keyCredentials' must be a list of at most %d certificates.", maxCredentials)
	}
	var certificates []string
	for _, k := range arm.Objects(body, "keyCredentials") {
		text, err := certificateOf(k, p.Certificates)
		if err != nil {
			return err
		}
		certificates = append(certificates, text)
	}
	p.Certificates = certificates
	return nil
}

// certificateOf is the certificate of a key credential: a new one, or one that is
// named because it stays.
func certificateOf(k arm.Object, had []string) (string, error) {
	text := arm.String(k, "key")
	if text == "" {
		for i, shown := range showCertificates(had) {
			if o, _ := shown.(arm.Object); strings.EqualFold(arm.String(o, "keyId"), arm.String(k, "keyId")) || strings.EqualFold(arm.String(o, "customKeyIdentifier"), arm.String(k, "customKeyIdentifier")) {
				return had[i], nil
			}
		}
		return "", Errorf(http.StatusBadRequest, "KeyCredentialsInvalidKey", "A key credential has neither a key nor the keyId of one that is there.")
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		_, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return "", Errorf(http.StatusBadRequest, "KeyCredentialsInvalidKey", "The key of a key credential is not an X.509 certificate in DER and base64.")
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

func (q *graphCall) createApplication() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	name := arm.String(body, "displayName")
	if name == "" || len(name) > 120 {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The property 'displayName' must have 1 to 120 characters.")
	}
	given := proofs{NoPrincipal: true}
	if q.caller.User {
		given.Owners = []string{q.caller.ObjectID}
	}
	if err := apply(body, &given); err != nil {
		return err
	}
	made, err := q.c.register(q.r.Context(), name, func(p *proofs) { *p = given })
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, "applications", showApplication(made))
}

func (q *graphCall) changeApplication() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	next := found.proofs
	if err := apply(body, &next); err != nil {
		return err
	}
	if name := arm.String(body, "displayName"); name != "" && name != found.Name {
		if err := q.c.principals.rename(q.r.Context(), found.AppID, name); err != nil {
			return err
		}
	}
	err = q.c.principals.change(q.r.Context(), found.AppID, func(p *proofs) {
		p.Public, p.Redirects, p.URIs, p.Tags, p.Certificates = next.Public, next.Redirects, next.URIs, next.Tags, next.Certificates
	})
	if err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) deleteApplication() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	if found.Owner {
		return denied()
	}
	if err := q.c.DeleteServicePrincipal(q.r.Context(), found.AppID); err != nil {
		return err
	}
	return q.none()
}

// createPrincipal makes the service principal of an application that is registered.
func (q *graphCall) createPrincipal() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	app := strings.ToLower(arm.String(body, "appId"))
	found, known, _ := q.c.principals.find(app, "", q.c.now())
	if !known {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The appId '%s' of the service principal does not reference a valid application object.", strings.Map(printable, app))
	}
	if !q.c.principals.proofsOf(app).NoPrincipal {
		return Errorf(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created: the service principal name %s is already in use.", app)
	}
	err = q.c.principals.change(q.r.Context(), app, func(p *proofs) {
		p.NoPrincipal = false
		p.Tags = append(slices.Clone(p.Tags), arm.Strings(body, "tags")...)
	})
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, "servicePrincipals", q.showPrincipal(application{found, q.c.principals.proofsOf(app)}))
}

// deletePrincipal leaves the application registered.
func (q *graphCall) deletePrincipal() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	if found.Owner || found.NoPrincipal {
		return denied()
	}
	if err := q.c.principals.change(q.r.Context(), found.AppID, func(p *proofs) { p.NoPrincipal = true }); err != nil {
		return err
	}
	if err := q.c.directory.Leave(q.r.Context(), found.ObjectID); err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) addPassword() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	if len(found.Secrets) >= maxCredentials {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The application has %d secrets already.", maxCredentials)
	}
	start := q.c.now()
	end := start.Add(defaultSecret)
	for path, at := range map[string]*time.Time{"startDateTime": &start, "endDateTime": &end} {
		text := arm.String(body, "passwordCredential."+path)
		if text == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return Errorf(http.StatusBadRequest, "Request_BadRequest", "The property '%s' is not a time.", path)
		}
	}
	if !end.After(start) {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The secret would end before it begins.")
	}
	made, text, err := q.c.addSecret(q.r.Context(), found.AppID, arm.String(body, "passwordCredential.displayName"), start, end)
	if err != nil {
		return err
	}
	shown := showSecret(made)
	shown["secretText"], shown["@odata.context"] = text, "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.passwordCredential"
	q.w.Header().Set("Cache-Control", "no-store")
	WriteJSON(q.w, http.StatusOK, shown)
	return nil
}

func (q *graphCall) removePassword() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	removed, err := q.c.removeSecret(q.r.Context(), found.AppID, arm.String(body, "keyId"))
	if err != nil {
		return err
	}
	if !removed {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "No password credential found with keyId '%s'.", strings.Map(printable, arm.String(body, "keyId")))
	}
	return q.none()
}

func (q *graphCall) owners() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	return q.list("directoryObjects", slices.DeleteFunc(q.directoryObjects(), func(o arm.Object) bool { return !slices.Contains(found.Owners, arm.String(o, "id")) }))
}

func (q *graphCall) addOwner() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	link, _ := body["@odata.id"].(string)
	owner, err := q.reference(link)
	if err != nil {
		return err
	}
	return q.changeOwners(found, append(slices.DeleteFunc(slices.Clone(found.Owners), func(s string) bool { return s == owner }), owner))
}

func (q *graphCall) removeOwner() error {
	found, err := q.registration()
	if err != nil {
		return err
	}
	return q.changeOwners(found, slices.DeleteFunc(slices.Clone(found.Owners), func(s string) bool { return strings.EqualFold(s, q.r.PathValue("owner")) }))
}

func (q *graphCall) changeOwners(a application, owners []string) error {
	if err := q.c.principals.change(q.r.Context(), a.AppID, func(p *proofs) { p.Owners = owners }); err != nil {
		return err
	}
	return q.none()
}
