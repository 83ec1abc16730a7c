package expression

import (
	"fmt"
	"strings"
)

// Context is what an expression can see.
type Context struct {
	Names map[string]Value // variables, dependencies, parameters, ...; lower case
	// Status answers succeeded, failed, canceled and succeededOrFailed (lower
	// case) for the dependencies named, or all of them; nil where those functions
	// are not allowed.
	Status func(function string, names []string) bool
	// Counter answers counter(prefix, seed); nil where it is not allowed.
	Counter func(prefix string, seed int64) (int64, error)
}

const maxWork = 100_000 // nodes evaluated and characters made, in one evaluation

type evaluation struct {
	Context
	work int
}

// Evaluate computes the expression's value.
func (e *Expression) Evaluate(c Context) (Value, error) {
	v, err := (&evaluation{Context: c}).value(e.root)
	return plain(v), err
}

// Evaluate parses and computes.
func Evaluate(text string, c Context) (Value, error) {
	e, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return e.Evaluate(c)
}

func (ev *evaluation) spend(n int) error {
	if ev.work += n; ev.work > maxWork {
		return fmt.Errorf("the expression needs more than %d steps", maxWork)
	}
	return nil
}

func (ev *evaluation) value(n node) (Value, error) {
	if err := ev.spend(1); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case literal:
		return n.value, nil
	case name:
		v, ok := ev.Names[strings.ToLower(n.name)]
		if !ok {
			return nil, errorAt(n.offset, "there is no %s here; known: %s", n.name, ev.known())
		}
		return v, nil
	case index:
		return ev.index(n)
	case call:
		return ev.call(n)
	}
	return nil, nil
}

func (ev *evaluation) known() string {
	if len(ev.Names) == 0 {
		return "no names"
	}
	names := Object{}
	for k := range ev.Names {
		names[k] = nil
	}
	return strings.Join(names.Keys(), ", ")
}

// index dereferences. What is not there is null, as in Azure Pipelines.
func (ev *evaluation) index(n index) (Value, error) {
	of, err := ev.value(n.of)
	if err != nil {
		return nil, err
	}
	if n.key == nil {
		return everyValue(of), ev.spend(1)
	}
	key, err := ev.value(n.key)
	if err != nil {
		return nil, err
	}
	switch of := of.(type) {
	case Object:
		v, _ := of.Get(String(key))
		return v, nil
	case filtered:
		return of.each(String(key)), ev.spend(len(of))
	case []Value:
		if i, ok := number(key); ok && i >= 0 && i < float64(len(of)) {
			return of[int(i)], nil
		}
	}
	return nil, nil
}

// filtered is what a wildcard makes: a further property is taken of each.
type filtered []Value

func everyValue(of Value) filtered {
	var all filtered
	switch of := of.(type) {
	case Object:
		for _, k := range of.Keys() {
			all = append(all, of[k])
		}
	case []Value:
		all = append(all, of...)
	case filtered:
		for _, v := range of {
			all = append(all, everyValue(v)...)
		}
	}
	return all
}

func (f filtered) each(key string) filtered {
	var out filtered
	for _, v := range f {
		if o, ok := v.(Object); ok {
			if found, ok := o.Get(key); ok {
				out = append(out, found)
			}
		}
	}
	return out
}

func (ev *evaluation) call(c call) (Value, error) {
	if _, ok := statusArity[c.function]; ok {
		return ev.status(c)
	}
	f := functions[c.function]
	if f.lazy != nil {
		return f.lazy(ev, c.args)
	}
	args := make([]Value, len(c.args))
	for i, a := range c.args {
		v, err := ev.value(a)
		if err != nil {
			return nil, err
		}
		args[i] = plain(v)
	}
	v, err := f.call(ev, args)
	if err != nil {
		return nil, errorAt(c.offset, "%s: %v", c.function, err)
	}
	if s, ok := v.(string); ok {
		return v, ev.spend(len(s))
	}
	return v, nil
}

// plain makes a wildcard's result an ordinary array.
func plain(v Value) Value {
	if f, ok := v.(filtered); ok {
		return []Value(f)
	}
	return v
}

func (ev *evaluation) status(c call) (Value, error) {
	if c.function == "always" {
		return true, nil
	}
	if ev.Status == nil {
		return nil, errorAt(c.offset, "%s can be used only in a condition", c.function)
	}
	var names []string
	for _, a := range c.args {
		v, err := ev.value(a)
		if err != nil {
			return nil, err
		}
		names = append(names, String(v))
	}
	return ev.Status(c.function, names), nil
}
