package spec

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Change is a value put into a file before it is read: --set inputs.alpha=0.5.
type Change struct {
	Path  []string
	Value string
}

// ParseChange reads "a.b.c=value".
func ParseChange(s string) (Change, error) {
	path, val, ok := strings.Cut(s, "=")
	if !ok || path == "" {
		return Change{}, fmt.Errorf("--set %q: write NAME.NAME=VALUE", s)
	}
	parts := strings.Split(path, ".")
	for _, p := range parts {
		if p == "" {
			return Change{}, fmt.Errorf("--set %q: a name is empty", s)
		}
	}
	return Change{Path: parts, Value: val}, nil
}

// apply puts the value at its path; mappings on the way are made.
func (c Change) apply(root *yaml.Node) error {
	n := root
	for i, name := range c.Path {
		if n.Kind == yaml.AliasNode && n.Alias != nil {
			n = n.Alias
		}
		if n.Kind == yaml.SequenceNode {
			at, err := strconv.Atoi(name)
			if err != nil || at < 0 || at >= len(n.Content) {
				return fmt.Errorf("--set %s: the list has no element %q", strings.Join(c.Path, "."), name)
			}
			n = n.Content[at]
		} else {
			n = child(n, name)
		}
		if i == len(c.Path)-1 {
			return c.put(n)
		}
		if n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode && n.Kind != yaml.AliasNode {
			*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
		}
	}
	return nil
}

// child finds or makes an entry of a mapping.
func child(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: n.Line, Column: n.Column}
	val := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
	n.Content = append(n.Content, key, val)
	return val
}

// put replaces a node by the value, which is read as YAML, so that 0.5 is a
// number and {a: 1} a mapping.
func (c Change) put(n *yaml.Node) error {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(c.Value), &doc); err != nil || len(doc.Content) != 1 {
		doc = yaml.Node{Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: c.Value}}}
	}
	line, column := n.Line, n.Column
	*n = *doc.Content[0]
	n.Line, n.Column = line, column
	return nil
}
