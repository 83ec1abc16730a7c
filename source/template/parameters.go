package template

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// readFile reads a file of the user's choice, up to the bound of a template.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

func bounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, jsontext.MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > jsontext.MaxSize {
		return nil, fmt.Errorf("it is larger than %d MB, and Azure takes templates of up to 4 MB", jsontext.MaxSize>>20)
	}
	return text, nil
}

// parse parses a file, and says where it is no JSON.
func (r *run) parse(name string, text []byte) (*jsontext.Node, bool) {
	if len(text) > jsontext.MaxSize {
		r.errs++
		r.diags.Append(diagnostic.Fail(name, "Template too large", "It has %d MB, and Azure takes templates of up to 4 MB.", len(text)>>20))
		return nil, false
	}
	r.diags.Source(name, text)
	n, err := jsontext.Parse(text)
	var bad *jsontext.Error
	if errors.As(err, &bad) {
		r.add(diagnostic.Error, name, bad.Pos, "Not JSON", "Here %s.", bad.Message)
		return nil, false
	}
	if n.Kind != jsontext.Object {
		r.add(diagnostic.Error, name, n.Pos, "Not a template", "The file holds %s, and should hold an object.", n.Kind)
		return nil, false
	}
	return n, true
}

// given are the values of the parameters of the template itself, and where those of
// parameter files are written.
func (r *run) given(opts Options) (map[string]any, map[string]eval.Place) {
	out, written := map[string]any{}, map[string]eval.Place{}
	for _, name := range opts.ParameterFiles {
		text, err := readFile(name)
		if err != nil {
			r.diags.Append(diagnostic.Fail(name, "Parameter file cannot be read", "%v.", err))
			continue
		}
		if n, ok := r.parse(name, text); ok {
			r.file(name, n, out, written)
		}
	}
	for name, v := range opts.Parameters {
		out[name] = value.FromJSON(v)
		delete(written, strings.ToLower(name))
	}
	for name, text := range opts.Inline {
		out[name] = eval.Inline(text)
		delete(written, strings.ToLower(name))
	}
	return out, written
}

// file takes the values of one parameter file, with or without the frame that
// names its schema.
func (r *run) file(name string, n *jsontext.Node, out map[string]any, written map[string]eval.Place) {
	list := n
	if inner := n.Get("parameters"); inner.Is(jsontext.Object) && n.Get("$schema") != nil {
		list = inner
	} else if n.Get("$schema") != nil {
		r.add(diagnostic.Error, name, n.Pos, "Not a parameter file", "It has no object parameters.")
		return
	}
	for _, m := range list.Members {
		v, ok := r.supplied(name, m)
		if !ok {
			r.add(diagnostic.Error, name, m.Pos, "Not a parameter's value", "Parameter %s should be an object with the member value or reference.", m.Name)
			continue
		}
		out[m.Name] = v
		written[strings.ToLower(m.Name)] = eval.Literal(name, m.Value.Get("value"))
	}
}

// supplied is a value, or what stands for a secret of a key vault.
func (r *run) supplied(file string, m jsontext.Member) (any, bool) {
	if v := m.Value.Get("value"); v != nil {
		return v.Value(), true
	}
	if m.Value.Get("reference") != nil {
		secret := m.Value.Get("reference").Get("secretName").Str()
		return value.NewUnknown("secret '"+secret+"' of a key vault", file, m.Pos.Line), true
	}
	return nil, false
}
