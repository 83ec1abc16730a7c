package resources

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/source/template"
)

// deployer deploys templates and remembers that it did.
type deployer struct {
	cloud   Cloud
	history *history
	log     *slog.Logger
}

func now() time.Time { return time.Now().UTC() }

// start begins a deployment; it goes on when the request has been answered.
func (d *deployer) start(caller cloud.Caller, req request, p path) (record, error) {
	expanded, err := d.expand(context.Background(), caller, req, p)
	if err != nil {
		return record{}, err
	}
	work, err := d.begin(context.Background(), caller, req, p)
	if err != nil {
		return record{}, err
	}
	begun := work.record
	go work.do(expanded, p)
	return begun, nil
}

// begin takes the name of a deployment, and does nothing yet.
func (d *deployer) begin(ctx context.Context, caller cloud.Caller, req request, p path) (*run, error) {
	r := record{
		ID: p.id, Location: req.Location, Mode: req.Properties.Mode, State: running, Correlation: uuid.NewString(), Begun: now(),
		Template: req.Properties.Template, Hash: hash(req.Properties.Template), Parameters: shown(req),
	}
	ctx, cancel := context.WithCancel(ctx)
	ok, err := d.history.begin(r, cancel)
	if !ok {
		cancel()
		if err == nil {
			err = cloud.Errorf(http.StatusConflict, "DeploymentActive", "Unable to edit or replace deployment '%s': previous deployment is still active. Wait for it, or cancel it.", p.id.Name())
		}
		return nil, err
	}
	return &run{deployer: d, client: client{ctx, d.cloud.As(caller)}, record: r, cancel: cancel}, nil
}

// do deploys, and keeps how that has ended.
func (r *run) do(expanded *template.Deployment, p path) {
	defer r.cancel()
	r.finish(r.deploy(expanded, p))
}

// run is one deployment on its way. It serves one goroutine.
type run struct {
	deployer *deployer
	client   client
	record   record
	cancel   context.CancelFunc
	pending  map[string]pending // by the key of what is written
}

// pending is a resource that was accepted, and is not known to be there yet.
type pending struct {
	op     int // in the record
	answer *answer
}

// finish keeps how the deployment has ended.
func (r *run) finish(err error) {
	r.record.Ended = now()
	switch {
	case r.client.ctx.Err() != nil:
		r.record.State = canceled
		r.record.Error = arm.Object{"code": "DeploymentCanceled", "message": "The deployment was canceled."}
	case err != nil:
		r.record.State, r.record.Error = failed, errorObject(err)
	default:
		r.record.State = succeeded
	}
	r.keep()
}

func (r *run) keep() {
	if err := r.deployer.history.keep(r.record); err != nil {
		r.deployer.log.Error("keeping a deployment", "deployment", r.record.ID, "error", err)
	}
}

// deploy writes every resource when those that it depends on are there.
func (r *run) deploy(d *template.Deployment, p path) error {
	r.pending = map[string]pending{}
	for _, step := range d.Steps() {
		if err := r.settle(step.DependsOn...); err != nil {
			return err
		}
		if err := r.client.ctx.Err(); err != nil {
			return err
		}
		if step.Existing {
			continue
		}
		if err := r.step(step); err != nil {
			return err
		}
	}
	if err := r.settleAll(); err != nil {
		return err
	}
	if r.record.Mode == "Complete" {
		if err := r.deleteOthers(d, p); err != nil {
			return err
		}
	}
	outputs, err := d.Outputs(r.client)
	if err != nil {
		return fmt.Errorf("the deployment's outputs: %w", err)
	}
	r.record.Outputs = withoutSecure(outputs)
	return nil
}

// step begins to write one resource, or runs the deployment that it is.
func (r *run) step(step *template.Step) error {
	at := len(r.record.Operations)
	r.record.Operations = append(r.record.Operations, op{Target: step.ID, State: running, Begun: now()})
	if step.IsDeployment() {
		return r.end(at, r.nested(step))
	}
	body, err := step.Body(r.client)
	if err == nil {
		if unknown, ok := firstUnknown(body); ok {
			err = invalid("The resource %s cannot be deployed: %s.", step.ID, unknown)
		}
	}
	if err != nil {
		return r.end(at, err)
	}
	got, err := r.client.call(http.MethodPut, address(step.ID, orAny(step.APIVersion)), body, nil)
	if err != nil {
		return r.end(at, err)
	}
	r.pending[step.ID.Key()] = pending{at, got}
	return nil
}

// end writes how an operation has ended.
func (r *run) end(at int, err error) error {
	o := &r.record.Operations[at]
	o.Ended, o.State = now(), succeeded
	if err != nil {
		o.State, o.Error = failed, errorObject(err)
	}
	r.keep()
	return err
}

// settle waits for resources that are being made.
func (r *run) settle(ids ...arm.ID) error {
	for _, id := range ids {
		one, ok := r.pending[id.Key()]
		if !ok {
			continue
		}
		delete(r.pending, id.Key())
		if err := r.end(one.op, r.client.wait(one.answer)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) settleAll() error {
	var errs []error
	for _, o := range r.record.Operations {
		errs = append(errs, r.settle(o.Target))
	}
	return errors.Join(errs...)
}

// nested runs a deployment within this one, which is a deployment of its own.
func (r *run) nested(step *template.Step) error {
	inner, diags := step.Deployment(r.client)
	if inner == nil || diags.HasErrors() {
		return invalid("The nested deployment %s: %s", step.ID.Name(), said(diags))
	}
	p := pathOf(step.ID)
	work := &run{deployer: r.deployer, client: r.client, record: record{
		ID: p.id, Mode: "Incremental", State: running, Correlation: r.record.Correlation, Begun: now(), Template: []byte("{}"),
	}}
	ctx, cancel := context.WithCancel(r.client.ctx)
	defer cancel()
	work.client.ctx = ctx
	ok, err := r.deployer.history.begin(work.record, cancel)
	if !ok {
		if err == nil {
			err = cloud.Errorf(http.StatusConflict, "DeploymentActive", "A deployment '%s' is active.", p.id.Name())
		}
		return err
	}
	err = work.deploy(inner, p)
	work.finish(err)
	return err
}

// deleteOthers deletes what the group holds besides what was deployed, as the mode
// Complete asks. What another still uses is tried again when that is gone.
func (r *run) deleteOthers(d *template.Deployment, p path) error {
	keep := map[string]bool{}
	for _, step := range d.Steps() {
		for id := step.ID; id.Within(p.at) && !id.Equal(p.at); id = id.Parent() {
			keep[id.Key()] = true
		}
	}
	var left []arm.ID
	for _, id := range r.deployer.cloud.Try(cloud.Caller{}).Held(p.at) {
		if !keep[id.Key()] {
			left = append(left, id)
		}
	}
	if _, errs := r.client.deleteAll(left); len(errs) > 0 {
		return fmt.Errorf("deleting what the template does not have: %w", errors.Join(errs...))
	}
	return nil
}

// firstUnknown finds what the cloud has not answered.
func firstUnknown(v any) (arm.Unknown, bool) {
	switch node := v.(type) {
	case arm.Unknown:
		return node, true
	case map[string]any:
		for _, e := range node {
			if u, ok := firstUnknown(e); ok {
				return u, true
			}
		}
	case []any:
		for _, e := range node {
			if u, ok := firstUnknown(e); ok {
				return u, true
			}
		}
	}
	return arm.Unknown{}, false
}

// withoutSecure are the outputs that may be kept and shown.
func withoutSecure(outputs map[string]template.Output) arm.Object {
	out := arm.Object{}
	for name, o := range outputs {
		one := arm.Object{"type": o.Type}
		if !secure(o.Type) {
			one["value"] = o.Value
		}
		out[name] = one
	}
	return out
}
