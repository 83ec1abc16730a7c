package terraform

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform/internal/planned"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// LoadPlan reads a plan or a state as "terraform show -json" prints it. File is the
// name that messages and sources have. A value that the plan does not know is what
// its configuration gives it, where Options.Config names that; what its expression
// refers to, where the plan itself says that plainly; and unknown otherwise.
func LoadPlan(file string, text []byte, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	return loadPlanned(planned.Plan, file, text, opts)
}

// LoadState reads a state file of version 4.
func LoadState(file string, text []byte, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	return loadPlanned(planned.State, file, text, opts)
}

type plannedReader func(text []byte) (*planned.File, error)

func loadPlanned(read plannedReader, file string, text []byte, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	f, err := read(text)
	if err != nil {
		return nil, diagnostic.Fail(file, "Neither a plan nor a state", "%v.", err)
	}
	types := azure{environ: environ(opts.Environ), existing: newExisting(opts.Existing), assigned: opts.Assigned, displayed: displayed{}}
	o := planned.Options{File: file, Schemas: schema.New(), Decider: types}
	var config *configuration
	if opts.Config != "" {
		var diags diagnostic.Diagnostics
		if config, diags = evaluated(f, opts); diags.HasErrors() {
			return nil, diags
		}
		o.Written = config.resources
	}
	resources, differs := f.Resources(o)
	b := newBuilder(types, opts.Secrets)
	b.build(resources)
	diags := diagnostic.Of(b.diags, nil)
	if config != nil {
		config.compare(file, opts.Config, resources, differs, &diags)
	}
	return b.estate(diags)
}

// estate is what was built, and nil where the diagnostics have errors.
func (b *builder) estate(diags diagnostic.Diagnostics) (*arm.Estate, diagnostic.Diagnostics) {
	if diags.HasErrors() {
		return nil, diags
	}
	estate, err := arm.NewEstate(b.documents()...)
	if err != nil {
		diags.Append(diagnostic.Fail("", "Not an estate", "%v.", err))
		return nil, diags
	}
	return estate.WithUnread(b.unread...), diags
}
