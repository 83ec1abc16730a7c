package resources

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// stacks is every deployment stack: a file each.
type stacks struct {
	deployer *deployer
	dir      string

	mu    sync.Mutex
	known map[string]stack // by key
}

func openStacks(d *deployer, dir string) (*stacks, error) {
	s := &stacks{deployer: d, dir: dir, known: map[string]stack{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		var one stack
		if err == nil {
			err = json.Unmarshal(data, &one)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the deployment stack in %s: %w", file, err)
		}
		if one.runs() {
			one.State = stackFailed
			one.Error = arm.Object{"code": "DeploymentStackInterrupted", "message": "The cloud was stopped while the stack was changed. What it managed it still manages, and what it denied is still denied; put it again, or delete it."}
		}
		s.known[one.ID.Key()] = one
	}
	return s, nil
}

func (s *stacks) file(id arm.ID) string {
	return filepath.Join(s.dir, durable.NameOf(id.Key())+".json")
}

func (s *stacks) find(id arm.ID) (stack, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.known[id.Key()]
	return one, ok
}

// at are the stacks of a scope, by name.
func (s *stacks) at(scope arm.ID) []stack {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []stack
	for _, one := range s.known {
		if one.ID.Parent().Equal(scope) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b stack) int { return a.ID.Compare(b.ID) })
	return out
}

// take begins a change of a stack, unless one is under way.
func (s *stacks) take(next stack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.known[next.ID.Key()]; ok && was.runs() {
		return cloud.Errorf(http.StatusConflict, "DeploymentStackInNonTerminalState", "The deployment stack '%s' is in the state '%s'. Wait until it has succeeded or failed.", next.ID.Name(), was.State)
	}
	return s.write(next)
}

func (s *stacks) keep(next stack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(next)
}

// write keeps a stack in memory and on disk. The caller holds s.mu.
func (s *stacks) write(one stack) error {
	one.Managed, one.Failed = slices.Clone(one.Managed), slices.Clone(one.Failed)
	data, err := json.Marshal(one)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(s.file(one.ID), data); err != nil {
		return err
	}
	s.known[one.ID.Key()] = one
	return nil
}

func (s *stacks) drop(id arm.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.file(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	delete(s.known, id.Key())
	return nil
}
