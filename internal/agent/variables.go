package agent

import (
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/internal/devops/expression"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// variables are a job's variables; their names know no case.
type variables struct {
	mu    sync.RWMutex
	items map[string]variable // by lower-case name
}

type variable struct {
	name string
	wire.VariableValue
}

func newVariables(from map[string]wire.VariableValue) *variables {
	v := &variables{items: map[string]variable{}}
	for name, value := range from {
		v.items[strings.ToLower(name)] = variable{name, value}
	}
	return v
}

// set changes a variable; it reports false for one that is read-only.
func (v *variables) set(name string, value wire.VariableValue) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	old, ok := v.items[strings.ToLower(name)]
	if ok && old.IsReadOnly {
		return false
	}
	value.IsSecret = value.IsSecret || old.IsSecret // once secret, always secret
	v.items[strings.ToLower(name)] = variable{name, value}
	return true
}

// system sets a variable of the agent's own.
func (v *variables) system(name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.items[strings.ToLower(name)] = variable{name, wire.VariableValue{Value: value, IsReadOnly: true}}
}

func (v *variables) get(name string) (string, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	item, ok := v.items[strings.ToLower(name)]
	return item.Value, ok
}

// text is a variable's value, macros replaced; empty when there is none.
func (v *variables) text(name string) string {
	value, _ := v.get(name)
	return v.expand(value)
}

// expand replaces the $(name) in a text.
func (v *variables) expand(text string) string { return expression.Macros(text, v.get) }

// environment is what programs see: every variable that is not secret.
func (v *variables) environment() map[string]string {
	v.mu.RLock()
	names := make(map[string]string, len(v.items))
	for _, item := range v.items {
		if !item.IsSecret {
			names[item.name] = item.Value
		}
	}
	v.mu.RUnlock()
	env := make(map[string]string, len(names))
	for name, value := range names {
		env[environmentName(name)] = v.expand(value)
	}
	return env
}

// environmentName is Build.BuildId as BUILD_BUILDID.
func environmentName(name string) string {
	return strings.ToUpper(strings.NewReplacer(".", "_", " ", "_").Replace(name))
}

// object is what the name variables gives in a condition.
func (v *variables) object() expression.Object {
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := expression.Object{}
	for _, item := range v.items {
		out[item.name] = item.Value
	}
	return out
}
