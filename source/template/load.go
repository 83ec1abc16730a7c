package template

import (
	"errors"
	"io/fs"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Load reads the template in a file. The estate is nil when the diagnostics have
// errors.
func Load(file string, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	text, err := readFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, diagnostic.Fail("", "No template", "There is no file %s.", file)
	case err != nil:
		return nil, diagnostic.Fail(file, "Template cannot be read", "%v.", err)
	}
	return Read(file, text, opts)
}

// Read reads a template that is at hand. File is its name; templates that it
// names by a relative path are looked for beside it.
func Read(file string, text []byte, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	r := newRun(file, opts)
	r.open(file)
	defer r.close()
	p := &paper{run: r, docs: map[string]any{}, index: map[string]int{}, locations: map[string]string{}}
	r.cloud = p
	d := r.begin(file, text)
	if d != nil && r.errs == 0 {
		p.deploy(d)
	}
	if r.errs > 0 || r.diags.HasErrors() {
		return nil, r.diags
	}
	estate, err := arm.NewEstate(p.shape()...)
	if err != nil {
		r.diags.Append(diagnostic.Fail(file, "Not an estate", "%v.", err))
		return nil, r.diags
	}
	return estate.WithUnread(r.unread...), r.diags
}

// paper is the cloud that a template is deployed to when it is only read.
type paper struct {
	run       *run
	docs      map[string]any // by key of the id, as reference() shows them
	all       []arm.Resource
	index     map[string]int    // places in the list
	locations map[string]string // of resource groups
}

func (p *paper) reference(id arm.ID, _ string) (any, bool, error) {
	doc, ok := p.docs[id.Key()]
	return doc, ok, nil
}

// list answers nothing: what it would say are secrets.
func (p *paper) list(arm.ID, string, string, any) (any, bool, error) { return nil, false, nil }

// deploy makes the documents of a deployment and of those within it.
func (p *paper) deploy(d *Deployment) []output {
	mine := map[string]*Step{}
	for _, s := range d.steps {
		if p.run.over() {
			if err := p.run.Meter.Spend(0); err != nil {
				p.run.report(s.scope.Fail(s.node.Pos, "Too much work", "%s.", err))
			}
			return nil
		}
		if s.Existing {
			continue
		}
		if first, twice := mine[s.ID.Key()]; twice && !s.IsDeployment() {
			p.run.report(s.scope.Fail(s.node.Pos, "Resource declared twice", "%s and %s (%s) are one resource in Azure, %s: give one of them another name.",
				s.Source.Address, first.Source.Address, first.Source, s.ID))
			continue
		}
		mine[s.ID.Key()] = s
		p.step(s)
	}
	out, err := d.outputs()
	p.run.report(err)
	return out
}

func (p *paper) step(s *Step) {
	if s.IsDeployment() {
		p.within(s)
		return
	}
	body, err := s.body()
	if err != nil {
		p.run.report(err)
		return
	}
	doc, err := p.run.document(s, body)
	if err != nil {
		p.run.report(s.scope.Fail(s.node.Pos, "Too much work", "%s.", err))
		return
	}
	p.run.settle(&doc)
	if s.isGroup() {
		p.locations[s.ID.Key()] = doc.Location
	}
	shown := p.run.shown(s, body, doc)
	p.docs[s.ID.Key()] = shown
	if doc.IsType(typeDeploymentScript) {
		p.run.keep(s, "it is a script that runs at deployment")
	}
	p.put(doc)
	if doc.IsType(typeStack) {
		p.stacked(s, body, shown)
	}
}

const typeDeploymentScript = "Microsoft.Resources/deploymentScripts"

// put adds a document; one that another deployment made before is replaced.
func (p *paper) put(doc arm.Resource) {
	if i, ok := p.index[doc.ID.Key()]; ok {
		p.all[i] = doc
		return
	}
	p.index[doc.ID.Key()] = len(p.all)
	p.all = append(p.all, doc)
}

// within deploys a template within another. What it puts out is what reference()
// of it shows.
func (p *paper) within(s *Step) {
	child, err := s.nested()
	if err != nil {
		if !errors.Is(err, errSkipped) {
			for _, e := range unjoined(err) {
				p.run.report(e)
			}
		}
		return
	}
	if p.run.errs > 0 {
		return
	}
	outputs := p.outputs(child)
	p.docs[s.ID.Key()] = value.Partial{Known: value.Object{
		"id": part(string(s.ID)), "name": s.name, "type": s.Type,
		"properties": value.Object{"provisioningState": "Succeeded", "mode": "Incremental", "outputs": outputs},
	}}
}

// outputs deploys, and is what reference() shows of what is put out.
func (p *paper) outputs(d *Deployment) value.Whole {
	out := value.Whole{}
	for _, o := range p.deploy(d) {
		out[o.name] = value.Object{"type": o.typ, "value": o.value}
	}
	return out
}

func unjoined(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}
