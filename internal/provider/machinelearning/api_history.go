package machinelearning

import (
	"crypto/hmac"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

// serveHistory answers runs/{job}, runs/{job}/details and runs/{job}/children,
// with or without experiments/{name} before them.
func (s *Service) serveHistory(w http.ResponseWriter, r *http.Request, ws workspace, path string) error {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 2 && parts[0] == "experiments" {
		parts = parts[2:]
	}
	if r.Method != http.MethodGet || len(parts) < 2 || parts[0] != "runs" {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
	}
	if err := s.allow(r, ws, "experiments/runs/read"); err != nil {
		return err
	}
	j, err := s.jobs.Get(r.Context(), ws.ID, parts[1])
	if err != nil {
		return err
	}
	what := ""
	if len(parts) > 2 {
		what = parts[2]
	}
	switch what {
	case "":
		cloud.WriteJSON(w, http.StatusOK, runRecord(j))
		return nil
	case "details":
		return s.serveDetails(w, ws, j)
	case "children":
		steps, err := s.jobs.Steps(r.Context(), ws.ID, j.Name)
		if err != nil {
			return err
		}
		out := []any{}
		for _, c := range steps {
			out = append(out, runRecord(c))
		}
		cloud.WriteJSON(w, http.StatusOK, map[string]any{"value": out})
		return nil
	}
	return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func runError(j schedule.Job) any {
	if j.Error == "" {
		return nil
	}
	return map[string]any{"error": map[string]any{"code": "UserError", "message": j.Error}}
}

// runRecord is a job as run history shows it.
func runRecord(j schedule.Job) map[string]any {
	var wk work
	_ = json.Unmarshal(j.Work, &wk) // written by this package; without it the names are empty
	name := wk.DisplayName
	if j.Step != "" {
		name = j.Step
	}
	return map[string]any{
		"runId": j.Name, "parentRunId": nullable(j.Parent), "rootRunId": wk.Root, "displayName": name, "status": status(j),
		"createdUtc": stamp(j.Created), "startTimeUtc": stamp(j.Started), "endTimeUtc": stamp(j.Ended), "error": runError(j),
		"runType": j.Kind, "experimentName": wk.Experiment, "attempt": j.Attempt,
		"properties": map[string]any{"azureml.moduleName": j.Step}, "tags": map[string]any{},
	}
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// serveDetails answers what a client polls while it streams a job.
func (s *Service) serveDetails(w http.ResponseWriter, ws workspace, j schedule.Job) error {
	logs, err := s.logsOf(ws, j)
	if err != nil {
		return err
	}
	files := make(map[string]string, len(logs))
	for _, name := range logs {
		files[name] = s.logURL(ws, j.Name, name)
	}
	d := runRecord(j)
	d["logFiles"] = files
	d["target"], d["warnings"], d["runDefinition"], d["inputDatasets"], d["outputDatasets"] = j.Cluster.Name(), []any{}, nil, []any{}, []any{}
	cloud.WriteJSON(w, http.StatusOK, d)
	return nil
}

// logURL is an address at which anybody who has it can read a log for a day, as a
// client does that was given a shared access signature.
func (s *Service) logURL(ws workspace, job, name string) string {
	until := strconv.FormatInt(time.Now().Add(24*time.Hour).Unix(), 10)
	q := url.Values{"se": {until}, "sig": {s.seal.signature("log", strings.Join([]string{ws.GUID, job, name, until}, "\x00"))}}
	return "https://" + ws.Host + "/logs/v1.0" + string(ws.ID) + "/" + job + "/" + name + "?" + q.Encode()
}

func (s *Service) serveLog(w http.ResponseWriter, r *http.Request, ws workspace, path string) error {
	job, name, _ := strings.Cut(path, "/")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not possible here.", r.Method)
	}
	if !s.signed(r, ws, job, name) {
		if err := s.allow(r, ws, "experiments/runs/read"); err != nil {
			return err
		}
	}
	j, err := s.jobs.Get(r.Context(), ws.ID, job)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if name == executionLog && j.Kind == schedule.Pipeline {
		return s.serveExecution(w, r, ws, j)
	}
	if !logName.MatchString(name) {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "The job %s has no log %s.", job, name)
	}
	f, err := os.Open(s.logFile(ws, j.Name, name))
	if err != nil {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "The job %s has no log %s.", job, name)
	}
	defer f.Close()
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

func (s *Service) signed(r *http.Request, ws workspace, job, name string) bool {
	q := r.URL.Query()
	until, err := strconv.ParseInt(q.Get("se"), 10, 64)
	want := s.seal.signature("log", strings.Join([]string{ws.GUID, job, name, q.Get("se")}, "\x00"))
	return err == nil && time.Now().Unix() < until && hmac.Equal([]byte(want), []byte(q.Get("sig")))
}

func (s *Service) serveExecution(w http.ResponseWriter, r *http.Request, ws workspace, j schedule.Job) error {
	steps, err := s.jobs.Steps(r.Context(), ws.ID, j.Name)
	if err != nil {
		return err
	}
	names, all := map[string]string{}, []string{j.Name}
	for _, c := range steps {
		names[c.Name] = c.Step
		all = append(all, c.Name)
	}
	events, err := s.jobs.Events(r.Context(), ws.ID, 0, all...)
	if err != nil {
		return err
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(executionLines(events, names)))
	return nil
}
