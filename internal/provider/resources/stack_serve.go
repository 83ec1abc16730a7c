package resources

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// ServeHTTP answers for deployment stacks; the control plane has authorised the
// request.
func (s *stacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := pathIn(cloud.IDFrom(r.Context()), TypeStack)
	var err error
	switch key := r.Method + " " + p.what; {
	case p.id == "" && r.Method == http.MethodGet:
		s.list(w, p)
	case p.id == "":
		err = notAllowed(r)
	case key == "PUT ":
		err = s.put(w, r, p)
	case key == "GET ", key == "HEAD ":
		err = s.get(w, r, p)
	case key == "DELETE ":
		err = s.delete(w, r, p)
	case key == "POST validate":
		err = s.validate(w, r, p)
	case key == "POST exporttemplate":
		err = s.export(w, p)
	case key == "GET operationstatuses":
		s.status(w, p)
	default:
		err = notAllowed(r)
	}
	if err != nil {
		cloud.WriteError(w, err)
	}
}

func noStack(p path) error {
	return cloud.Errorf(http.StatusNotFound, "DeploymentStackNotFound", "The deployment stack '%s' could not be found.", p.id.Name())
}

// checkScope refuses stacks of what is no resource group.
func checkScope(p path) error {
	if p.at.ResourceGroup() == "" {
		return cloud.Errorf(http.StatusBadRequest, "DeploymentStackScopeNotSupported", "Deployment stacks are kept for resource groups alone: '%s' is none.", p.at)
	}
	return nil
}

// mayManageDenial refuses a change of what is denied, or of a stack that denies, to
// who may not manage deny settings.
//
// Source: Microsoft Learn, "Create and deploy Azure deployment stacks in Bicep",
// required permissions.
func (s *stacks) mayManageDenial(caller cloud.Caller, id arm.ID, modes ...string) error {
	const action = TypeStack + "/manageDenySetting/action"
	for _, mode := range modes {
		if mode == "" || mode == denyNone {
			continue
		}
		if answer := s.deployer.cloud.Authorize(caller, action, false, id); answer.Value != verdict.Yes {
			return cloud.Errorf(http.StatusForbidden, "AuthorizationFailed",
				"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid.",
				caller.Signature(), caller.ObjectID, action, id)
		}
	}
	return nil
}

func (s *stacks) put(w http.ResponseWriter, r *http.Request, p path) error {
	if err := checkScope(p); err != nil {
		return err
	}
	req, err := readStack(r, p)
	if err != nil {
		return err
	}
	caller := cloud.CallerFrom(r.Context())
	old, found := s.find(p.id)
	if err := s.mayManageDenial(caller, p.id, req.Properties.Deny.Mode, old.Deny.Mode); err != nil {
		return err
	}
	made, err := s.start(caller, req, p)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if found {
		status = http.StatusOK
	}
	under(w, r, made)
	cloud.WriteJSON(w, status, made.show())
	return nil
}

// under says where to ask how far a stack is.
func under(w http.ResponseWriter, r *http.Request, made stack) {
	w.Header().Set("Azure-AsyncOperation", "https://"+r.Host+(&url.URL{Path: string(made.ID)}).EscapedPath()+"/operationStatuses/"+made.Correlation+
		"?api-version="+url.QueryEscape(r.URL.Query().Get("api-version")))
	soon(w)
}

func soon(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "0")
	w.Header().Set("x-ms-retry-after-ms", "100")
}

func (s *stacks) list(w http.ResponseWriter, p path) {
	value := []arm.Object{}
	for _, one := range s.at(p.at) {
		value = append(value, one.show())
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"value": value})
}

func (s *stacks) get(w http.ResponseWriter, r *http.Request, p path) error {
	found, ok := s.find(p.id)
	if !ok {
		return noStack(p)
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	cloud.WriteJSON(w, http.StatusOK, found.show())
	return nil
}

// delete deletes a stack, and what it manages where the request says so: it is
// detached where nothing is said.
func (s *stacks) delete(w http.ResponseWriter, r *http.Request, p path) error {
	found, ok := s.find(p.id)
	if !ok {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	actions := unmanage{Resources: unmanageDetach}
	for name, value := range r.URL.Query() {
		if strings.EqualFold(name, "unmanageAction.Resources") {
			actions.Resources = value[0]
		}
	}
	if err := actions.check(); err != nil {
		return err
	}
	caller := cloud.CallerFrom(r.Context())
	if err := s.mayManageDenial(caller, p.id, found.Deny.Mode); err != nil {
		return err
	}
	going, err := s.end(caller, found, actions)
	if err != nil {
		return err
	}
	under(w, r, going)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (s *stacks) export(w http.ResponseWriter, p path) error {
	found, ok := s.find(p.id)
	if !ok {
		return noStack(p)
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"template": found.Template})
	return nil
}

// status answers for what is done to a stack. One that is gone was deleted.
func (s *stacks) status(w http.ResponseWriter, p path) {
	body := arm.Object{"id": string(p.id) + "/operationStatuses/" + p.rest, "name": p.rest, "status": succeeded}
	found, ok := s.find(p.id)
	switch {
	case !ok || found.Correlation != p.rest:
	case found.State == stackFailed:
		body["status"], body["error"] = failed, found.Error
	case found.runs():
		body["status"] = found.State
		soon(w)
	}
	cloud.WriteJSON(w, http.StatusOK, body)
}

// validate says what a stack would write, and nothing is done.
func (s *stacks) validate(w http.ResponseWriter, r *http.Request, p path) error {
	if err := checkScope(p); err != nil {
		return err
	}
	req, err := readStack(r, p)
	if err != nil {
		return err
	}
	caller := cloud.CallerFrom(r.Context())
	old, _ := s.find(p.id)
	if err := s.mayManageDenial(caller, p.id, req.Properties.Deny.Mode, old.Deny.Mode); err != nil {
		return err
	}
	caller.Through = stack{ID: p.id}.maker()
	v, err := s.deployer.previewOf(r.Context(), caller, req.deployment, p)
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{
		"id": string(p.id), "name": p.id.Name(), "type": TypeStack,
		"properties": arm.Object{
			"actionOnUnmanage": req.Properties.Unmanage, "denySettings": req.Properties.Deny, "deploymentScope": string(p.at), "correlationId": uuid.NewString(),
			"description": req.Properties.Description, "parameters": shown(req.deployment), "validatedResources": v.validated(),
		},
	})
	return nil
}
