package network

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/cloister-ml/cloister/arm"
)

// builder gathers a topology from an estate's documents.
type builder struct {
	t *Topology
	e *arm.Estate

	pending  []pendingNIC
	endpoint map[string]arm.ID // networkInterfaces document -> the private endpoint that owns it
	// endpointDocs are the networkInterfaces documents of private endpoints.
	endpointDocs map[string][]arm.Resource
	joins        []gatewayPair // connections between gateways
}

// document reads the properties of one document, or of an object nested in it,
// and notes what cannot be relied on.
type document struct {
	b      *builder
	r      arm.Resource
	o      arm.Object
	at     string  // how problems name a nested object: "rule ssh: "
	part   string  // where a nested object stands: properties.securityRules.2
	about  string  // what doubts are about, where it is not the path
	doubts *Doubts // of the thing that is being made
}

func (b *builder) read(r arm.Resource, doubts *Doubts) document {
	return document{b: b, r: r, o: r.Properties, doubts: doubts}
}

// as makes doubts name a property of ours in place of the path.
func (d document) as(about string) document { d.about = about; return d }

func (d document) doubt(path, reason string) {
	if d.about != "" {
		path = d.about
	}
	*d.doubts = append(*d.doubts, Doubt{About: path, Reason: d.at + reason})
}

// malformed notes a value that Azure would refuse: a problem, and a doubt about
// whatever depends on it.
func (d document) malformed(path, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	d.b.problemAt(d.r, d.part, "%s%s", d.at, reason)
	d.doubt(path, reason)
}

// value is the value at path; unknown values are noted and reported as absent.
func (d document) value(path string) (any, bool) {
	v, ok := arm.Lookup(d.o, path)
	if u, unknown := v.(arm.Unknown); unknown {
		d.doubt(path, unknownReason(path, u))
		return nil, false
	}
	return v, ok
}

func (d document) text(path string) string {
	v, ok := d.value(path)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		d.malformed(path, "%s must be a string", path)
	}
	return s
}

func (d document) flag(path string, def bool) bool {
	v, ok := d.value(path)
	if !ok {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		d.malformed(path, "%s must be true or false", path)
		return def
	}
	return b
}

func (d document) number(path string, def int) int {
	v, ok := d.value(path)
	if !ok {
		return def
	}
	switch n := v.(type) {
	case float64:
		if n == float64(int32(n)) {
			return int(n)
		}
	case int:
		return n
	}
	d.malformed(path, "%s must be a whole number", path)
	return def
}

func (d document) ref(path string) arm.ID {
	s := d.text(path)
	if s == "" {
		return ""
	}
	id, err := arm.ParseID(s)
	if err != nil {
		d.malformed(path, "%s is not a resource id: %q", path, s)
		return ""
	}
	return id
}

// texts are the strings at several paths, each one string or a list of them.
func (d document) texts(paths ...string) []string {
	var out []string
	for _, path := range paths {
		v, ok := d.value(path)
		if !ok {
			continue
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for i, e := range list {
			switch e := e.(type) {
			case string:
				if e != "" {
					out = append(out, e)
				}
			case arm.Unknown:
				d.doubt(path, unknownReason(fmt.Sprintf("%s[%d]", path, i), e))
			default:
				d.malformed(path, "%s must hold strings", path)
			}
		}
	}
	return out
}

// objects are the objects of the list at path. at names each in problems.
func (d document) objects(path, at string) []document {
	v, ok := d.value(path)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		d.malformed(path, "%s must be a list", path)
		return nil
	}
	var out []document
	for i, e := range list {
		switch e := e.(type) {
		case map[string]any:
			n := d
			n.o = e
			n.at = d.at + fmt.Sprintf("%s %s: ", at, nameOf(e, i))
			n.part = cmp.Or(d.part, "properties") + "." + path + "." + strconv.Itoa(i)
			out = append(out, n)
		case arm.Unknown:
			d.doubt(path, unknownReason(fmt.Sprintf("%s[%d]", path, i), e))
		default:
			d.malformed(path, "%s must hold objects", path)
		}
	}
	return out
}

func nameOf(o arm.Object, i int) string {
	if name := arm.String(o, "name"); name != "" {
		return name
	}
	return fmt.Sprint(i)
}

// refs are the ids of a list of {id} objects.
func (d document) refs(path string) []arm.ID {
	var out []arm.ID
	for _, o := range d.objects(path, path) {
		if o.about == "" {
			o.about = path
		}
		if id := o.ref("id"); id != "" {
			out = append(out, id)
		}
	}
	return out
}
