package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/durable"
)

// States of a deployment and of its operations.
const (
	running   = "Running"
	succeeded = "Succeeded"
	failed    = "Failed"
	canceled  = "Canceled"
)

// maxKept is how many deployments a scope keeps, as on Azure; the oldest go.
const maxKept = 800

// record is what is kept of a deployment. Values of secure parameters and outputs
// are not among it.
type record struct {
	ID          arm.ID          `json:"id"`
	Location    string          `json:"location,omitempty"`
	Mode        string          `json:"mode"`
	State       string          `json:"state"`
	Correlation string          `json:"correlation"`
	Begun       time.Time       `json:"begun"`
	Ended       time.Time       `json:"ended,omitzero"`
	Template    json.RawMessage `json:"template"`
	Hash        string          `json:"hash"`
	Parameters  arm.Object      `json:"parameters,omitempty"`
	Outputs     any             `json:"outputs,omitempty"`
	Operations  []op            `json:"operations,omitempty"`
	Error       arm.Object      `json:"error,omitempty"`
}

// op is what was done for one resource.
type op struct {
	Target arm.ID     `json:"target"`
	State  string     `json:"state"`
	Begun  time.Time  `json:"begun"`
	Ended  time.Time  `json:"ended,omitzero"`
	Error  arm.Object `json:"error,omitempty"`
}

// history is every deployment that is known: a file each.
type history struct {
	dir string

	mu     sync.Mutex
	known  map[string]record             // by key
	cancel map[string]context.CancelFunc // of those that run
}

func openHistory(dir string) (*history, error) {
	h := &history{dir: dir, known: map[string]record{}, cancel: map[string]context.CancelFunc{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		var r record
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the deployment in %s: %w", file, err)
		}
		if r.State == running {
			r.State = failed
			r.Error = arm.Object{"code": "DeploymentInterrupted", "message": "The cloud was stopped while this was deployed. What was deployed before is there; deploy again."}
		}
		h.known[r.ID.Key()] = r
	}
	return h, nil
}

func (h *history) file(id arm.ID) string {
	return filepath.Join(h.dir, durable.NameOf(id.Key())+".json")
}

func (h *history) get(id arm.ID) (record, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.known[id.Key()]
	return r, ok
}

// begin keeps a deployment that starts, unless one of its name runs.
func (h *history) begin(r record, cancel context.CancelFunc) (ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cancel[r.ID.Key()] != nil {
		return false, nil
	}
	if err := h.write(r); err != nil {
		return false, err
	}
	h.cancel[r.ID.Key()] = cancel
	return true, h.prune(r.ID)
}

// keep replaces what is known; one that has ended cannot be cancelled any more.
func (h *history) keep(r record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.State != running {
		delete(h.cancel, r.ID.Key())
	}
	return h.write(r)
}

// write keeps a record in memory and on disk. The caller holds h.mu.
func (h *history) write(r record) error {
	r.Operations = slices.Clone(r.Operations)
	h.known[r.ID.Key()] = r
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return durable.WriteFile(h.file(r.ID), data)
}

// prune drops the oldest of a scope that has too many. The caller holds h.mu.
func (h *history) prune(id arm.ID) error {
	var here []record
	for _, r := range h.known {
		if r.ID.Parent().Equal(id.Parent()) {
			here = append(here, r)
		}
	}
	if len(here) <= maxKept {
		return nil
	}
	slices.SortFunc(here, func(a, b record) int { return a.Begun.Compare(b.Begun) })
	return h.drop(here[0].ID)
}

// drop forgets a deployment. The caller holds h.mu.
func (h *history) drop(id arm.ID) error {
	delete(h.known, id.Key())
	if err := os.Remove(h.file(id)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// stop cancels a deployment that runs.
func (h *history) stop(id arm.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	cancel := h.cancel[id.Key()]
	if cancel == nil {
		return false
	}
	cancel()
	return true
}

// at are the deployments to a scope, newest first.
func (h *history) at(scope arm.ID) []record {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []record
	for _, r := range h.known {
		if r.ID.Parent().Equal(scope) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record) int { return b.Begun.Compare(a.Begun) })
	return out
}
