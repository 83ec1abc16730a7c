package eval

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/function"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// expression is the text of one in the scope where it is evaluated.
type expression struct {
	s    *Scope
	text string
	at   jsontext.Pos // of the string's opening quote
}

func (e expression) parse() (expr.Node, error) {
	if tree, ok := e.s.trees[e.text]; ok {
		return tree, nil
	}
	tree, err := expr.Parse(e.text)
	var bad *expr.Error
	if errors.As(err, &bad) {
		return nil, e.s.Fail(e.place(bad.Offset), "Not an expression", "In an expression, %s.", bad.Message)
	}
	e.s.trees[e.text] = tree
	return tree, err
}

// place is where an offset in the text is, in a string that goes over several
// lines too. Escapes of JSON before it move the column.
func (e expression) place(offset int) jsontext.Pos {
	before := e.text[:min(offset, len(e.text))]
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		return jsontext.Pos{Line: e.at.Line, Column: 1}
	}
	return jsontext.Pos{Line: e.at.Line, Column: e.at.Column + 2 + offset}
}

func (e expression) source(n expr.Node) (string, jsontext.Pos) {
	start, end := n.Span()
	return e.text[start:min(end, len(e.text))], e.place(start)
}

func (e expression) eval(n expr.Node) (any, error) {
	if err := e.s.Meter.Spend(1); err != nil {
		return nil, e.s.placed(e.at, "Too much work", err)
	}
	switch n := n.(type) {
	case expr.Literal:
		return n.Value, nil
	case expr.Access:
		return e.access(n)
	case expr.Call:
		return e.call(n)
	}
	return nil, nil
}

func (e expression) all(nodes []expr.Node) ([]any, error) {
	out := make([]any, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = e.eval(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e expression) access(n expr.Access) (any, error) {
	of, err := e.eval(n.Of)
	if err != nil {
		return nil, err
	}
	key, err := e.eval(n.Key)
	if err != nil {
		return nil, err
	}
	text, at := e.source(n)
	if of == nil && n.Safe {
		return nil, nil
	}
	v, ok, err := function.At(of, key)
	switch {
	case err != nil:
		return nil, e.s.Fail(at, "No such member", "%s: %s.", shown(text), err)
	case !ok && !n.Safe:
		return nil, e.s.Fail(at, "No such member", "%s has no %s.", whatHas(of), shown(fmt.Sprint(key)))
	}
	return v, nil
}

func whatHas(v any) string {
	if o, ok := v.(value.Object); ok {
		return fmt.Sprintf("An object with the members [%s]", shown(strings.Join(value.Keys(o), ", ")))
	}
	return strings.ToUpper(value.Kind(v)[:1]) + value.Kind(v)[1:]
}

// shown shortens text for a message.
func shown(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:97]) + "..."
	}
	return s
}

// special are the functions that decide which of their arguments are evaluated,
// or that are about the place where they are called.
var special map[string]func(e expression, n expr.Call) (any, error)

func init() {
	special = map[string]func(e expression, n expr.Call) (any, error){
		"parameters": expression.parameters, "variables": expression.variables, "copyindex": expression.copyIndex,
		"lambda": expression.lambda, "lambdavariables": expression.lambdaVariables,
		"if": expression.choose, "and": expression.and, "or": expression.or, "coalesce": expression.coalesce,
	}
}

func (e expression) call(n expr.Call) (any, error) {
	if n.Namespace != "" && !strings.EqualFold(n.Namespace, "sys") && !strings.EqualFold(n.Namespace, "az") {
		return e.userCall(n)
	}
	name := strings.ToLower(n.Name)
	text, at := e.source(n)
	if f, ok := special[name]; ok {
		v, err := f(e, n)
		return v, e.s.placed(at, "Error in "+n.Name+"()", err)
	}
	args, err := e.all(n.Args)
	if err != nil {
		return nil, err
	}
	if function.Known(name) {
		v, err := function.Call(e.s.Meter, n.Name, args)
		return v, e.s.placed(at, "Error in "+n.Name+"()", err)
	}
	v, known, err := e.s.host.Function(e.s, Call{name, args, text, at})
	if !known && err == nil {
		return nil, e.s.Fail(at, "Unknown function", "There is no function %s.", shown(n.Name))
	}
	return v, e.s.placed(at, "Error in "+n.Name+"()", err)
}

// name is the one argument of a function that takes a name.
func (e expression) name(n expr.Call) (string, *value.Unknown, error) {
	args, err := e.all(n.Args)
	if err != nil {
		return "", nil, err
	}
	if err := function.Arity(len(args), 1, 1); err != nil {
		return "", nil, err
	}
	if u, unknown := value.Unsure(args[0]); unknown {
		return "", &u, nil
	}
	s, ok := args[0].(string)
	if !ok {
		return "", nil, fmt.Errorf("the name should be a string and is %s", value.Kind(args[0]))
	}
	return s, nil, nil
}

func (e expression) parameters(n expr.Call) (any, error) {
	name, unknown, err := e.name(n)
	if err != nil || unknown != nil {
		return orNil(unknown), err
	}
	_, at := e.source(n)
	return e.s.Parameter(name, at)
}

func (e expression) variables(n expr.Call) (any, error) {
	name, unknown, err := e.name(n)
	if err != nil || unknown != nil {
		return orNil(unknown), err
	}
	_, at := e.source(n)
	return e.s.Variable(name, at)
}

func orNil(u *value.Unknown) any {
	if u == nil {
		return nil
	}
	return *u
}

// copyIndex is the index of a loop by its name, or of the resource's.
func (e expression) copyIndex(n expr.Call) (any, error) {
	args, err := e.all(n.Args)
	if err != nil {
		return nil, err
	}
	if err := function.Arity(len(args), 0, 2); err != nil {
		return nil, err
	}
	name, offset := "", int64(0)
	for _, a := range args {
		switch a := a.(type) {
		case string:
			name = a
		case int64:
			offset = a
		default:
			return nil, fmt.Errorf("it takes a loop's name and an offset, not %s", value.Kind(a))
		}
	}
	found := e.s.loop.find(name)
	if found == nil {
		if name == "" {
			return nil, errors.New("it is not within a copy loop")
		}
		return nil, fmt.Errorf("it is not within a copy loop named %s", shown(name))
	}
	return int64(found.index) + offset, nil
}

func (l *loop) find(name string) *loop {
	for at := l; at != nil; at = at.outer {
		if name != "" && strings.EqualFold(at.name, name) || name == "" && at.whole {
			return at
		}
	}
	if name == "" {
		return l
	}
	return nil
}

// choose evaluates the branch that counts, and both where that is not known.
func (e expression) choose(n expr.Call) (any, error) {
	if err := function.Arity(len(n.Args), 3, 3); err != nil {
		return nil, err
	}
	cond, err := e.eval(n.Args[0])
	if err != nil {
		return nil, err
	}
	u, unknown := value.Unsure(cond)
	if !unknown {
		yes, ok := cond.(bool)
		switch {
		case !ok:
			return nil, fmt.Errorf("the condition should be a boolean and is %s", value.Kind(cond))
		case yes:
			return e.eval(n.Args[1])
		}
		return e.eval(n.Args[2])
	}
	a, errA := e.eval(n.Args[1])
	b, errB := e.eval(n.Args[2])
	if errors.Is(errA, value.ErrCost) || errors.Is(errB, value.ErrCost) {
		return nil, value.ErrCost
	}
	if errA == nil && errB == nil {
		if same, _, unsure := value.Equal(a, b); same && !unsure {
			return a, nil
		}
	}
	text, _ := e.source(n)
	return u.As(value.Braced(text)), nil
}

func (e expression) and(n expr.Call) (any, error) { return e.junction(n, false) }
func (e expression) or(n expr.Call) (any, error)  { return e.junction(n, true) }

// junction ends at the first argument that decides.
func (e expression) junction(n expr.Call, decides bool) (any, error) {
	if err := function.Arity(len(n.Args), 1, -1); err != nil {
		return nil, err
	}
	var doubt *value.Unknown
	for i, arg := range n.Args {
		v, err := e.eval(arg)
		if err != nil {
			return nil, err
		}
		if u, unknown := value.Unsure(v); unknown {
			text, _ := e.source(n)
			u = u.As(value.Braced(text))
			doubt = &u
			continue
		}
		b, ok := v.(bool)
		if !ok {
			return nil, fmt.Errorf("argument %d should be a boolean and is %s", i+1, value.Kind(v))
		}
		if b == decides {
			return decides, nil
		}
	}
	if doubt != nil {
		return *doubt, nil
	}
	return !decides, nil
}

func (e expression) coalesce(n expr.Call) (any, error) {
	if err := function.Arity(len(n.Args), 1, -1); err != nil {
		return nil, err
	}
	for _, arg := range n.Args {
		v, err := e.eval(arg)
		if err != nil || v != nil {
			return v, err
		}
	}
	return nil, nil
}

// lambda is lambda('a', 'b', body).
func (e expression) lambda(n expr.Call) (any, error) {
	if len(n.Args) == 0 {
		return nil, errors.New("it takes the names of its parameters and a body")
	}
	names := make([]string, len(n.Args)-1)
	for i, arg := range n.Args[:len(names)] {
		lit, _ := arg.(expr.Literal)
		name, ok := lit.Value.(string)
		if !ok {
			return nil, errors.New("the names of its parameters should be strings")
		}
		names[i] = name
	}
	body := n.Args[len(names)]
	return value.Lambda{Params: len(names), Call: func(args ...any) (any, error) {
		inner := *e.s
		for i, name := range names {
			inner.locals = &local{name, args[i], inner.locals}
		}
		v, err := expression{&inner, e.text, e.at}.eval(body)
		if err != nil {
			return nil, err
		}
		return v, e.s.placed(e.at, "Value too large", e.s.Meter.Weigh(v))
	}}, nil
}

func (e expression) lambdaVariables(n expr.Call) (any, error) {
	name, unknown, err := e.name(n)
	if err != nil || unknown != nil {
		return orNil(unknown), err
	}
	for at := e.s.locals; at != nil; at = at.outer {
		if strings.EqualFold(at.name, name) {
			return at.value, nil
		}
	}
	return nil, fmt.Errorf("no lambda around has a parameter %s", shown(name))
}
