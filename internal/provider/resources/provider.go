package resources

import (
	"context"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// The type.
const (
	Namespace      = "Microsoft.Resources"
	TypeDeployment = Namespace + "/deployments"
	TypeStack      = Namespace + "/deploymentStacks"
)

// Cloud is what deployments need of the control plane.
type Cloud interface {
	cloud.Host
	// As answers ARM requests as a caller.
	As(cloud.Caller) http.Handler
	// Try begins a change that is worked out and never made.
	Try(cloud.Caller) *cloud.Trial
	Tenant() string
	// Deny makes a maker's deny assignments exactly these.
	Deny(ctx context.Context, by cloud.Caller, maker string, denials []arm.Resource) ([]arm.ID, error)
	// PrincipalType is whom an object id is of, and what they are.
	PrincipalType(objectID string) (name, kind string, ok bool)
}

// New makes the provider.
func New(c Cloud) (cloud.Provider, error) {
	h, err := openHistory(c.Dir("deployments"))
	if err != nil {
		return cloud.Provider{}, err
	}
	d := &deployer{cloud: c, history: h, log: c.Log()}
	s, err := openStacks(d, c.Dir("deploymentstacks"))
	if err != nil {
		return cloud.Provider{}, err
	}
	return cloud.Provider{Namespace: Namespace, Types: []cloud.Type{{Name: TypeDeployment, Handler: d}, {Name: TypeStack, Handler: s}}}, nil
}

// path is what a request asks for: the deployment, and what of it.
type path struct {
	id   arm.ID // "" where the list of a scope is asked for
	at   arm.ID // the scope that is deployed to
	what string // lower case: operations, whatif, ...; "" for itself
	rest string // the operation's id
}

// pathOf reads the id that a request was made for: it may go on behind the
// deployment's name.
func pathOf(id arm.ID) path { return pathIn(id, TypeDeployment) }

func pathIn(id arm.ID, typ string) path {
	text := string(id)
	marker := "/providers/" + strings.ToLower(typ)
	i := strings.LastIndex(strings.ToLower(text), marker)
	p := path{at: arm.ID(text[:i])}
	parts := strings.Split(strings.Trim(text[i+len(marker):], "/"), "/")
	if parts[0] == "" {
		return p
	}
	p.id = p.at + arm.ID("/providers/"+typ+"/"+parts[0])
	if len(parts) > 1 {
		p.what = strings.ToLower(parts[1])
	}
	if len(parts) > 2 {
		p.rest = parts[2]
	}
	return p
}

// ServeHTTP answers for deployments; the control plane has authorised the request.
func (d *deployer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := pathOf(cloud.IDFrom(r.Context()))
	var err error
	switch key := r.Method + " " + p.what; {
	case p.id == "" && r.Method == http.MethodGet:
		d.list(w, p)
	case p.id == "":
		err = notAllowed(r)
	case key == "PUT ":
		err = d.put(w, r, p)
	case key == "GET ", key == "HEAD ":
		err = d.get(w, r, p)
	case key == "DELETE ":
		err = d.delete(w, p)
	case key == "POST validate":
		err = d.validate(w, r, p)
	case key == "POST whatif":
		err = d.whatIf(w, r, p)
	case key == "POST cancel":
		err = d.cancel(w, p)
	case key == "POST exporttemplate":
		err = d.export(w, p)
	case key == "GET operations":
		err = d.operations(w, p)
	case key == "GET operationstatuses":
		err = d.status(w, r, p)
	default:
		err = notAllowed(r)
	}
	if err != nil {
		cloud.WriteError(w, err)
	}
}

func notAllowed(r *http.Request) error {
	return cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The HTTP method %s is not supported at this address.", r.Method)
}

func notFound(p path) error {
	return cloud.Errorf(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.", p.id.Name())
}
