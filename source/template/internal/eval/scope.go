package eval

import (
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Bounds of what a template may ask for. The limit of a loop is Azure's own.
const (
	MaxCopies = 800
	maxDepth  = 100 // of parameters, variables and functions that use each other
	work      = 20_000_000
)

// Host answers the functions that are about a deployment.
type Host interface {
	// Function calls one. known is false where the host has none of that name.
	Function(s *Scope, call Call) (v any, known bool, err error)
}

// Call is the call of a function of the host.
type Call struct {
	Name string // in lower case
	Args []any
	Text string // as it is written
	At   jsontext.Pos
}

// Shared is what the scopes of one run have in common.
type Shared struct {
	Meter *value.Meter
	depth int
	trees map[string]expr.Node
}

// NewShared begins a run.
func NewShared() *Shared {
	return &Shared{Meter: value.NewMeter(work), trees: map[string]expr.Node{}}
}

// Scope is where expressions are evaluated: a template, a copy within it, the
// inside of a function.
type Scope struct {
	*Shared
	file      string
	name      string
	host      Host
	secrets   bool
	require   bool
	params    map[string]*binding
	vars      map[string]*binding
	functions map[string]*userFunction
	types     *jsontext.Node // definitions
	loop      *loop
	locals    *local
}

// binding is a parameter or a variable, evaluated when it is first used.
type binding struct {
	name  string
	at    jsontext.Pos
	make  func() (any, error)
	state uint8 // 0, busy or done
	value any
	err   error

	written Place // of its value
}

const (
	busy = iota + 1
	done
)

// loop is a copy loop that an expression is in.
type loop struct {
	name  string
	index int
	whole bool // of a resource, output or variable: what copyIndex() without a name is about
	outer *loop
}

// local is a lambda's variable.
type local struct {
	name  string
	value any
	outer *local
}

// Options are how a template's scope is made.
type Options struct {
	File    string
	Name    string // of a deployment within another, for what stands for its parameters
	Host    Host
	Given   map[string]any   // values of parameters
	Written map[string]Place // where these are written, as far as that is known; by name in lower case
	Secrets bool             // secure parameters have their values
	Require bool             // a parameter without a value is an error
}

// New is the scope of a template.
func New(shared *Shared, template *jsontext.Node, o Options) (*Scope, error) {
	s := &Scope{
		Shared: shared, file: o.File, name: o.Name, host: o.Host, secrets: o.Secrets, require: o.Require,
		params: map[string]*binding{}, vars: map[string]*binding{}, functions: map[string]*userFunction{},
		types: template.Get("definitions"),
	}
	if err := s.declareParameters(template.Get("parameters"), o.Given, o.Written); err != nil {
		return nil, err
	}
	if err := s.declareVariables(template.Get("variables")); err != nil {
		return nil, err
	}
	return s, s.declareFunctions(template.Get("functions"))
}

// File is the scope's file.
func (s *Scope) File() string { return s.file }

// Copy is the scope within a copy loop of a resource, an output or a variable.
func (s *Scope) Copy(name string, index int) *Scope { return s.in(&loop{name, index, true, s.loop}) }

func (s *Scope) in(l *loop) *Scope {
	inner := *s
	inner.loop = l
	return &inner
}

// Bare is the scope without the loops and lambda variables that it is in.
func (s *Scope) Bare() *Scope {
	inner := *s
	inner.loop, inner.locals = nil, nil
	return &inner
}

func (s *Scope) get(b *binding, what string, at jsontext.Pos) (any, error) {
	switch b.state {
	case done:
		return b.value, b.err
	case busy:
		return nil, s.Fail(b.at, "Cycle", "%s %s is made of itself.", what, b.name)
	}
	if s.depth++; s.depth > maxDepth {
		s.depth--
		return nil, s.Fail(at, "Too deep", "Parameters, variables and functions use each other more than %d deep.", maxDepth)
	}
	b.state = busy
	b.value, b.err = b.make()
	if b.err == nil {
		b.err = s.placed(b.at, "Value too large", s.Meter.Weigh(b.value))
	}
	b.state = done
	s.depth--
	return b.value, b.err
}

// Variable is a variable's value.
func (s *Scope) Variable(name string, at jsontext.Pos) (any, error) {
	b, ok := s.vars[strings.ToLower(name)]
	if !ok {
		return nil, s.Fail(at, "Unknown variable", "The template declares no variable %s.%s", name, similar(name, s.vars))
	}
	return s.get(b, "Variable", at)
}

// Parameter is a parameter's value.
func (s *Scope) Parameter(name string, at jsontext.Pos) (any, error) {
	b, ok := s.params[strings.ToLower(name)]
	if !ok {
		return nil, s.Fail(at, "Unknown parameter", "The template declares no parameter %s.%s", name, similar(name, s.params))
	}
	return s.get(b, "Parameter", at)
}

func (s *Scope) declareVariables(vars *jsontext.Node) error {
	if vars == nil {
		return nil
	}
	if vars.Kind != jsontext.Object {
		return s.Fail(vars.Pos, "Not a template", "variables should be an object.")
	}
	for _, m := range vars.Members {
		if strings.EqualFold(m.Name, "copy") && isCopy(m.Value) {
			for _, c := range m.Value.Items {
				name := c.Get("name").Str()
				s.vars[strings.ToLower(name)] = &binding{name: name, at: c.Pos, make: func() (any, error) { return s.repeat(c, true) }, written: s.repeated(c, true)}
			}
			continue
		}
		s.vars[strings.ToLower(m.Name)] = &binding{name: m.Name, at: m.Pos, make: func() (any, error) { return s.Eval(m.Value) }, written: Place{Node: m.Value, scope: s}}
	}
	return nil
}

// Check evaluates all that is declared, so that what is wrong is found whether it
// is used or not.
func (s *Scope) Check() []error {
	var errs []error
	for _, b := range inOrder(s.params) {
		if _, err := s.get(b, "Parameter", b.at); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
