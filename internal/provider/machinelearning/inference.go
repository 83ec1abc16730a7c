package machinelearning

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/online"
	"github.com/cloister-ml/cloister/verdict"
)

// maxRequest bounds a scoring request, as managed endpoints do.
const maxRequest = 10 << 20

// deploymentHeader asks for a deployment, and says which one answered.
const deploymentHeader = "azureml-model-deployment"

// serveInference answers at an online endpoint's host name.
func (s *Service) serveInference(w http.ResponseWriter, r *http.Request) {
	call := cloud.CallFrom(r.Context())
	id := uuid.NewString()
	w.Header().Set("x-ms-request-id", id)
	if client := r.Header.Get("x-ms-client-request-id"); client != "" && len(client) < 200 {
		w.Header().Set("x-ms-client-request-id", client)
	}
	if err := s.score(w, r, call); err != nil {
		s.fail(w, r, err)
	}
}

func (s *Service) score(w http.ResponseWriter, r *http.Request, call cloud.Call) error {
	if call.Admission.Value != verdict.Yes {
		return refused(call)
	}
	endpoint := call.Resource
	if !endpoint.IsType(typeEndpoint) {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "There is no online endpoint at %s.", r.Host)
	}
	if err := s.authenticateScore(r, endpoint); err != nil {
		return err
	}
	if r.URL.Path != "/score" {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s; POST /score.", r.URL.Path)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "POST /score.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return cloud.Errorf(http.StatusBadRequest, "BadRequest", "The body could not be read.")
	}
	if len(body) > maxRequest {
		return cloud.Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The body is larger than %d bytes.", maxRequest)
	}
	deployment, err := s.route(endpoint, r.Header.Get(deploymentHeader))
	if err != nil {
		return err
	}
	w.Header().Set(deploymentHeader, deployment.Name())
	answer, err := s.online.Call(r.Context(), deployment.Key(), r.Header.Get("Content-Type"), body)
	if err != nil {
		return scoreError(w, err)
	}
	return writeAnswer(w, answer)
}

// authenticateScore checks who asks, in the endpoint's way.
func (s *Service) authenticateScore(r *http.Request, endpoint arm.Resource) error {
	refuse := func(why string) error {
		return cloud.Errorf(http.StatusUnauthorized, "Unauthorized", "%s", why)
	}
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	text = strings.TrimSpace(text)
	if !ok || text == "" {
		return refuse("The Authorization header is missing: Bearer, and a key or token of the endpoint.")
	}
	switch mode, _ := authMode(arm.String(endpoint.Properties, "authMode")); mode {
	case authKey:
		k, err := s.endpointKeys(endpoint.ID)
		if err != nil {
			return err
		}
		if !k.match(text) {
			return refuse("The key is not one of the endpoint's.")
		}
		return nil
	case authToken:
		if !s.checkToken(endpoint.ID, text) {
			return refuse("The token is not the endpoint's, or has expired.")
		}
		return nil
	}
	caller, err := s.host.Authenticate(r, "https://ml.azure.com")
	if err != nil {
		return refuse("The access token is not valid: " + err.Error() + ".")
	}
	return s.authorize(caller, typeEndpoint+"/score/action", endpoint.ID)
}

// route chooses the deployment that answers: the one that the caller names, or one
// by the endpoint's traffic.
func (s *Service) route(endpoint arm.Resource, named string) (arm.ID, error) {
	if named != "" {
		d, ok := s.host.Get(endpoint.ID.Child("deployments", named))
		if !ok || strings.ContainsRune(named, '/') {
			return "", cloud.Errorf(http.StatusNotFound, "NotFound", "The endpoint %s has no deployment %q.", endpoint.Name, named)
		}
		return d.ID, nil
	}
	name := choose(traffic(endpoint), rand.IntN)
	if name == "" {
		return "", cloud.Errorf(http.StatusNotFound, "NotFound", "The endpoint %s has no deployment with traffic; set its traffic, or name one in %s.", endpoint.Name, deploymentHeader)
	}
	return endpoint.ID.Child("deployments", name), nil
}

// choose takes a name with a chance in proportion to its share.
func choose(shares map[string]int, random func(n int) int) string {
	total := 0
	for _, n := range shares {
		total += n
	}
	if total == 0 {
		return ""
	}
	at := random(total)
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		if at -= shares[name]; at < 0 {
			return name
		}
	}
	return ""
}

// scoreError gives a failed call the status that managed endpoints answer.
func scoreError(w http.ResponseWriter, err error) error {
	switch {
	case errors.Is(err, online.ErrBusy):
		w.Header().Set("Retry-After", "1")
		return cloud.Errorf(http.StatusTooManyRequests, "TooManyRequests", "All instances of the deployment are busy; try again.")
	case errors.Is(err, online.ErrTimeout):
		return cloud.Errorf(http.StatusRequestTimeout, "RequestTimeout", "The model took longer than the deployment's requestTimeout.")
	case errors.Is(err, online.ErrNone):
		return cloud.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable", "No instance of the deployment is running; see its logs.")
	case errors.Is(err, online.ErrBroken), errors.Is(err, online.ErrTooLong):
		w.Header().Set("ms-azureml-model-error-reason", "model_error")
		return cloud.Errorf(http.StatusFailedDependency, "ModelError", "%v.", err)
	}
	return err
}

// writeAnswer passes the model's answer on. What it answers other than success
// becomes 424, so that a client can tell the model's errors from the endpoint's.
func writeAnswer(w http.ResponseWriter, a online.Answer) error {
	if t := a.Header.Get("Content-Type"); t != "" {
		w.Header().Set("Content-Type", t)
	}
	status := a.Status
	if status < 200 || status > 299 {
		w.Header().Set("ms-azureml-model-error-statuscode", strconv.Itoa(status))
		w.Header().Set("ms-azureml-model-error-reason", "model_error")
		status = http.StatusFailedDependency
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.Body) // the client has gone: nothing to be done
	return nil
}
