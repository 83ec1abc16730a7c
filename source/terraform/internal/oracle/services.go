package oracle

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// principal is the object id of who applies.
const principal = "0b0f7a30-5d2b-4a86-9c35-0a1d8a8f4b11"

// login answers as the token service.
func (e *Endpoint) login(a answer, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		a.json(http.StatusOK, arm.Object{"token_type": "Bearer", "expires_in": 86400, "access_token": e.token()})
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		base := "https://" + r.Host + "/" + e.Tenant
		a.json(http.StatusOK, arm.Object{
			"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
		})
	default:
		e.note(r)
		a.json(http.StatusOK, arm.Object{"tenant_discovery_endpoint": "https://" + r.Host + "/" + e.Tenant + "/v2.0/.well-known/openid-configuration"})
	}
}

// token is a token that says who it is for; its signature is none, for clients do
// not look at it.
func (e *Endpoint) token() string {
	part := func(o arm.Object) string {
		raw, _ := json.Marshal(o) // strings and numbers alone
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return part(arm.Object{"alg": "RS256", "typ": "JWT"}) + "." +
		part(arm.Object{"oid": principal, "tid": e.Tenant, "appid": "11111111-1111-1111-1111-111111111111", "exp": 4_000_000_000}) + ".c2ln"
}

// graph answers as Microsoft Graph, of which only who one is gets asked.
func (e *Endpoint) graph(a answer, r *http.Request) {
	e.note(r)
	a.json(http.StatusOK, arm.Object{"value": []any{arm.Object{"id": principal}}})
}

// vault answers as a key vault: what is written can be read.
func (e *Endpoint) vault(a answer, r *http.Request, host string) {
	body, err := readObject(r.Body)
	if err != nil {
		a.fail(http.StatusBadRequest, "BadParameter", err.Error())
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || parts[0] == "certificates" && parts[1] == "contacts" {
		status := http.StatusNotFound
		if parts[0] == "" {
			status = http.StatusUnauthorized
		}
		a.fail(status, "NotFound", "There is no such thing.")
		return
	}
	key := host + "/" + parts[0] + "/" + parts[1]
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		if len(parts) == 3 && parts[2] == "rotationpolicy" {
			a.json(http.StatusOK, body)
			return
		}
		if e.secrets == nil {
			e.secrets = map[string]arm.Object{}
		}
		e.secrets[key] = bundle("https://"+key+"/"+strings.ReplaceAll(arm.StableGUID(arm.ID(key), "version"), "-", ""), parts[0], body)
	}
	found, ok := e.secrets[key]
	switch {
	case len(parts) == 3 && parts[2] == "rotationpolicy":
		a.json(http.StatusOK, arm.Object{})
	case ok:
		a.json(http.StatusOK, found)
	default:
		a.fail(http.StatusNotFound, "NotFound", "There is no such thing.")
	}
}

// bundle is a key or a secret as a vault shows it.
func bundle(id, kind string, body arm.Object) arm.Object {
	out := arm.Object{"attributes": arm.Object{"enabled": true, "created": 1_700_000_000, "updated": 1_700_000_000}, "tags": body["tags"]}
	if kind != "keys" {
		out["id"], out["value"], out["contentType"] = id, body["value"], body["contentType"]
		return out
	}
	out["key"] = arm.Object{
		"kid": id, "kty": body["kty"], "key_ops": body["key_ops"], "crv": body["crv"],
		"n": base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xc5", 256))), "e": "AQAB",
	}
	return out
}

var roleFilter = regexp.MustCompile(`(?i)roleName eq '(.*)'`)

// derived are the documents that Azure has without anyone having written them.
func (e *Endpoint) derived(path string, q url.Values) (any, bool) {
	key := strings.ToLower(path)
	parts := strings.Split(key, "/")
	last := parts[len(parts)-1]
	switch {
	case isSetting(arm.ID(path)):
		return e.setting(arm.ID(path)), true
	case path == operations:
		return arm.Object{"status": "Succeeded"}, true
	case key == "/subscriptions":
		return arm.Object{"value": []any{}}, true
	case len(parts) == 3 && parts[1] == "subscriptions":
		return arm.Object{"id": path, "subscriptionId": parts[2], "tenantId": e.Tenant, "displayName": "oracle", "state": "Enabled"}, true
	case len(parts) == 4 && last == "resources":
		return arm.Object{"value": e.resources(q.Get("$filter"))}, true
	case last == "roledefinitions":
		return arm.Object{"value": e.roles(path, q.Get("$filter"))}, true
	case last == "providers" || last == "resources" || last == "locations":
		return arm.Object{"value": []any{}}, true
	case strings.HasSuffix(key, "/soa/@"):
		return arm.Object{"id": path, "name": "@", "properties": arm.Object{"ttl": 3600, "fqdn": "zone.", "soaRecord": arm.Object{
			"email": "azureprivatedns-host.microsoft.com", "host": "azureprivatedns.net", "expireTime": 2419200, "minimumTtl": 10, "refreshTime": 3600, "retryTime": 300, "serialNumber": 1,
		}}}, true
	case last == "default" && (strings.HasSuffix(key, "/networkrulesets/default") || strings.HasSuffix(key, "/replicationvaultsettings/default") || strings.Contains(key, "retentionpolicies/default")):
		return arm.Object{"id": path, "name": "default", "properties": arm.Object{}}, true
	case last == "currentbillingfeatures":
		return arm.Object{"CurrentBillingFeatures": []any{"Basic"}, "DataVolumeCap": arm.Object{
			"Cap": 100, "WarningThreshold": 90, "StopSendNotificationWhenHitCap": false, "StopSendNotificationWhenHitThreshold": false,
		}}, true
	case last == "sharedkey":
		return arm.Object{"id": path, "name": last, "value": "b3JhY2xl"}, true
	case last == "instanceview":
		return arm.Object{"statuses": []any{}}, true
	case last == "default" && strings.HasSuffix(parts[len(parts)-2], "services"):
		return arm.Object{"id": path, "name": "default", "properties": arm.Object{}}, true
	case strings.Contains(key, "/providers/microsoft.authorization/roledefinitions/"):
		return arm.Object{"id": path, "name": last, "properties": arm.Object{"roleName": e.roleName(last), "type": "BuiltInRole", "permissions": []any{}}}, true
	}
	return nil, false
}

func (e *Endpoint) roleName(guid string) string {
	for name, g := range e.Roles {
		if g == guid {
			return name
		}
	}
	return guid
}

// resources are the documents that a filter of the list of resources names.
func (e *Endpoint) resources(filter string) []any {
	out := []any{}
	for _, key := range sortedKeys(e.docs) {
		doc := e.docs[key].doc
		if strings.Contains(strings.ToLower(filter), "'"+strings.ToLower(arm.String(doc, "type"))+"'") &&
			(!strings.Contains(filter, "name eq") || strings.Contains(filter, "'"+arm.String(doc, "name")+"'")) {
			out = append(out, doc)
		}
	}
	return out
}

// roles are the definitions that a filter by name finds, as seen from a scope.
func (e *Endpoint) roles(path, filter string) []any {
	m := roleFilter.FindStringSubmatch(filter)
	if m == nil {
		return []any{}
	}
	for _, key := range sortedKeys(e.docs) {
		doc := e.docs[key].doc
		if strings.Contains(key, "/roledefinitions/") && strings.EqualFold(arm.String(doc, "properties.roleName"), m[1]) {
			return []any{doc}
		}
	}
	guid, ok := e.Roles[strings.ToLower(m[1])]
	if !ok {
		return []any{}
	}
	return []any{arm.Object{
		"id":   "/subscriptions/" + arm.ID(path).Subscription() + "/providers/Microsoft.Authorization/roleDefinitions/" + guid,
		"name": guid, "type": "Microsoft.Authorization/roleDefinitions",
		"properties": arm.Object{"roleName": m[1], "type": "BuiltInRole", "permissions": []any{}, "assignableScopes": []any{"/"}},
	}}
}

// post answers the actions that give keys and the like; others do nothing.
func (e *Endpoint) post(a answer, r *http.Request, path string) {
	const key = "b3JhY2xl" // "oracle": no one's
	action := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	switch action {
	case "list":
		settings, ok := e.docs[strings.ToLower(strings.TrimSuffix(path, "/list"))]
		if !ok {
			settings.doc = arm.Object{"properties": arm.Object{}}
		}
		a.json(http.StatusOK, settings.doc)
	case "listkeys":
		a.json(http.StatusOK, arm.Object{"keys": []any{
			arm.Object{"keyName": "key1", "value": key, "permissions": "FULL"}, arm.Object{"keyName": "key2", "value": key, "permissions": "FULL"},
		}})
	case "sharedkeys":
		a.json(http.StatusOK, arm.Object{"primarySharedKey": key, "secondarySharedKey": key})
	case "checknameavailability":
		a.json(http.StatusOK, arm.Object{"nameAvailable": true})
	case "listclusteradmincredential", "listclusterusercredential":
		config := base64.StdEncoding.EncodeToString([]byte(kubeconfig))
		a.json(http.StatusOK, arm.Object{"kubeconfigs": []any{arm.Object{"name": "cluster", "value": config}}})
	default:
		e.note(r)
		a.json(http.StatusOK, arm.Object{})
	}
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://c.invalid", certificate-authority-data: b3JhY2xl}}]
users: [{name: u, user: {token: b3JhY2xl}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`
