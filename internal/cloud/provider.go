package cloud

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Provider is one resource provider: what the control plane must know of its
// types, and the services that it runs. A provider imports this file's
// declarations and the meanings, and never another provider.
type Provider struct {
	Namespace string // Microsoft.Storage
	Types     []Type
	// Services answer at host names, by service.Endpoint.Service ("blob"). The
	// call's Call is in the request's context; Call.Admission has been computed
	// but not enforced: each service refuses in its own protocol's words.
	Services map[string]http.Handler
}

// Type is one resource type. Each function may be nil.
type Type struct {
	Name string // Microsoft.Storage/storageAccounts

	// Prepare validates a document before it is stored and fills what Azure fills:
	// defaults and computed properties. old is nil on creation. A returned *Error
	// is answered as it is; it must not have side effects.
	Prepare func(view View, old *arm.Resource, r arm.Resource) (arm.Resource, error)
	// CanDelete refuses a deletion, as of a subnet in use.
	CanDelete func(view View, r arm.Resource) error
	// Before is the type of the children that must be deleted before a document can
	// be; a group goes with all of them.
	Before string
	// Present makes the document that GET shows: secrets out, children in.
	Present func(view View, r arm.Resource) arm.Resource
	// Reconcile makes the stored document real. It is called again until it
	// returns nil, after every change and after every start; it must be idempotent.
	// provisioningState is Creating or Updating until then, and Failed with the
	// error's text when it gives up (an error that wraps ErrPermanent).
	Reconcile func(ctx context.Context, r arm.Resource) error
	// Runs says whether the provider runs a document; nil is for all of the type.
	// One that it does not run is checked and kept, and its status says so.
	Runs func(r arm.Resource) bool
	// Unordered says that Reconcile and Remove look at the whole estate, and so need
	// not wait for what the document refers to.
	Unordered bool
	// After is the namespace of a provider all of whose documents are made real before
	// one of this type, whether it refers to them or not: a script that a machine runs
	// needs the networks on its way, which no reference tells.
	After string
	// Remove undoes Reconcile before the document is deleted. The View is already
	// without it.
	Remove func(ctx context.Context, r arm.Resource) error
	// Actions are POST {id}/{action}, by lower-case name.
	Actions map[string]Action
	// Views are GET {id}/{name} that are neither documents nor lists of them, by
	// lower-case name: a machine's instanceView. They need {type}/{name}/read.
	Views map[string]ViewOf
	// CreateStatus is the HTTP status of a PUT that created; 201 where it is 0.
	// Some resource providers answer 200, and their clients insist on it.
	CreateStatus int
	// UpdateStatus is that of a PUT that changed, 200 where it is 0.
	UpdateStatus int
	// PatchStatus is that of a PATCH, UpdateStatus where it is 0.
	PatchStatus int
	// DeleteStatus is that of a deletion that is done at once, 200 where it is 0.
	DeleteStatus int
	// Bare says that the properties are names of a client's own, among which the
	// cloud puts no provisioningState: a site's application settings.
	Bare bool
	// Prompt says that a deletion is answered when it is done, with 200, and not
	// with 202 and an address to ask at, which the clients of some types refuse.
	Prompt bool
	// Split takes the children that Azure lets a client write inside their parent
	// (subnets of a virtual network) out of a document that was PUT. For each child
	// type that the document speaks of, by its full name, the parent's children are
	// then exactly those; a type that is not in the map keeps its children.
	Split func(r arm.Resource) (arm.Resource, map[string][]arm.Resource)
	// Nested says that the type's documents are the elements of this array of
	// their parent's properties ("securityRules"), and no documents of their own.
	// The parent's functions see every change.
	Nested string
	// Missing is the error code for a document that is not there, where clients know
	// it by another than ResourceNotFound.
	Missing string
	// Edit says that the type has no documents: a PUT of one changes its parent
	// ("vaults/accessPolicies/add"). It returns the parent as it is to be, which is
	// then accepted as if it had been PUT, and what is answered. It must not have
	// side effects.
	Edit func(parent arm.Resource, name string, body arm.Object) (changed arm.Resource, shown arm.Object, err error)
	// Joinable says that a document which refers to one of this type needs the
	// permission {type}/join/action on it, as ARM's linked access checks ask:
	// otherwise whoever may write in one group could join any network.
	Joinable bool
	// Links are the actions that a document's writer must be allowed on other
	// documents, by their ids, besides joining what is Joinable and assigning the
	// document's identities. What the document needed before is not asked for again.
	Links func(r arm.Resource) map[arm.ID]string
	// Find makes the document of an id that is not stored, but exists by virtue of
	// others: the network interface of a private endpoint.
	Find func(view View, id arm.ID) (arm.Resource, bool)
	// List makes the list at scope (a subscription, a group, a parent); stored are
	// the documents there.
	List func(view View, scope arm.ID, query url.Values, stored []arm.Resource) ([]arm.Resource, error)
	// Handler, where set, owns every request to the type's ids and below (method,
	// list, children); the control plane has authenticated and authorised it
	// ({type}/read, write, delete or {action}/action) and keeps no documents.
	// The caller is CallerFrom(ctx), the id asked for is IDFrom(ctx).
	Handler http.Handler
}

// Action answers a POST on a resource; body may be empty, out is written as JSON.
type Action func(ctx context.Context, r arm.Resource, body json.RawMessage) (out any, err error)

// Accepted is what an Action returns to be answered as one that takes time: with
// 202, and an operation to ask after, although it has ended. Some clients know
// their actions only so.
type Accepted struct{}

// ViewOf answers a GET below a resource; out is written as JSON.
type ViewOf func(ctx context.Context, r arm.Resource) (out any, err error)

// View is the estate as it is.
type View interface {
	Get(id arm.ID) (arm.Resource, bool)
	Estate() *arm.Estate
}

// Host is what the cloud offers to a provider.
type Host interface {
	View
	// Authenticate checks the request's bearer token: signature, issuer, lifetime
	// and that its audience is one of audiences (compared without trailing slash).
	Authenticate(r *http.Request, audiences ...string) (Caller, error)
	// Authorize says whether the caller may do a control action, or with data a
	// data action, at scope.
	Authorize(c Caller, action string, data bool, scope arm.ID) verdict.Verdict
	// Tenant is the tenant's GUID.
	Tenant() string
	// Client calls other services of the cloud at their host names as the resource
	// as: with its managed identity's tokens (added by the caller through Token)
	// and admitted as a trusted Azure service.
	Client(as arm.ID) *http.Client
	// Token is a managed identity's access token for a resource
	// ("https://storage.azure.com").
	Token(ctx context.Context, identity arm.ID, resource string) (string, error)
	// Dir is a private folder (0700) for the provider's data; it exists.
	Dir(name string) string
	Log() *slog.Logger
}

// Caller is an authenticated principal.
type Caller struct {
	ObjectID string // oid
	AppID    string // appid
	Tenant   string // tid
	Name     string
	Resource arm.ID // the resource whose managed identity it is, or ""
	User     bool   // an application acts for a user, who is Name and ObjectID
	Through  string // the maker of deny assignments that acts for them, which those do not hold
}

// Signature is how documents and errors name the caller: a user by name, an
// application by its id.
func (c Caller) Signature() string {
	if c.User {
		return c.Name
	}
	return c.AppID
}

// Call says how a request reached a service.
type Call struct {
	Endpoint  service.Endpoint // the host that was asked for
	Resource  arm.Resource     // the document behind it; zero for platform hosts
	Source    network.Source
	Admission verdict.Verdict // of the service's own firewall
}

type contextKey int

const (
	callKey contextKey = iota
	callerKey
	idKey
	queryKey
)

// WithCall puts a call into a context; the front does it.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey, c)
}

// CallFrom is the call of a request to a service.
func CallFrom(ctx context.Context) Call {
	c, _ := ctx.Value(callKey).(Call)
	return c
}

// WithCaller puts the authenticated caller into a context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey, c)
}

// CallerFrom is the authenticated caller of an ARM request.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey).(Caller)
	return c
}

// WithQuery puts the query of an ARM request into a context.
func WithQuery(ctx context.Context, query url.Values) context.Context {
	return context.WithValue(ctx, queryKey, query)
}

// QueryFrom is the query of an ARM request that is an action.
func QueryFrom(ctx context.Context) url.Values {
	query, _ := ctx.Value(queryKey).(url.Values)
	return query
}

// WithID puts the resource id that an ARM request asks for into a context.
func WithID(ctx context.Context, id arm.ID) context.Context {
	return context.WithValue(ctx, idKey, id)
}

// IDFrom is the resource id that an ARM request asks for.
func IDFrom(ctx context.Context) arm.ID {
	id, _ := ctx.Value(idKey).(arm.ID)
	return id
}
