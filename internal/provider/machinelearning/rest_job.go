package machinelearning

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

var jobName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$`)

// serveJobs answers for jobs, jobs/{name} and jobs/{name}/cancel.
func (s *Service) serveJobs(w http.ResponseWriter, c child) error {
	switch {
	case len(c.path) == 0 && c.r.Method == http.MethodGet:
		return s.listJobs(w, c)
	case len(c.path) == 1:
		return s.serveJob(w, c, c.path[0])
	case len(c.path) == 2 && strings.EqualFold(c.path[1], "cancel") && c.r.Method == http.MethodPost:
		if err := s.jobs.Cancel(c.r.Context(), c.w.ID, c.path[0]); err != nil {
			return err
		}
		s.changed.wake()
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return c.nothingHere()
}

func (s *Service) listJobs(w http.ResponseWriter, c child) error {
	all, err := s.jobs.List(c.r.Context(), c.w.ID)
	if err != nil {
		return err
	}
	kind := c.r.URL.Query().Get("jobType")
	out := []any{}
	for _, j := range all {
		if kind == "" || strings.EqualFold(kind, j.Kind) {
			out = append(out, c.job(j))
		}
	}
	c.writeList(w, out)
	return nil
}

func (s *Service) serveJob(w http.ResponseWriter, c child, name string) error {
	switch c.r.Method {
	case http.MethodGet:
		j, err := s.jobs.Get(c.r.Context(), c.w.ID, name)
		if err != nil {
			return err
		}
		cloud.WriteJSON(w, http.StatusOK, c.job(j))
		return nil
	case http.MethodPut:
		return s.putJob(w, c, name)
	case http.MethodDelete:
		return s.deleteJob(w, c, name)
	}
	return c.notAllowed()
}

func (s *Service) putJob(w http.ResponseWriter, c child, name string) error {
	if !jobName.MatchString(name) {
		return userError("%q is not a job name: letters, digits, '_' and '-'.", name)
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if old, err := s.jobs.Get(c.r.Context(), c.w.ID, name); err == nil {
		// A client that did not get the answer asks again.
		if !equalJSON(old.Body, body) {
			return cloud.Errorf(http.StatusConflict, "UserError", "The job %s exists and is another; choose another name.", name)
		}
		cloud.WriteJSON(w, http.StatusOK, c.job(old))
		return nil
	}
	if err := s.submit(c.r.Context(), c.w, name, body, cloud.CallerFrom(c.r.Context())); err != nil {
		return err
	}
	j, err := s.jobs.Get(c.r.Context(), c.w.ID, name)
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, http.StatusCreated, c.job(j))
	return nil
}

func equalJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func (s *Service) deleteJob(w http.ResponseWriter, c child, name string) error {
	j, err := s.jobs.Get(c.r.Context(), c.w.ID, name)
	if errors.Is(err, schedule.ErrNotFound) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	if !j.State.Ended() {
		return cloud.Errorf(http.StatusConflict, "UserError", "The job %s is %s; cancel it first.", name, j.State)
	}
	if err := s.jobs.Delete(c.r.Context(), c.w.ID, name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// job is a job's document: what was asked for, and what has become of it.
func (c child) job(j schedule.Job) map[string]any {
	props := map[string]any{
		"description": nil, "tags": map[string]any{}, "properties": map[string]any{}, "isArchived": false,
		"inputs": map[string]any{}, "outputs": map[string]any{}, "experimentName": "Default", "computeId": string(j.Cluster),
	}
	var asked map[string]any
	if json.Unmarshal(j.Body, &asked) == nil {
		for k, v := range asked {
			if v != nil {
				props[k] = v
			}
		}
	}
	props["jobType"], props["status"] = j.Kind, status(j)
	if props["displayName"] == nil {
		props["displayName"] = j.Name
	}
	props["services"] = map[string]any{"Tracking": map[string]any{
		"jobServiceType": "Tracking", "endpoint": "azureml://" + c.w.Host + "/mlflow/v1.0" + string(c.w.ID),
		"port": nil, "status": nil, "errorMessage": nil, "properties": nil,
	}}
	if j.Parent != "" {
		props["parentJobName"] = j.Parent
	}
	if j.Error != "" {
		props["error"] = map[string]any{"code": "UserError", "message": j.Error}
	}
	c.showOutputs(props, j)
	by := c.w.Name
	var caller cloud.Caller
	if json.Unmarshal(j.Submitter, &caller) == nil && (caller.Name != "" || caller.ObjectID != "") {
		by = caller.Name
		if by == "" {
			by = caller.ObjectID
		}
	}
	modified := j.Created
	if !j.Ended.IsZero() {
		modified = j.Ended
	}
	return c.document(c.id(j.Name), j.Name, props, systemData(by, j.Created, modified))
}

// showOutputs says where the outputs are.
func (c child) showOutputs(props map[string]any, j schedule.Job) {
	var wk work
	if json.Unmarshal(j.Work, &wk) != nil {
		return
	}
	outputs, _ := props["outputs"].(map[string]any)
	shown := make(map[string]any, len(wk.Outputs))
	for name, v := range wk.Outputs {
		doc := map[string]any{"description": nil, "jobOutputType": "uri_folder", "mode": "ReadWriteMount", "uri": v.Text}
		if job.IsData(v.Type) {
			doc["jobOutputType"] = v.Type
		}
		if given, ok := outputs[name].(map[string]any); ok && given["mode"] != nil {
			doc["mode"] = given["mode"]
		}
		shown[name] = doc
	}
	props["outputs"] = shown
}

// status is a job's state as clients see it.
func status(j schedule.Job) string {
	if j.CancelAsked && !j.State.Ended() {
		return "CancelRequested"
	}
	return string(j.State)
}
