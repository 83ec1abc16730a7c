package resources

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

func (d *deployer) put(w http.ResponseWriter, r *http.Request, p path) error {
	req, err := readRequest(r, p)
	if err != nil {
		return err
	}
	made, err := d.start(cloud.CallerFrom(r.Context()), req, p)
	if err != nil {
		return err
	}
	w.Header().Set("Azure-AsyncOperation", "https://"+r.Host+(&url.URL{Path: string(p.id)}).EscapedPath()+"/operationStatuses/"+made.Correlation+
		"?api-version="+url.QueryEscape(r.URL.Query().Get("api-version")))
	w.Header().Set("Retry-After", "0")
	w.Header().Set("x-ms-retry-after-ms", "100")
	cloud.WriteJSON(w, http.StatusCreated, made.show())
	return nil
}

// show is a deployment as GET answers it.
func (r record) show() arm.Object {
	end := r.Ended
	if end.IsZero() {
		end = now()
	}
	resources, providers := []arm.Object{}, []arm.Object{}
	named := map[string]bool{}
	for _, o := range r.Operations {
		if o.State == succeeded {
			resources = append(resources, arm.Object{"id": string(o.Target)})
		}
		namespace, typ, _ := strings.Cut(o.Target.Type(), "/")
		if !named[namespace+typ] {
			named[namespace+typ] = true
			providers = append(providers, arm.Object{"namespace": namespace, "resourceTypes": []arm.Object{{"resourceType": typ}}})
		}
	}
	props := arm.Object{
		"mode": r.Mode, "provisioningState": r.State, "timestamp": end.Format(time.RFC3339Nano), "duration": duration(end.Sub(r.Begun)),
		"correlationId": r.Correlation, "templateHash": r.Hash, "dependencies": []any{}, "providers": providers,
	}
	if r.Parameters != nil {
		props["parameters"] = r.Parameters
	}
	if r.State == succeeded {
		props["outputResources"] = resources
	}
	if r.Outputs != nil {
		props["outputs"] = r.Outputs
	}
	if r.Error != nil {
		props["error"] = r.failure()
	}
	body := arm.Object{"id": string(r.ID), "name": r.ID.Name(), "type": TypeDeployment, "properties": props}
	if r.Location != "" {
		body["location"] = r.Location
	}
	return body
}

// failure is why a deployment has failed, with what has failed of it.
func (r record) failure() arm.Object {
	if r.State == canceled {
		return r.Error
	}
	details := []arm.Object{r.Error}
	for _, o := range r.Operations {
		if o.Error != nil && fmt.Sprint(o.Error) != fmt.Sprint(r.Error) {
			details = append(details, o.Error)
		}
	}
	return arm.Object{
		"code": "DeploymentFailed", "target": string(r.ID), "details": details,
		"message": "At least one resource deployment operation failed. Please list deployment operations for details.",
	}
}

// duration is a time span as ISO 8601 has it.
func duration(d time.Duration) string { return fmt.Sprintf("PT%.7fS", d.Seconds()) }

func (d *deployer) list(w http.ResponseWriter, p path) {
	value := []arm.Object{}
	for _, r := range d.history.at(p.at) {
		value = append(value, r.show())
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"value": value})
}

func (d *deployer) get(w http.ResponseWriter, r *http.Request, p path) error {
	found, ok := d.history.get(p.id)
	if !ok {
		return notFound(p)
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	cloud.WriteJSON(w, http.StatusOK, found.show())
	return nil
}

// delete forgets a deployment; what it has deployed stays.
func (d *deployer) delete(w http.ResponseWriter, p path) error {
	found, ok := d.history.get(p.id)
	if ok && found.State == running {
		return cloud.Errorf(http.StatusConflict, "DeploymentActive", "The deployment '%s' is active. Cancel it first.", p.id.Name())
	}
	d.history.mu.Lock()
	defer d.history.mu.Unlock()
	if err := d.history.drop(p.id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *deployer) cancel(w http.ResponseWriter, p path) error {
	if _, ok := d.history.get(p.id); !ok {
		return notFound(p)
	}
	if !d.history.stop(p.id) {
		return cloud.Errorf(http.StatusConflict, "DeploymentCannotBeCancelled", "The deployment '%s' has ended, and cannot be canceled.", p.id.Name())
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *deployer) export(w http.ResponseWriter, p path) error {
	found, ok := d.history.get(p.id)
	if !ok {
		return notFound(p)
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"template": found.Template})
	return nil
}

// status answers for the deployment as an operation that takes time.
func (d *deployer) status(w http.ResponseWriter, _ *http.Request, p path) error {
	found, ok := d.history.get(p.id)
	if !ok || found.Correlation != p.rest {
		return notFound(p)
	}
	body := arm.Object{"status": found.State}
	if found.Error != nil {
		body["error"] = found.failure()
	}
	if found.State == running {
		w.Header().Set("Retry-After", "0")
		w.Header().Set("x-ms-retry-after-ms", "100")
	}
	cloud.WriteJSON(w, http.StatusOK, body)
	return nil
}

func (d *deployer) operations(w http.ResponseWriter, p path) error {
	found, ok := d.history.get(p.id)
	if !ok {
		return notFound(p)
	}
	value := []arm.Object{}
	for _, o := range found.Operations {
		id := strings.ToUpper(strings.ReplaceAll(arm.StableGUID(o.Target, found.Correlation), "-", ""))[:16]
		shown := arm.Object{"id": string(p.id) + "/operations/" + id, "operationId": id, "properties": o.show()}
		if p.rest == "" {
			value = append(value, shown)
		} else if strings.EqualFold(p.rest, id) {
			cloud.WriteJSON(w, http.StatusOK, shown)
			return nil
		}
	}
	if p.rest != "" {
		return cloud.Errorf(http.StatusNotFound, "DeploymentOperationNotFound", "The deployment '%s' has no operation '%s'.", p.id.Name(), p.rest)
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"value": value})
	return nil
}

func (o op) show() arm.Object {
	end, code := o.Ended, "OK"
	if end.IsZero() {
		end, code = now(), "Accepted"
	}
	props := arm.Object{
		"provisioningOperation": "Create", "provisioningState": o.State, "timestamp": end.Format(time.RFC3339Nano), "duration": duration(end.Sub(o.Begun)),
		"targetResource": arm.Object{"id": string(o.Target), "resourceType": o.Target.Type(), "resourceName": o.Target.Name()},
	}
	if o.Error != nil {
		code = "Conflict"
		props["statusMessage"] = arm.Object{"error": o.Error}
	}
	props["statusCode"] = code
	return props
}
