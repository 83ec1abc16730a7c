package template

import (
	"errors"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Output is what a deployment puts out.
type Output struct {
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// Expand resolves the loops and conditions of a template and orders its resources,
// for what deploys them: it evaluates each with [Step.Body] when those before it
// are there. Name is for messages; no file but parameter files is read, so that a
// template linked by a relative path is an error. The deployment is nil when the
// diagnostics have errors.
func Expand(name string, text []byte, opts Options) (*Deployment, diagnostic.Diagnostics) {
	r := newRun(name, opts)
	d := r.begin(name, text)
	if r.errs > 0 || r.diags.HasErrors() {
		return nil, r.diags
	}
	return d, r.diags
}

// Unread are the resources that are not among the steps because it is not known
// whether or how often they are there, or because they are no resources of Azure
// Resource Manager.
func (d *Deployment) Unread() []arm.Unread { return d.run.unread }

// Name is the deployment's.
func (d *Deployment) Name() string { return d.name }

// asking has a cloud answer while f evaluates.
func (r *run) asking(c Cloud, f func() error) error {
	before := r.cloud
	if c != nil {
		r.cloud = cloudAsked{c}
	}
	defer func() { r.cloud = before }()
	return f()
}

// Body is the resource as it is put: its members without those that only say how
// it is deployed. What the cloud does not answer is an arm.Unknown in it. An error
// says where in the template it is.
func (s *Step) Body(c Cloud) (arm.Object, error) {
	var out arm.Object
	err := s.d.run.asking(c, func() error {
		body, err := s.body()
		if err != nil {
			return err
		}
		plain, err := value.Document(body, s.d.run.Meter.Spend)
		out, _ = plain.(arm.Object)
		return err
	})
	return out, err
}

// Deployment is the template within the template, of a step that is one.
func (s *Step) Deployment(c Cloud) (*Deployment, diagnostic.Diagnostics) {
	r := s.d.run
	said := r.diags
	r.diags, r.errs = diagnostic.Diagnostics{}, 0
	var child *Deployment
	err := r.asking(c, func() error {
		var err error
		child, err = s.nested()
		return err
	})
	if errors.Is(err, errSkipped) {
		r.add(diagnostic.Error, s.d.file, s.node.Pos, "Template not at hand", "%s cannot be deployed: its template is not in this one.", s.Source.Address)
	} else if err != nil {
		for _, e := range unjoined(err) {
			r.report(e)
		}
	}
	diags := r.diags
	failed := r.errs > 0 || diags.HasErrors()
	r.diags, r.errs = said, 0
	if failed {
		return nil, diags
	}
	return child, diags
}

// Outputs are evaluated when all steps are deployed.
func (d *Deployment) Outputs(c Cloud) (map[string]Output, error) {
	out := map[string]Output{}
	err := d.run.asking(c, func() error {
		list, err := d.outputs()
		if err != nil {
			return err
		}
		for _, o := range list {
			v, err := value.Document(o.value, d.run.Meter.Spend)
			if err != nil {
				return err
			}
			out[o.name] = Output{Type: o.typ, Value: v}
		}
		return nil
	})
	return out, err
}
