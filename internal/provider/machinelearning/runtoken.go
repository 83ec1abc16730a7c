package machinelearning

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud"
)

// A run's token lets its command log to the workspace for as long as it runs. It
// acts for the caller who submitted the job, and ends with the job's lease.
const runTokenPrefix = "amlrun."

type runToken struct {
	Workspace string `json:"w"`
	Job       string `json:"j"`
	Lease     string `json:"l"`
}

func (s *Service) runToken(w workspace, job, lease string) (string, error) {
	raw, err := json.Marshal(runToken{w.GUID, job, lease})
	return runTokenPrefix + s.seal.sign("run", raw), err
}

var errRunToken = errors.New("the run's token is not valid, or the run has ended")

func (s *Service) runCaller(ctx context.Context, w workspace, token string) (cloud.Caller, error) {
	var t runToken
	raw, err := s.seal.open("run", strings.TrimSpace(token))
	if err != nil || json.Unmarshal(raw, &t) != nil || t.Workspace != w.GUID {
		return cloud.Caller{}, unauthorized(errRunToken)
	}
	j, err := s.jobs.Get(ctx, w.ID, t.Job)
	if err != nil || j.Lease != t.Lease || j.State.Ended() {
		return cloud.Caller{}, unauthorized(errRunToken)
	}
	var by cloud.Caller
	if err := json.Unmarshal(j.Submitter, &by); err != nil {
		return cloud.Caller{}, err
	}
	return by, nil
}
