package planned

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Options say how resources are read.
type Options struct {
	// File is the name that messages and sources have.
	File    string
	Schemas *schema.Set
	Decider lang.Decider
	// Written are the resources of the configuration by address, where that is at
	// hand: what the file does not know has their values, and their places.
	Written map[string]*lang.Resource
}

// maxResources bounds what one file holds.
const maxResources = 200_000

// errTooMany says that a file holds more than that.
var errTooMany = fmt.Errorf("it holds more than %d resources", maxResources)

// File is a plan or a state.
type File struct {
	p     plan
	all   []resource // managed resources and data sources
	facts map[string]*resource
}

// Plan reads a plan or a state as "terraform show -json" prints it.
func Plan(text []byte) (*File, error) {
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if err := checkFormat(p.FormatVersion); err != nil {
		return nil, err
	}
	if p.Errored {
		return nil, errors.New("it is the plan of a run that ended with an error, and lacks what came after that: plan again")
	}
	v := p.PlannedValues
	if v == nil {
		v = p.Values
	}
	if v == nil {
		return nil, errors.New("it has neither planned_values nor values: print the plan with \"terraform show -json\", not the change of it")
	}
	all := v.Root.list(nil)
	p.unknowns(all)
	if p.PriorState != nil && p.PriorState.Values != nil {
		for _, r := range p.PriorState.Values.Root.list(nil) {
			if r.Mode == "data" { // those that were read while planning are here alone
				all = append(all, r)
			}
		}
	}
	return newFile(p, all)
}

// State reads a state file, version 4.
func State(text []byte) (*File, error) {
	var s rawState
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if s.Version != 4 {
		return nil, fmt.Errorf("%w: it is a state of version %d, and 4 is read, which Terraform 0.12 and later write", errVersion, s.Version)
	}
	return newFile(plan{}, s.resources())
}

func newFile(p plan, all []resource) (*File, error) {
	if len(all) > maxResources {
		return nil, errTooMany
	}
	f := &File{p: p, all: all, facts: make(map[string]*resource, len(all))}
	for i := range all {
		r := &all[i]
		if _, twice := f.facts[r.Address]; twice && r.Mode == "managed" && r.Type != "" {
			return nil, fmt.Errorf("%s is in it twice", r.Address)
		}
		f.facts[r.Address] = r
	}
	return f, nil
}

// unknowns gives the resources what the plan's changes say of them.
func (p plan) unknowns(all []resource) {
	changes := make(map[string]resourceChange, len(p.Changes))
	for _, c := range p.Changes {
		if c.Deposed == "" {
			changes[c.Address] = c
		}
	}
	for i := range all {
		if c, ok := changes[all[i].Address]; ok {
			all[i].unknown, all[i].fresh = c.Change.Unknown, c.Change.Before == nil
			if all[i].Sensitive == nil {
				all[i].Sensitive = c.Change.Sensitive
			}
		}
	}
}

// reader makes resources of what a file holds.
type reader struct {
	o       Options
	p       plan
	configs map[string]*configModule // by path without keys
	nodes   map[string]*node         // by address
	groups  map[string][]*node       // by address without the last key
	learned map[string]setting       // of providers, by their key
	tenant  string                   // the only one that the file knows
	stale   string                   // an attribute of which plan and configuration say two things
}

// node is a resource that is made when it is first asked for, since its values may
// be those of others.
type node struct {
	resource
	config *configResource
	made   *lang.Resource
	open   bool
	known  map[string]cty.Value // decided attributes
}

// Resources are the managed resources of the file. Differs names an attribute that
// the configuration at hand gives another constant than that of the plan, where
// there is one.
func (f *File) Resources(o Options) (all []*lang.Resource, differs string) {
	rd := &reader{o: o, p: f.p, configs: map[string]*configModule{}, nodes: map[string]*node{}, groups: map[string][]*node{}}
	rd.index("", &f.p.Configuration.Root)
	rd.learn(f.all)
	nodes := make([]*node, 0, len(f.all))
	for _, r := range f.all {
		if r.Mode != "managed" || r.Type == "" {
			continue
		}
		n := &node{resource: r, config: rd.configOf(r)}
		rd.nodes[r.Address] = n
		rd.groups[withoutKey(r.Address)] = append(rd.groups[withoutKey(r.Address)], n)
		nodes = append(nodes, n)
	}
	all = make([]*lang.Resource, 0, len(nodes))
	for _, n := range nodes {
		all = append(all, rd.make(n))
	}
	return all, rd.stale
}

// make is the resource of a node.
func (rd *reader) make(n *node) *lang.Resource {
	if n.made != nil {
		return n.made
	}
	n.open = true
	defer func() { n.open = false }()
	r := &lang.Resource{Address: n.Address, Type: n.Type, Name: n.Name, Range: hcl.Range{Filename: rd.o.File}, Provider: rd.provider(n)}
	if rd.o.Decider.Strict(n.Type) {
		r.Schema = rd.o.Schemas.Resource(n.Type)
	}
	if r.Schema == nil {
		r.Config = &lang.Body{Attrs: map[string]cty.Value{}, Blocks: map[string][]*lang.Body{}, Encoded: map[string]cty.Value{}}
	} else {
		b := bodies{rd: rd, n: n, planned: rd.p.PlannedValues != nil}
		var written map[string]json.RawMessage
		if n.config != nil {
			written = n.config.Expressions
		}
		at := place{values: n.Values, unknown: n.unknown, sensitive: n.Sensitive, written: written, known: n.config != nil}
		r.Config = b.body(r.Schema, at)
		if w := rd.o.Written[n.Address]; w != nil && w.Type == n.Type && w.Schema != nil {
			r.Range, r.Provider, r.Constraints = w.Range, merged(w.Provider, r.Provider), w.Constraints
			r.Config = b.overlay(r.Schema, w.Config, r.Config, at)
		}
	}
	r.Made = made(n.Values)
	n.made = r
	n.known = rd.o.Decider.Decide(r, func(string) []*lang.Resource { return nil })
	return r
}

// attribute is what is decided of an attribute of a resource.
func (rd *reader) attribute(n *node, name string) (cty.Value, bool) {
	if n.open {
		return cty.NilVal, false // it waits for what asks
	}
	if s, ok := n.Values[name].(string); ok {
		return cty.StringVal(s), true
	}
	rd.make(n)
	v, ok := n.known[name]
	return v, ok
}
