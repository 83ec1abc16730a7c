package lang

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/cloister-ml/cloister/source/terraform/internal/funcs"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Options say how a directory is evaluated.
type Options struct {
	Vars     map[string]string // as -var gives them; they win over everything
	VarFiles []string          // as -var-file, later ones win
	Environ  []string          // NAME=value; TF_VAR_ names give variables
	// Inputs are values that the variables have whatever else says so: those of a plan.
	Inputs      map[string]cty.Value
	RequireVars bool // a variable without a value is an error
	Schemas     *schema.Set
	Decider     Decider
}

// Decider knows what deployment will make of a resource.
type Decider interface {
	// Decide gives the attributes that follow from the resource's configuration,
	// by name; those of a nested block as block.attribute. Others lists the
	// instances of a type that can be evaluated now.
	Decide(r *Resource, others func(typ string) []*Resource) map[string]cty.Value
	// Strict reports whether a type's schema is binding: what it does not have is
	// an error. Types that are only named need not fit one release's schema.
	Strict(typ string) bool
}

// Result is what a directory declares.
type Result struct {
	Resources []*Resource          // managed resources, ordered by address
	Missing   []Missing            // what could not be evaluated, ordered by address
	Outputs   map[string]cty.Value // of the root module
	Diags     hcl.Diagnostics
	Files     map[string]*hcl.File
}

type evaluator struct {
	opts      Options
	root      string
	project   project
	meter     funcs.Meter
	parser    *hclparse.Parser
	functions map[string]function.Function
	modules   map[string]*module
	listed    map[string][]file // the files of directories, once they are read
	manifest  map[string]string // directories of installed modules by their path
	diags     hcl.Diagnostics
	reported  map[string]bool
	nothing   map[hcl.Range]string // references to outputs that are not there, with what to say
	said      map[hcl.DiagnosticSeverity]int
	stack     []*cell
	tree      *instance // the root module's
	trying    int       // how many attempts are under way: see attempt
	blocked   bool      // the attempt met something that is being evaluated
	resources int
}

// Bounds: no configuration that people write comes near them.
const (
	maxDepth     = 2_000  // values that wait for each other
	maxInstances = 10_000 // of one block
	maxModules   = 32     // modules within modules
	maxResources = 200_000
)

// Run evaluates the configuration in dir.
func Run(dir string, opts Options) Result {
	ev := &evaluator{
		opts: opts, root: dir, project: projectOf(dir), parser: hclparse.NewParser(),
		modules: map[string]*module{}, listed: map[string][]file{}, reported: map[string]bool{}, nothing: map[hcl.Range]string{}, said: map[hcl.DiagnosticSeverity]int{},
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	ev.functions = funcs.Table(funcs.Setting{
		Dir: abs, Sensitive: Sensitive, Allowed: ev.project.allows, Meter: &ev.meter,
		Unknown: func(call string, t cty.Type) cty.Value { return unknown(t, Origin{Expression: call}) },
	})
	mod := ev.load(dir)
	result := Result{Files: ev.parser.Files()}
	if !ev.diags.HasErrors() {
		ev.readManifest()
		root := ev.newInstance(mod, nil, "")
		root.inputs = ev.rootInputs(mod)
		ev.tree = root
		root.visit()
		result.Outputs = map[string]cty.Value{}
		for name, out := range root.outputs {
			result.Outputs[name] = ev.force(out)
		}
		for inst := range root.walk {
			result.Resources = append(result.Resources, inst.managed()...)
			result.Missing = append(result.Missing, inst.missing()...)
		}
	}
	slices.SortFunc(result.Missing, func(a, b Missing) int { return cmp.Compare(a.Address, b.Address) })
	slices.SortFunc(result.Resources, func(a, b *Resource) int { return cmp.Compare(a.Address, b.Address) })
	result.Files = ev.parser.Files()
	result.Diags = ev.sorted()
	return result
}

// sorted are the diagnostics, errors first, each kind by place.
func (ev *evaluator) sorted() hcl.Diagnostics {
	slices.SortStableFunc(ev.diags, func(a, b *hcl.Diagnostic) int {
		c := cmp.Compare(a.Severity, b.Severity)
		if c == 0 && a.Subject != nil && b.Subject != nil {
			c = cmp.Or(cmp.Compare(a.Subject.Filename, b.Subject.Filename), cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte))
		}
		return cmp.Or(c, cmp.Compare(a.Summary, b.Summary), cmp.Compare(a.Detail, b.Detail))
	})
	return ev.diags
}

// cell is a value that is computed when it is first asked for.
type cell struct {
	name    string // as messages name it
	at      hcl.Range
	compute func() cty.Value
	state   cellState
	value   cty.Value
	circled bool // part of a circle that has been reported
}

type cellState uint8

const (
	unseen cellState = iota
	open             // being computed: asking again closes a circle
	done
)

// force computes a cell.
func (ev *evaluator) force(c *cell) cty.Value {
	switch {
	case c.state == done:
		return c.value
	case c.state == open && ev.trying > 0:
		ev.blocked = true
		return cty.DynamicVal
	case c.state == open:
		ev.cycle(c)
		return cty.DynamicVal
	case len(ev.stack) >= maxDepth:
		ev.fail(&c.at, "Too deep", "%s depends on a chain of more than %d other values.", c.name, maxDepth)
		return cty.DynamicVal
	}
	c.state = open
	ev.stack = append(ev.stack, c)
	v := c.compute()
	ev.stack = ev.stack[:len(ev.stack)-1]
	if ev.blocked {
		c.state = unseen
		return cty.DynamicVal
	}
	c.value, c.state = v, done
	return v
}

// attempt evaluates something that may turn out to wait for what is being
// evaluated now: then it answers false, and nothing of the attempt remains.
func (ev *evaluator) attempt(f func()) bool {
	if ev.blocked {
		return false
	}
	said := len(ev.diags)
	ev.trying++
	f()
	ev.trying--
	if !ev.blocked {
		return true
	}
	for _, d := range ev.diags[said:] {
		key := d.Summary + "\x00" + d.Detail
		if d.Subject != nil {
			key += "\x00" + d.Subject.String()
		}
		delete(ev.reported, key)
		ev.said[d.Severity]--
	}
	ev.diags = ev.diags[:said]
	if ev.trying == 0 {
		ev.blocked = false
	}
	return false
}

// cycle reports the values that wait for each other, from c to c.
func (ev *evaluator) cycle(c *cell) {
	circle := ev.stack[max(slices.Index(ev.stack, c), 0):]
	if slices.ContainsFunc(circle, func(c *cell) bool { return c.circled }) {
		return // a longer way round one that has been reported
	}
	var steps []string
	for _, s := range circle {
		s.circled = true
		steps = append(steps, s.name+" ("+short(s.at)+")")
	}
	steps = append(steps, c.name)
	if len(steps) == 2 {
		ev.fail(&c.at, "Self-reference", "%s refers to itself, which would need its value before it has one. Take the reference out.", c.name)
		return
	}
	ev.fail(&c.at, "Cycle", "Each of these needs the next before it can be evaluated: %s. Take one of the references out.", strings.Join(steps, " -> "))
}
