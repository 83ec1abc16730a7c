package containerregistry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3/registry/auth"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// actions are the control actions that the protocol's actions need.
var actions = map[string]string{
	"pull":   "Microsoft.ContainerRegistry/registries/pull/read",
	"push":   "Microsoft.ContainerRegistry/registries/push/write",
	"delete": "Microsoft.ContainerRegistry/registries/artifacts/delete",
}

// controller decides, for the distribution server, about each request: it is told
// which repositories the request touches and how.
type controller struct {
	host cloud.Host
	id   arm.ID
}

const controllerName = "cloister"

// registerController makes the controller known to the distribution server, which
// finds such things by name only.
var registerController = sync.OnceFunc(func() {
	err := auth.Register(controllerName, func(options map[string]any) (auth.AccessController, error) {
		c, ok := options["controller"].(*controller)
		if !ok {
			return nil, errors.New("the access controller is missing")
		}
		return c, nil
	})
	if err != nil {
		panic(err) // the name is registered nowhere else
	}
})

// Authorized implements auth.AccessController. The principal is in the request's
// context: without one, the request comes by a signed URL and may only pull.
func (c *controller) Authorized(r *http.Request, access ...auth.Access) (*auth.Grant, error) {
	p := principalFrom(r.Context())
	grant := &auth.Grant{}
	for _, a := range access {
		if err := c.authorize(p, a); err != nil {
			return nil, refuse(r.Context(), err)
		}
		grant.Resources = append(grant.Resources, a.Resource)
	}
	if p != nil {
		grant.User.Name = p.caller.Name
	}
	return grant, nil
}

func (c *controller) authorize(p *principal, a auth.Access) *refusal {
	action := a.Action
	if a.Type == "registry" {
		action = "pull" // who may pull may list the repositories
	}
	if p == nil {
		if action == "pull" && a.Type == "repository" {
			return nil
		}
		return denied("a signed URL is for one blob")
	}
	if v := c.may(p, action); v.Value != verdict.Yes {
		step := v.Decisive()
		return denied(fmt.Sprintf("%s %s: %s: %s", a.Action, a.Name, step.At, step.Reason))
	}
	if !p.allows(a.Type, a.Name, a.Action) {
		return insufficient(a)
	}
	return nil
}

// may asks for the role.
func (c *controller) may(p *principal, action string) verdict.Verdict {
	name, ok := actions[action]
	step := verdict.Step{At: "registry", Resource: c.id, Value: verdict.No, Reason: "there is no action " + action}
	switch {
	case !ok:
	case p.admin:
		step.Value, step.Reason = verdict.Yes, "the admin user may do everything"
	default:
		return c.host.Authorize(p.caller, name, false, c.id)
	}
	return verdict.Verdict{Value: step.Value, Steps: []verdict.Step{step}}
}

// refusal is a refusal in the protocol's words.
type refusal struct {
	status    int
	code      string
	message   string
	challenge string // what is added to the challenge, with 401
}

func denied(reason string) *refusal {
	return &refusal{status: http.StatusForbidden, code: "DENIED", message: "requested access to the resource is denied: " + reason}
}

func insufficient(a auth.Access) *refusal {
	return &refusal{
		status: http.StatusUnauthorized, code: "UNAUTHORIZED",
		message:   fmt.Sprintf("the access token has no scope for %s %s", a.Action, a.Name),
		challenge: fmt.Sprintf(`,scope="%s:%s:%s",error="insufficient_scope"`, a.Type, a.Name, a.Action),
	}
}

func unauthenticated(detail string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "UNAUTHORIZED", message: strings.TrimSuffix("authentication required: "+detail, ": ")}
}

// deniable is a ResponseWriter whose answer a refusal replaces: the distribution
// server has one text of its own for all of them.
type deniable struct {
	http.ResponseWriter
	refuse  func(http.ResponseWriter, *refusal)
	refusal *refusal
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (d *deniable) WriteHeader(status int) {
	switch {
	case d.refusal == nil:
		d.ResponseWriter.WriteHeader(status)
	case !d.written:
		d.written = true
		d.refuse(d.ResponseWriter, d.refusal)
	}
}

// Write implements http.ResponseWriter.
func (d *deniable) Write(p []byte) (int, error) {
	if d.refusal == nil {
		return d.ResponseWriter.Write(p)
	}
	d.WriteHeader(d.refusal.status)
	return len(p), nil
}

// Unwrap lets http.ResponseController through.
func (d *deniable) Unwrap() http.ResponseWriter { return d.ResponseWriter }

type deniableKey struct{}

// refuse leaves the refusal for the answer that the distribution server will
// write, and returns the error that makes it do so.
func refuse(ctx context.Context, r *refusal) error {
	if d, ok := ctx.Value(deniableKey{}).(*deniable); ok {
		d.refusal = r
	}
	return challenge(r.message)
}

// challenge is an auth.Challenge whose headers the refusal sets.
type challenge string

func (c challenge) Error() string { return string(c) }

// SetHeaders implements auth.Challenge.
func (challenge) SetHeaders(*http.Request, http.ResponseWriter) {}
