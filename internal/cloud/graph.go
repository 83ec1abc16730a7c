package cloud

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/verdict"
)

// graphAudience is what tokens for Microsoft Graph are for: the tenant's directory.
const graphAudience = "https://graph.microsoft.com"

// graphCall is one call of Microsoft Graph on its way.
type graphCall struct {
	c      *Cloud
	w      http.ResponseWriter
	r      *http.Request
	caller Caller
	writer bool // may change the directory
	base   string
}

// Graph answers Microsoft Graph's calls about the tenant's directory: users, groups,
// applications and service principals. Users may read all of it, and so may who may
// change it: the cloud's owner, and whoever may hand out roles in the subscription.
// An application without that sees itself only.
//
// Source: the reference of Microsoft Graph v1.0.
func (c *Cloud) Graph() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*graphCall) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			q := &graphCall{c: c, w: w, r: r}
			err := q.begin()
			if err == nil {
				err = f(q)
			}
			if err != nil {
				q.fail(err)
			}
		})
	}
	graphPeople(handle)
	graphApplications(handle)
	handle("GET /organization", func(q *graphCall) error { return q.list("organization", []arm.Object{q.organization()}) })
	handle("GET /domains", func(q *graphCall) error {
		return q.list("domains", []arm.Object{{"id": directory.Domain, "isDefault": true, "isInitial": true, "isVerified": true, "authenticationType": "Managed"}})
	})
	handle("POST /directoryObjects/getByIds", (*graphCall).byIDs)
	handle("GET /directoryObjects/{id}", (*graphCall).anyObject)
	handle("/", func(q *graphCall) error { return graphMissing(q.r.URL.Path) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := graphPath(r.URL.Path)
		if !ok {
			q := &graphCall{c: c, w: w, r: r}
			q.fail(Errorf(http.StatusNotFound, "Request_ResourceNotFound", "There is nothing at this address."))
			return
		}
		next := r.Clone(r.Context())
		next.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery}
		mux.ServeHTTP(w, next)
	})
}

// isGraph reports whether a path is Microsoft Graph's, where it shares its address
// with ARM.
func isGraph(path string) bool {
	_, ok := graphPath(path)
	return ok
}

var graphKey = regexp.MustCompile(`^(\w+)\((?:\w+=)?'?([^')]*)'?\)$`)

// graphPath is the path without its version, with the key of an entity as a segment
// of its own: applications(appId='x') is applications/x.
func graphPath(path string) (string, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if parts[0] != "v1.0" && parts[0] != "beta" {
		return "", false
	}
	out := ""
	for _, p := range parts[1:] {
		if m := graphKey.FindStringSubmatch(p); m != nil && m[2] != "" {
			p = m[1] + "/" + m[2]
		}
		out += "/" + p
	}
	return strings.TrimSuffix(out, "/"), true
}

// begin finds out who asks.
func (q *graphCall) begin() (err error) {
	q.base = "https://" + q.r.Host + "/v1.0/"
	q.w.Header().Set("Cache-Control", "no-cache")
	q.caller, err = q.c.Authenticate(q.r, append(q.c.audiences.management(), graphAudience)...)
	if err != nil {
		return err
	}
	subscription := arm.ID("/subscriptions/" + q.c.options.Subscription)
	q.writer = q.c.Authorize(q.caller, "Microsoft.Authorization/roleAssignments/write", false, subscription).Value == verdict.Yes
	if q.r.Method != http.MethodGet && !q.writer && !readingPosts[lastOf(q.r.URL.Path)] {
		return denied()
	}
	return nil
}

// readingPosts are the actions that change nothing.
var readingPosts = map[string]bool{"getByIds": true, "getMemberGroups": true, "getMemberObjects": true, "checkMemberGroups": true}

func lastOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func denied() error {
	return Errorf(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func graphMissing(what string) error {
	return Errorf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", strings.Map(printable, what))
}

// fail answers with an error in OData's shape (OData JSON Format 4.01, section 21).
func (q *graphCall) fail(err error) {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, directory.ErrNone):
		e = Errorf(http.StatusNotFound, "Request_ResourceNotFound", "%v.", err)
	case errors.Is(err, directory.ErrExists), errors.Is(err, directory.ErrBad):
		e = Errorf(http.StatusBadRequest, "Request_BadRequest", "%v.", err)
	default:
		q.c.log.Error("a call of Graph failed", "method", q.r.Method, "path", q.r.URL.Path, "error", err)
		e = Errorf(http.StatusInternalServerError, "Service_InternalServerError", "The request could not be carried out; see the cloud's log.")
	}
	if e.Status == http.StatusUnauthorized {
		q.w.Header().Set("WWW-Authenticate", "Bearer")
		e = Errorf(e.Status, "InvalidAuthenticationToken", "%s", e.Message)
	}
	inner := arm.Object{"date": time.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": uuid.NewString(), "client-request-id": uuid.NewString()}
	WriteJSON(q.w, e.Status, arm.Object{"error": arm.Object{"code": e.Code, "message": e.Message, "innerError": inner}})
}

func (q *graphCall) body() (arm.Object, error) {
	o, err := readObject(q.w, q.r)
	var e *Error
	if errors.As(err, &e) {
		return nil, Errorf(e.Status, "Request_BadRequest", "%s", e.Message)
	}
	return o, err
}

func (q *graphCall) organization() arm.Object {
	return arm.Object{"@odata.type": "#microsoft.graph.organization", "id": q.c.options.Tenant, "displayName": "Cloister", "tenantType": "AAD", "verifiedDomains": []any{
		arm.Object{"name": directory.Domain, "isDefault": true, "isInitial": true, "type": "Managed"},
	}}
}

// visible are those of some objects that the caller may see.
func (q *graphCall) visible(all []arm.Object) []arm.Object {
	if q.writer || q.caller.User {
		return all
	}
	var out []arm.Object
	for _, o := range all {
		if strings.EqualFold(arm.String(o, "id"), q.caller.ObjectID) || strings.EqualFold(arm.String(o, "appId"), q.caller.AppID) || arm.String(o, "tenantType") != "" {
			out = append(out, o)
		}
	}
	return out
}

// find is the object with an id, an application id or a name.
func (q *graphCall) find(all []arm.Object, key string) (arm.Object, error) {
	for _, o := range q.visible(all) {
		for _, field := range []string{"id", "appId", "userPrincipalName"} {
			if value := arm.String(o, field); value != "" && strings.EqualFold(value, key) {
				return o, nil
			}
		}
	}
	return nil, graphMissing(key)
}

// directoryObjects are all that can be given a role or be in a group.
func (q *graphCall) directoryObjects() []arm.Object {
	return append(append(q.users(), q.groups()...), q.principals()...)
}

func (q *graphCall) anyObject() error {
	found, err := q.find(append(q.directoryObjects(), q.applications()...), q.r.PathValue("id"))
	if err != nil {
		return err
	}
	return q.one("directoryObjects", found)
}

const maxIDs = 1000

func (q *graphCall) byIDs() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	ids := arm.Strings(body, "ids")
	if len(ids) == 0 || len(ids) > maxIDs {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "The property 'ids' must have 1 to %d ids.", maxIDs)
	}
	wanted, types := map[string]bool{}, map[string]bool{}
	for _, id := range ids {
		wanted[strings.ToLower(id)] = true
	}
	for _, t := range arm.Strings(body, "types") {
		types["#microsoft.graph."+strings.ToLower(t)] = true
	}
	var out []arm.Object
	for _, o := range append(q.directoryObjects(), q.applications()...) {
		kind, _ := o["@odata.type"].(string) // a name with a dot, which is no path
		kind = strings.ToLower(kind)
		any := len(types) == 0 || types["#microsoft.graph.directoryobject"] || types[kind]
		if any && wanted[strings.ToLower(arm.String(o, "id"))] {
			out = append(out, o)
		}
	}
	return q.list("directoryObjects", out)
}
