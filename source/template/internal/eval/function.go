package eval

import (
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/function"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
)

// userFunction is one that the template defines.
type userFunction struct {
	name   string
	params []*jsontext.Node
	output *jsontext.Node
	busy   bool
}

func (s *Scope) declareFunctions(spaces *jsontext.Node) error {
	if spaces == nil {
		return nil
	}
	if spaces.Kind != jsontext.Array {
		return s.Fail(spaces.Pos, "Not a template", "functions should be an array of namespaces.")
	}
	for _, space := range spaces.Items {
		name := space.Get("namespace").Str()
		members := space.Get("members")
		if name == "" || members == nil {
			return s.Fail(space.Pos, "Not a template", "A namespace of functions needs the members namespace and members.")
		}
		for _, m := range members.Members {
			full := name + "." + m.Name
			f := &userFunction{name: full, output: m.Value.Get("output").Get("value")}
			if f.output == nil {
				return s.Fail(m.Pos, "Function without output", "Function %s needs an output with a value.", full)
			}
			if p := m.Value.Get("parameters"); p != nil {
				f.params = p.Items
			}
			s.functions[strings.ToLower(full)] = f
		}
	}
	return nil
}

// userCall evaluates a function's output with its arguments for parameters. It
// sees neither the template's parameters nor its variables.
func (e expression) userCall(n expr.Call) (any, error) {
	full := n.Namespace + "." + n.Name
	_, at := e.source(n)
	f, ok := e.s.functions[strings.ToLower(full)]
	if !ok {
		return nil, e.s.Fail(at, "Unknown function", "The template defines no function %s.", shown(full))
	}
	args, err := e.all(n.Args)
	if err != nil {
		return nil, err
	}
	if err := function.Arity(len(args), len(f.params), len(f.params)); err != nil {
		return nil, e.s.Fail(at, "Error in "+full+"()", "%s.", err)
	}
	if f.busy {
		return nil, e.s.Fail(at, "Function calls itself", "Function %s is called while it is evaluated: functions of templates do not recur.", full)
	}
	if e.s.depth++; e.s.depth > maxDepth {
		e.s.depth--
		return nil, e.s.Fail(at, "Too deep", "Parameters, variables and functions use each other more than %d deep.", maxDepth)
	}
	f.busy = true
	defer func() { f.busy = false; e.s.depth-- }()
	inner := *e.s
	inner.loop, inner.locals = nil, nil
	inner.vars, inner.params = map[string]*binding{}, make(map[string]*binding, len(args))
	for i, p := range f.params {
		name := p.Get("name").Str()
		inner.params[strings.ToLower(name)] = &binding{name: name, at: p.Pos, state: done, value: args[i]}
	}
	return inner.Eval(f.output)
}
