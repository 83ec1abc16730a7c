package lang

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// callNode is a module block within an instance.
type callNode struct {
	inst     *instance
	block    *callBlock
	cell     *cell // makes the children
	all      *cell // evaluates all that they declare
	expanded expansion
	mod      *module // nil where it cannot be read
	children []*instance
	absent   bool   // the module cannot be read
	reason   string // why what the module declares is not known, where it is not
}

func (inst *instance) newCall(b *callBlock) *callNode {
	c := &callNode{inst: inst, block: b}
	c.cell = inst.cell("module."+b.name, b.at, func() cty.Value {
		inst.wait(b.dependsOn) // with all that is in the module, as in Terraform's graph
		c.open()
		return cty.True
	})
	c.all = c.newAll()
	return c
}

// open finds the module and makes its instances; it evaluates nothing in them.
func (c *callNode) open() {
	ev, b := c.inst.ev, c.block
	dir, ok := c.find()
	if !ok {
		c.absent = true
		return
	}
	for up := c.inst; up != nil; up = up.parent {
		if up.mod.dir == dir {
			ev.fail(&b.sourceAt, "Module calls itself", "%s is called from within itself.", dir)
			c.absent = true
			return
		}
	}
	if c.inst.depth >= maxModules {
		ev.fail(&b.at, "Too deep", "Modules are nested more than %d deep.", maxModules)
		c.absent = true
		return
	}
	mod := ev.load(dir)
	c.mod = mod
	c.checkProviders(mod)
	for name, a := range b.args {
		if mod.variables[name] == nil {
			ev.fail(&a.NameRange, "Unsupported argument", "%s has no variable %q.%s", ev.called(mod), name, DidYouMean(name, mod.variables))
		}
	}
	address := c.inst.address("module." + b.name)
	s := c.inst.scope()
	c.expanded = s.expand(b.count, b.forEach, address)
	c.reason = c.expanded.undecided
	children := make([]*instance, 0, len(c.expanded.keys))
	for i, path := range c.expanded.names(address) {
		children = append(children, c.child(mod, path, c.expanded.scope(s, i)))
	}
	c.children = children
}

func (c *callNode) child(mod *module, path string, outer *scope) *instance {
	child := c.inst.ev.newInstance(mod, c.inst, path)
	child.call = c.block
	child.inputs = func(v *variable) (cty.Value, hcl.Range, bool) {
		a, ok := c.block.args[v.name]
		if !ok {
			return cty.NilVal, hcl.Range{}, false
		}
		return outer.eval(a.Expr), a.Expr.Range(), true
	}
	child.inherit(c)
	return child
}

// find is the directory of the module's files.
func (c *callNode) find() (string, bool) {
	ev, src := c.inst.ev, c.block.source
	if isLocal(src) {
		dir, ok := ev.local(c.inst.mod, src)
		if err := ev.project.allows(filepath.Join(c.inst.mod.dir, src)); err != nil {
			ev.fail(&c.block.sourceAt, "Module outside of the project", "%v.", err)
			return "", false
		}
		if !ok {
			ev.fail(&c.block.sourceAt, "Module not found", "%s holds no Terraform files.", filepath.Join(c.inst.mod.dir, src))
		}
		return dir, ok
	}
	if dir, ok := ev.manifest[c.manifestKey()]; ok {
		at := filepath.Join(ev.root, dir)
		err := ev.project.allows(at)
		if err == nil {
			return at, true
		}
		ev.fail(&c.block.sourceAt, "Module outside of the project", "%v.", err)
		return "", false
	}
	c.reason = "its source " + src + " is not on this machine"
	ev.warn(&c.block.sourceAt, "Module not on this machine", "What module.%s (%s) declares is not known: \"terraform init\" installs it under .terraform.", c.block.name, src)
	return "", false
}

// isLocal reports whether a module's source is a folder beside the files.
func isLocal(source string) bool {
	return strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../")
}

// local is the folder of a module that another calls by its path, where it holds
// Terraform files.
func (ev *evaluator) local(from *module, source string) (string, bool) {
	if !isLocal(source) {
		return "", false
	}
	dir := filepath.Join(from.dir, source)
	if ev.project.allows(dir) != nil {
		return "", false
	}
	files, err := ev.sources(dir)
	return dir, err == nil && len(files) > 0
}

// manifestKey is how Terraform's list of installed modules names the call.
func (c *callNode) manifestKey() string {
	names := []string{c.block.name}
	for inst := c.inst; inst.parent != nil; inst = inst.parent {
		last := inst.path[strings.LastIndex(inst.path, "module.")+len("module."):]
		name, _, _ := strings.Cut(last, "[")
		names = append(names, name)
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// readManifest reads where "terraform init" has put the modules of registries.
func (ev *evaluator) readManifest() {
	path := filepath.Join(ev.root, ".terraform", "modules", "modules.json")
	if !exists(path) {
		return
	}
	src, err := readFile(path)
	var list struct {
		Modules []struct{ Key, Dir string }
	}
	if err == nil {
		err = json.Unmarshal(src, &list)
	}
	if err != nil {
		ev.warn(nil, "List of modules not read", "%s: %v. Modules that are not in this directory are taken as missing.", path, err)
		return
	}
	ev.manifest = map[string]string{}
	for _, m := range list.Modules {
		ev.manifest[m.Key] = m.Dir
	}
}

// value is what a reference to the call is worth: an object of its outputs, of
// which only those that are asked for are evaluated.
func (c *callNode) value(a *ask) cty.Value {
	ev := c.inst.ev
	if !ev.force(c.cell).IsKnown() {
		return cty.DynamicVal // waits for what is being evaluated
	}
	if c.absent || c.expanded.failed {
		return unknown(cty.DynamicPseudoType, originAt(c.inst.address("module."+c.block.name), c.block.at))
	}
	one := func(child *instance) cty.Value {
		attrs := map[string]cty.Value{}
		wanted := a.names
		if a.whole {
			wanted = nil
			for name := range child.outputs {
				wanted = append(wanted, name)
			}
			slices.Sort(wanted)
		}
		for _, name := range wanted {
			if out, ok := child.outputs[name]; ok {
				attrs[name] = ev.force(out)
			}
		}
		return cty.ObjectVal(attrs)
	}
	for i, name := range a.names {
		if len(c.children) > 0 && c.children[0].outputs[name] == nil {
			// Not an error yet: try and can take it for one that they catch.
			ev.nothing[a.at[i]] = fmt.Sprintf("%s has no output %q.%s", ev.called(c.children[0].mod), name, DidYouMean(name, c.children[0].outputs))
		}
	}
	return c.expanded.collect(len(c.children), func(i int) cty.Value { return one(c.children[i]) })
}
