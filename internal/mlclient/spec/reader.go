package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds a file, maxNodes what is in it with aliases followed.
const (
	maxFile  = 1 << 20
	maxNodes = 100_000
)

// Problem is something wrong in a file.
type Problem struct {
	File         string
	Line, Column int
	Message      string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// file is a YAML file that is being read; it gathers what is wrong with it.
type file struct {
	path     string
	problems []error
	visited  int
}

// value is a place in a file.
type value struct {
	f *file
	n *yaml.Node
}

// open reads a file's first document, with changes made to it.
func open(path string, changes []Change) (*file, value, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, value{}, err
	}
	return parse(path, data, changes)
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, err
}

func parse(path string, data []byte, changes []Change) (*file, value, error) {
	f := &file{path: path}
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, value{}, fmt.Errorf("%s is empty", path)
		}
		return nil, value{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(root.Content) != 1 {
		return nil, value{}, fmt.Errorf("%s is empty", path)
	}
	for _, c := range changes {
		if err := c.apply(root.Content[0]); err != nil {
			return nil, value{}, err
		}
	}
	return f, value{f, root.Content[0]}, nil
}

// result is everything that is wrong with the file.
func (f *file) result() error { return errors.Join(f.problems...) }

// dir is the folder that the file's paths are relative to.
func (f *file) dir() string { return filepath.Dir(f.path) }

func (v value) problem(format string, args ...any) {
	p := &Problem{File: v.f.path, Message: fmt.Sprintf(format, args...)}
	if v.n != nil {
		p.Line, p.Column = v.n.Line, v.n.Column
	}
	v.f.problems = append(v.f.problems, p)
}

// ok reports whether there is something.
func (v value) ok() bool { return v.n != nil && v.node().Tag != "!!null" }

// node is the node with aliases followed.
func (v value) node() *yaml.Node {
	n := v.n
	for range 10 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

func (v value) isMap() bool    { return v.n != nil && v.node().Kind == yaml.MappingNode }
func (v value) isScalar() bool { return v.n != nil && v.node().Kind == yaml.ScalarNode }

// visit counts nodes, so that aliases of aliases cannot make a small file large.
func (v value) visit() bool {
	if v.f.visited++; v.f.visited == maxNodes {
		v.problem("the file is too large with its aliases followed")
	}
	return v.f.visited < maxNodes
}

// entries are a mapping's values in order of appearance.
func (v value) entries() (names []string, values map[string]value) {
	values = map[string]value{}
	if !v.ok() || !v.visit() {
		return nil, values
	}
	if !v.isMap() {
		v.problem("a mapping is expected here")
		return nil, values
	}
	content := v.node().Content
	for i := 0; i+1 < len(content); i += 2 {
		key := value{v.f, content[i]}
		if key.node().Kind != yaml.ScalarNode {
			key.problem("a name is expected here")
			continue
		}
		name := key.node().Value
		if _, twice := values[name]; twice {
			key.problem("%q is given twice", name)
			continue
		}
		names = append(names, name)
		values[name] = value{v.f, content[i+1]}
	}
	return names, values
}

// fields are the values of a mapping that may have these names and no others.
func (v value) fields(what string, known ...string) map[string]value {
	names, values := v.entries()
	if !v.isMap() {
		return values
	}
	content := v.node().Content
	for i := 0; i+1 < len(content); i += 2 {
		name := content[i].Value
		if !slices.Contains(names, name) || slices.Contains(known, name) {
			continue
		}
		hint := ""
		if near := nearest(name, known); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		value{v.f, content[i]}.problem("%s has no field %q%s", what, name, hint)
	}
	return values
}

// text is a scalar as it is written.
func (v value) text() string {
	if !v.ok() {
		return ""
	}
	if !v.isScalar() {
		v.problem("a single value is expected here")
		return ""
	}
	return v.node().Value
}

// literal is a scalar with its type: string, integer, number or boolean.
func (v value) literal() (text, typ string) {
	text = v.text()
	if v.n == nil {
		return text, "string"
	}
	switch v.node().Tag {
	case "!!int":
		return text, "integer"
	case "!!float":
		return text, "number"
	case "!!bool":
		return strings.ToLower(text), "boolean"
	}
	return text, "string"
}

func (v value) boolean() bool {
	switch text := strings.ToLower(v.text()); text {
	case "", "false", "no":
		return false
	case "true", "yes":
		return true
	default:
		v.problem("true or false is expected here, not %q", text)
		return false
	}
}

// integer is a whole number; 0 where there is none.
func (v value) integer() int {
	if !v.ok() {
		return 0
	}
	var n int
	if err := v.node().Decode(&n); err != nil {
		v.problem("a whole number is expected here, not %q", v.node().Value)
	}
	return n
}

// texts is a mapping of names to scalars.
func (v value) texts() map[string]string {
	names, values := v.entries()
	if len(names) == 0 {
		return nil
	}
	out := make(map[string]string, len(names))
	for _, name := range names {
		out[name], _ = values[name].literal()
	}
	return out
}

// need is a scalar that must be there.
func (v value) need(fields map[string]value, what, name string) string {
	f, ok := fields[name]
	if !ok || !f.ok() {
		v.problem("%s needs the field %q", what, name)
		return ""
	}
	return f.text()
}

// oneOf is a scalar that is one of a few; the first where there is none.
func (v value) oneOf(choices ...string) string {
	text := v.text()
	if text == "" {
		return choices[0]
	}
	if !slices.Contains(choices, text) {
		hint := ""
		if near := nearest(text, choices); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		v.problem("%q is none of %s%s", text, strings.Join(choices, ", "), hint)
	}
	return text
}
