package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// request is one ARM request on its way.
type request struct {
	c        *Cloud
	w        http.ResponseWriter
	r        *http.Request
	caller   Caller
	at       *snapshot // the store when the request came
	target   target
	entry    store.Entry // what the activity log will say of it
	recorded bool        // the entry was committed with a change
	host     string      // scheme and host of absolute addresses
}

// ARM answers Azure Resource Manager's REST API.
func (c *Cloud) ARM() http.Handler { return http.HandlerFunc(c.serveARM) }

func (c *Cloud) serveARM(w http.ResponseWriter, r *http.Request) {
	if isMetadata(r.URL.Path) {
		c.serveEndpoints(w, r)
		return
	}
	q := &request{c: c, w: w, r: r, at: c.snapshot(), host: "https://" + r.Host}
	q.begin()
	err := q.guarded()
	status := statusOf(err)
	if err != nil {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://`+service.HostLogin+`/`+c.options.Tenant+`", error="invalid_token", error_description="The access token is missing or was refused."`)
		}
		if status >= http.StatusInternalServerError {
			c.log.Error("an ARM request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		WriteError(w, err)
	}
	q.record(status)
}

// guarded serves the request; a provider that panics has failed at it, and the
// cloud goes on.
func (q *request) guarded() (err error) {
	defer func() {
		if p := recover(); p != nil {
			if cause, ok := p.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
				panic(p) // a handler's own way to break the connection off
			}
			err = fmt.Errorf("the provider panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return q.serve()
}

// begin sets the headers that every answer has.
func (q *request) begin() {
	h := q.w.Header()
	correlation := q.r.Header.Get("x-ms-correlation-request-id")
	if _, err := uuid.Parse(correlation); err != nil {
		correlation = uuid.NewString()
	}
	h.Set("x-ms-correlation-request-id", correlation)
	h.Set("x-ms-request-id", uuid.NewString())
	if id := q.r.Header.Get("x-ms-client-request-id"); id != "" && len(id) <= 128 && strings.EqualFold(q.r.Header.Get("x-ms-return-client-request-id"), "true") {
		h.Set("x-ms-client-request-id", id)
	}
	h.Set("Cache-Control", "no-cache")
	if !q.c.options.Deliberate {
		h.Set("X-Go-Azure-Sdk-Skip-Polling-Delay", "true")
	}
	q.entry = store.Entry{Time: q.c.now().UTC(), Correlation: correlation, Source: q.r.RemoteAddr}
}

// serve finds out what is asked, by whom and whether they may, and has it answered.
func (q *request) serve() error {
	segments, err := parsePath(q.r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if q.target, err = parseTarget(segments); err != nil {
		return err
	}
	q.caller, err = q.authenticate()
	if err != nil {
		return err
	}
	q.entry.Caller, q.entry.App = q.caller.ObjectID, q.caller.AppID
	if err := checkVersion(q.r); err != nil {
		return err
	}
	if sub := q.target.scope.Subscription(); sub != "" && !strings.EqualFold(sub, q.c.options.Subscription) {
		return Errorf(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", sub)
	}
	if q.target.scope != "" {
		q.target.scope = q.c.spellID(q.at, q.target.scope)
	}
	if q.target.provider {
		return q.provider()
	}
	return q.platform()
}

// may refuses the request unless the caller may do the action at the scope.
func (q *request) may(action string, scope arm.ID) error {
	if scope == "" {
		scope = "/"
	}
	q.entry.Action, q.entry.Scope = action, scope
	answer := q.c.authorize(q.at, q.caller, action, false, scope)
	q.entry.Allowed = answer.Value == verdict.Yes
	if q.entry.Allowed {
		return nil
	}
	q.entry.Reason = answer.Decisive().Reason
	if by := answer.Decisive().Resource; strings.EqualFold(by.Type(), typeDenial) {
		return q.denied(action, scope, by)
	}
	return Errorf(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		q.caller.Signature(), q.caller.ObjectID, action, scope)
}

// allowed reports whether the caller may, without refusing the request.
func (q *request) allowed(action string, scope arm.ID) bool {
	return q.c.authorize(q.at, q.caller, action, false, scope).Value == verdict.Yes
}

// verb is the last part of an action's name, by method.
func verb(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "read"
	case http.MethodDelete:
		return "delete"
	case http.MethodPost:
		return "action"
	}
	return "write"
}

// record writes the activity log: every refusal, and everything that is not a
// read. What a change has already written is not written again, and what nobody
// has asked for under a name is not written at all.
func (q *request) record(status int) {
	reading := q.r.Method == http.MethodGet || q.r.Method == http.MethodHead
	if q.recorded || q.caller.ObjectID == "" || reading && status != http.StatusForbidden {
		return
	}
	q.entry.Status = status
	if q.entry.Action == "" {
		q.entry.Action, q.entry.Scope = q.r.Method, q.target.id()
	}
	q.c.journal.add(q.entry)
}

// statusOf is the HTTP status of an error, 200 where there is none.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return http.StatusInternalServerError
}

func notFound(id arm.ID) error {
	if id.Group().Equal(id) && id != "" {
		return Errorf(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", id.Name())
	}
	return Errorf(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", id.Type(), id.Name(), id.ResourceGroup())
}

func methodNotAllowed(r *http.Request) error {
	return Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The HTTP method %s is not supported at this address.", r.Method)
}
