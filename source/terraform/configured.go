package terraform

import (
	"fmt"
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/planned"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// configuration is what a plan or a state was made of.
type configuration struct {
	resources map[string]*lang.Resource // by address
	missing   []lang.Missing
}

// evaluated evaluates the configuration of a plan with the values that its
// variables and data sources have there.
func evaluated(f *planned.File, opts Options) (*configuration, diagnostic.Diagnostics) {
	dir, err := find(opts.Config)
	if err != nil {
		return nil, diagnostic.Fail("", "No configuration", "%v.", err)
	}
	types := informed{azure{environ: environ(opts.Environ), existing: newExisting(opts.Existing), assigned: opts.Assigned, displayed: displayed{}}, f}
	result := lang.Run(dir, lang.Options{
		Vars: opts.Vars, VarFiles: opts.VarFiles, Environ: opts.Environ, RequireVars: opts.RequireVars,
		Inputs: f.Variables(), Schemas: schema.New(), Decider: types,
	})
	if result.Diags.HasErrors() {
		return nil, diagnostic.Of(result.Diags, result.Files)
	}
	c := &configuration{resources: make(map[string]*lang.Resource, len(result.Resources)), missing: result.Missing}
	for _, r := range result.Resources {
		c.resources[r.Address] = r
	}
	return c, diagnostic.Diagnostics{}
}

// informed decides what a plan or a state knows as that does.
type informed struct {
	azure
	file *planned.File
}

func (i informed) Decide(r *lang.Resource, others func(string) []*lang.Resource) map[string]cty.Value {
	out, known := i.azure.Decide(r, others), i.file.Known(r)
	if out == nil {
		return known
	}
	maps.Copy(out, known)
	return out
}

// compare warns where the file is not of this configuration: it has resources that
// the configuration does not declare, or a constant that is another there.
func (c *configuration) compare(file, dir string, resources []*lang.Resource, differs string, diags *diagnostic.Diagnostics) {
	var alone []string
	for _, r := range resources {
		if c.resources[r.Address] == nil && !c.undecided(r.Address) {
			alone = append(alone, r.Address)
		}
	}
	const summary, remedy = "Not the configuration of this plan", "What is unknown in it may be wrong: plan again, or name the directory that was planned."
	say := func(detail string) {
		diags.Add(diagnostic.Diagnostic{Severity: diagnostic.Warning, Summary: summary, Detail: detail + " " + remedy, File: file})
	}
	switch {
	case len(alone) > 1:
		say(fmt.Sprintf("%s does not declare %s, nor %d more that are in it.", dir, alone[0], len(alone)-1))
	case len(alone) == 1:
		say(fmt.Sprintf("%s does not declare %s, which is in it.", dir, alone[0]))
	case differs != "":
		say(fmt.Sprintf("%s gives %s another value.", dir, differs))
	}
}

// undecided reports whether an address is of what could not be evaluated: a module
// that is not on this machine, say.
func (c *configuration) undecided(address string) bool {
	plain := planned.PlainAddress(address)
	for _, m := range c.missing {
		if plain == m.Address || strings.HasPrefix(plain, m.Address+".") {
			return true
		}
	}
	return false
}
