package machinelearning

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// serveAPI answers at a workspace's own host name:
//
//	/discovery                                  where the services are
//	/history/v1.0{workspace}/runs/{job}/...     state and logs of jobs
//	/logs/v1.0{workspace}/{job}/{log}           one log
//	/mlflow/v1.0|v2.0{workspace}/api/2.0/...    MLflow
//	/compute/v1.0{cluster}/...                  the nodes' tasks (package task)
func (s *Service) serveAPI(w http.ResponseWriter, r *http.Request) {
	call := cloud.CallFrom(r.Context())
	if call.Admission.Value != verdict.Yes {
		cloud.WriteError(w, refused(call))
		return
	}
	ws, err := s.workspaceOf(call.Resource.ID)
	if err != nil {
		cloud.WriteError(w, err)
		return
	}
	if err := s.routeAPI(w, r, ws); err != nil {
		s.fail(w, r, err)
	}
}

// refused is a firewall's refusal.
func refused(call cloud.Call) error {
	why := call.Admission.Decisive().Reason
	if why == "" {
		why = "the service's network rules do not allow it from " + call.Source.Addr.String()
	}
	return cloud.Errorf(http.StatusForbidden, "Forbidden", "This request is not authorized to perform this operation: %s.", why)
}

func (s *Service) routeAPI(w http.ResponseWriter, r *http.Request, ws workspace) error {
	service, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if service == "discovery" && rest == "" {
		base := "https://" + ws.Host
		cloud.WriteJSON(w, http.StatusOK, map[string]string{
			"api": base, "history": base, "modelmanagement": base, "experimentation": base, "mlflow": base, "pipelines": base, "notebooks": "", "studio": "",
		})
		return nil
	}
	version, rest, _ := strings.Cut(rest, "/")
	tail, ok := cutWorkspace("/"+rest, ws.ID)
	if !ok || version != "v1.0" && version != "v2.0" {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
	}
	switch service {
	case "history":
		return s.serveHistory(w, r, ws, tail)
	case "logs":
		return s.serveLog(w, r, ws, strings.TrimPrefix(tail, "/"))
	case "mlflow":
		return s.serveMLflow(w, r, ws, len(r.URL.Path)-len(tail))
	case "compute":
		return s.serveNode(w, r, ws, strings.TrimPrefix(tail, "/"))
	}
	return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
}

// cutWorkspace takes the workspace's id off the front of a path.
func cutWorkspace(path string, ws arm.ID) (tail string, ok bool) {
	if len(path) < len(ws) || !strings.EqualFold(path[:len(ws)], string(ws)) {
		return "", false
	}
	tail = path[len(ws):]
	return tail, tail == "" || tail[0] == '/'
}

// allow authenticates the request and says whether its caller may do a control
// action on the workspace.
func (s *Service) allow(r *http.Request, ws workspace, action string) error {
	caller, err := s.caller(r, ws)
	if err != nil {
		return err
	}
	return s.authorize(caller, Namespace+"/workspaces/"+action, ws.ID)
}

func (s *Service) authorize(caller cloud.Caller, action string, scope arm.ID) error {
	if s.host.Authorize(caller, action, false, scope).Value == verdict.Yes {
		return nil
	}
	return cloud.Errorf(http.StatusForbidden, "AuthorizationFailed",
		"The client with object id '%s' does not have authorization to perform action '%s' over scope '%s'.", caller.ObjectID, action, scope)
}

// caller is who makes a request: by an Entra token, or by the token of a run,
// which acts for the one who submitted it.
func (s *Service) caller(r *http.Request, ws workspace) (cloud.Caller, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "+runTokenPrefix); ok {
		return s.runCaller(r.Context(), ws, token)
	}
	caller, err := s.host.Authenticate(r, audiences...)
	if err != nil {
		return caller, unauthorized(err)
	}
	return caller, nil
}

func unauthorized(err error) error {
	return cloud.Errorf(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is missing or not valid: %v.", err)
}
