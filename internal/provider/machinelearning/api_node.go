package machinelearning

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
)

// serveNode answers a compute node: computes/{name}/claim and
// computes/{name}/leases/{lease}/{heartbeat,log,complete}.
func (s *Service) serveNode(w http.ResponseWriter, r *http.Request, ws workspace, path string) error {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[0] != "computes" || r.Method != http.MethodPost {
		return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
	}
	cluster, err := s.nodeCluster(r, ws, parts[1])
	if err != nil {
		return err
	}
	switch {
	case len(parts) == 3 && parts[2] == "claim":
		return s.serveClaim(w, r, ws, cluster)
	case len(parts) == 5 && parts[2] == "leases":
		return s.serveLease(w, r, ws, cluster, parts[3], parts[4])
	}
	return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
}

// nodeCluster authenticates a node: its token must be of its cluster's identity.
func (s *Service) nodeCluster(r *http.Request, ws workspace, name string) (arm.Resource, error) {
	cluster, ok := s.host.Get(ws.ID.Child("computes", name))
	if !ok {
		return cluster, cloud.Errorf(http.StatusNotFound, "ResourceNotFound", "The workspace %s has no compute %s.", ws.Name, name)
	}
	caller, err := s.host.Authenticate(r, audiences...)
	if err != nil {
		return cluster, unauthorized(err)
	}
	if caller.Resource.Equal(cluster.ID) && caller.Resource != "" {
		return cluster, nil
	}
	if cluster.Identity != nil {
		for id := range cluster.Identity.User {
			if caller.Resource != "" && caller.Resource.Equal(arm.ID(id)) {
				return cluster, nil
			}
		}
	}
	return cluster, cloud.Errorf(http.StatusForbidden, "AuthorizationFailed", "Only a node of %s with its identity may take its tasks.", name)
}

const maxWait = 30 * time.Second

// serveClaim holds the call until there is a task or the time is up.
func (s *Service) serveClaim(w http.ResponseWriter, r *http.Request, ws workspace, cluster arm.Resource) error {
	var ask task.Claim
	if err := readJSON(r, &ask); err != nil {
		return err
	}
	deadline := time.NewTimer(min(time.Duration(max(ask.Wait, 0))*time.Second, maxWait))
	defer deadline.Stop()
	for {
		changed := s.changed.wait()
		j, ok, err := s.jobs.Claim(r.Context(), cluster.ID, ask.Node, time.Now())
		if errors.Is(err, schedule.ErrNoNode) {
			return cloud.Errorf(http.StatusGone, "NodeGone", "This cluster has no node %d.", ask.Node)
		}
		if err != nil {
			return err
		}
		if ok {
			s.changed.wake()
			return s.writeTask(w, ws, j)
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-deadline.C:
			w.WriteHeader(http.StatusNoContent)
			return nil
		case <-changed:
		}
	}
}

func (s *Service) writeTask(w http.ResponseWriter, ws workspace, j schedule.Job) error {
	var wk work
	if err := json.Unmarshal(j.Work, &wk); err != nil {
		return err
	}
	token, err := s.runToken(ws, j.Name, j.Lease)
	if err != nil {
		return err
	}
	t := wk.Task
	t.Lease, t.Image, t.Attempt, t.LeaseTime = j.Lease, j.Image, j.Attempt, max(1, int(s.options.LeaseTime/time.Second))
	t.Env = maps.Clone(t.Env)
	t.Env["MLFLOW_TRACKING_TOKEN"], t.Env["AZUREML_RUN_TOKEN"] = token, token
	cloud.WriteJSON(w, http.StatusOK, t)
	return nil
}

func (s *Service) serveLease(w http.ResponseWriter, r *http.Request, ws workspace, cluster arm.Resource, lease, what string) error {
	err := s.doLease(w, r, ws, cluster, lease, what)
	if errors.Is(err, schedule.ErrLeaseLost) {
		return cloud.Errorf(http.StatusConflict, task.LeaseLost, "The lease is no longer held.")
	}
	return err
}

func (s *Service) doLease(w http.ResponseWriter, r *http.Request, ws workspace, cluster arm.Resource, lease, what string) error {
	switch what {
	case "heartbeat":
		var beat task.Heartbeat
		if err := readJSON(r, &beat); err != nil {
			return err
		}
		cancel, err := s.jobs.Renew(r.Context(), cluster.ID, lease, schedule.State(beat.State), time.Now())
		if err != nil {
			return err
		}
		cloud.WriteJSON(w, http.StatusOK, task.Answer{Cancel: cancel})
		return nil
	case "log":
		return s.takeLog(w, r, ws, cluster, lease)
	case "complete":
		var res task.Result
		if err := readJSON(r, &res); err != nil {
			return err
		}
		if len(res.Error) > 16<<10 {
			res.Error = res.Error[:16<<10]
		}
		if _, err := s.jobs.Complete(r.Context(), cluster.ID, lease, schedule.Result{ExitCode: res.ExitCode, Error: res.Error, Canceled: res.Canceled}, time.Now()); err != nil {
			return err
		}
		s.changed.wake()
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", r.URL.Path)
}

func (s *Service) takeLog(w http.ResponseWriter, r *http.Request, ws workspace, cluster arm.Resource, lease string) error {
	j, err := s.jobs.Leased(r.Context(), cluster.ID, lease)
	if err != nil {
		return err
	}
	offset, err := strconv.ParseInt(r.URL.Query().Get("offset"), 10, 64)
	if err != nil || offset < 0 {
		return cloud.Errorf(http.StatusBadRequest, "BadRequest", "offset is missing.")
	}
	piece, err := io.ReadAll(io.LimitReader(r.Body, task.MaxLog+1))
	if err != nil || len(piece) > task.MaxLog {
		return cloud.Errorf(http.StatusBadRequest, "BadRequest", "A piece of log has at most %d bytes.", task.MaxLog)
	}
	kept, err := s.appendLog(s.logFile(ws, j.Name, stdLog(j.Attempt)), offset, piece)
	if err != nil && !errors.Is(err, errOffset) {
		return err
	}
	cloud.WriteJSON(w, http.StatusOK, task.Offset{Offset: kept})
	return nil
}

func readJSON(r *http.Request, into any) error {
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(into); err != nil {
		return cloud.Errorf(http.StatusBadRequest, "BadRequest", "The body is not what is expected: %v.", err)
	}
	return nil
}
