package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/source/template"
)

// change is a change of a stack on its way. It serves one goroutine.
type change struct {
	stacks *stacks
	caller cloud.Caller // who acts through the stack
	stack  stack
	was    []managed
}

// start begins to deploy a stack; it goes on when the request has been answered.
func (s *stacks) start(caller cloud.Caller, req stackRequest, p path) (stack, error) {
	next := stack{
		ID: p.id, Location: req.Location, Tags: req.Tags, Description: req.Properties.Description, State: stackDeploying,
		Correlation: uuid.NewString(), Begun: now(), Created: now(), CreatedBy: caller.Signature(), ChangedBy: caller.Signature(),
		Deny: *req.Properties.Deny, Unmanage: *req.Properties.Unmanage, Template: req.deployment.Properties.Template, Parameters: shown(req.deployment),
	}
	if old, ok := s.find(p.id); ok {
		next.Created, next.CreatedBy, next.Managed = old.Created, old.CreatedBy, old.Managed
	}
	caller.Through = next.maker()
	at := path{at: p.at, id: p.at + arm.ID("/providers/"+TypeDeployment+"/"+deploymentName(p.id.Name(), next.Begun))}
	next.Deployment = at.id
	expanded, err := s.deployer.expand(context.Background(), caller, req.deployment, at)
	if err != nil {
		return next, err
	}
	if err := s.take(next); err != nil {
		return next, err
	}
	c := &change{stacks: s, caller: caller, stack: next, was: next.Managed}
	go func() { c.finish(c.deploy(expanded, req.deployment, at)) }()
	return next, nil
}

// deploymentName is what the deployment of a stack is called: at most 64 characters.
func deploymentName(name string, at time.Time) string {
	return name[:min(len(name), 44)] + "-" + at.Format("060102150405.000000")
}

// end begins to delete a stack.
func (s *stacks) end(caller cloud.Caller, going stack, actions unmanage) (stack, error) {
	caller.Through = going.maker()
	going.State, going.Correlation, going.Begun, going.Ended, going.Unmanage = stackDeleting, uuid.NewString(), now(), time.Time{}, actions
	going.ChangedBy = caller.Signature()
	if err := s.take(going); err != nil {
		return going, err
	}
	c := &change{stacks: s, caller: caller, stack: going, was: going.Managed}
	go func() {
		c.stack.Managed = nil
		err := c.unmanage()
		if err == nil {
			_, err = s.deployer.cloud.Deny(context.Background(), c.caller, going.maker(), nil)
		}
		if err == nil {
			err = s.drop(going.ID)
		}
		if err != nil {
			c.finish(err)
		}
	}()
	return going, nil
}

// finish keeps how the change has ended.
func (c *change) finish(err error) {
	c.stack.State, c.stack.Ended, c.stack.Error = stackSucceeded, now(), nil
	if err != nil {
		c.stack.State, c.stack.Error = stackFailed, arm.Object{
			"code": "DeploymentStackDeploymentFailed", "message": "One or more errors occurred while the deployment stack was changed.", "target": string(c.stack.ID),
			"details": []arm.Object{errorObject(err)},
		}
	}
	c.keep()
}

func (c *change) keep() {
	if err := c.stacks.keep(c.stack); err != nil {
		c.stacks.deployer.log.Error("keeping a deployment stack", "stack", c.stack.ID, "error", err)
	}
}

// deploy deploys the template, lets go what it does not have any more, and denies
// what the stack is to deny on the rest. Where the template could not be deployed
// whole, nothing is let go.
func (c *change) deploy(expanded *template.Deployment, req request, p path) error {
	work, err := c.stacks.deployer.begin(context.Background(), c.caller, req, p)
	if err != nil {
		return err
	}
	work.do(expanded, p)
	c.stack.Outputs, c.stack.Failed = work.record.Outputs, nil
	c.stack.Managed = nil
	c.gather(work.record)
	if work.record.State != succeeded {
		c.manage(c.was)
		err = &cloud.Error{Code: arm.String(work.record.Error, "code"), Message: arm.String(work.record.Error, "message")}
		return errors.Join(err, c.deny())
	}
	err = c.unmanage()
	return errors.Join(err, c.deny())
}

// gather takes what a deployment and those within it have written.
func (c *change) gather(r record) {
	for _, o := range r.Operations {
		switch {
		case strings.EqualFold(o.Target.Type(), TypeDeployment):
			if inner, ok := c.stacks.deployer.history.get(o.Target); ok {
				c.gather(inner)
			}
		case o.State == succeeded:
			c.manage([]managed{{ID: o.Target, Status: "managed"}})
		case o.Error != nil:
			c.stack.Failed = append(c.stack.Failed, notDone{o.Target, o.Error})
		}
	}
}

// manage adds resources that the stack does not have yet.
func (c *change) manage(list []managed) {
	for _, one := range list {
		if !c.has(one.ID) {
			c.stack.Managed = append(c.stack.Managed, one)
		}
	}
}

func (c *change) has(id arm.ID) bool {
	return slices.ContainsFunc(c.stack.Managed, func(m managed) bool { return m.ID.Equal(id) })
}

// unmanage deletes or detaches what the stack had and has no more. What cannot be
// deleted stays managed.
func (c *change) unmanage() error {
	c.stack.Detached, c.stack.Deleted = nil, nil
	var gone []arm.ID
	for _, m := range c.was {
		if !c.has(m.ID) {
			gone = append(gone, m.ID)
		}
	}
	if c.stack.Unmanage.Resources == unmanageDetach {
		c.stack.Detached = gone
		return nil
	}
	if c.stack.State != stackDeleting {
		c.stack.State = stackUnmanages
		c.keep()
	}
	depth := func(id arm.ID) int { return strings.Count(string(id), "/") }
	slices.SortStableFunc(gone, func(a, b arm.ID) int { return depth(b) - depth(a) }) // children first
	left, errs := client{context.Background(), c.stacks.deployer.cloud.As(c.caller)}.deleteAll(gone)
	for i, id := range left {
		c.stack.Failed = append(c.stack.Failed, notDone{id, errorObject(errs[i])})
		c.manage([]managed{{ID: id, Status: "deleteFailed"}})
	}
	for _, id := range gone {
		if !slices.Contains(left, id) {
			c.stack.Deleted = append(c.stack.Deleted, id)
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("deleting what the stack manages no more: %w", errors.Join(errs...))
	}
	return nil
}

// deny makes the stack's deny assignments: one on each resource that it manages in
// its group, and none on others.
func (c *change) deny() error {
	c.stack.State = stackDenying
	c.keep()
	var wanted []arm.Resource
	for i, m := range c.stack.Managed {
		switch {
		case c.stack.Deny.Mode == denyNone:
			c.stack.Managed[i].Deny = denyNone
		case !m.ID.Within(c.stack.ID.Parent()):
			c.stack.Managed[i].Deny = "inapplicable"
		default:
			c.stack.Managed[i].Deny = "notSupported" // unless it is kept
			wanted = append(wanted, c.assignment(m.ID))
		}
	}
	kept, err := c.stacks.deployer.cloud.Deny(context.Background(), c.caller, c.stack.maker(), wanted)
	if err != nil {
		return fmt.Errorf("updating the deny assignments: %w", err)
	}
	for i, m := range c.stack.Managed {
		if slices.ContainsFunc(kept, func(id arm.ID) bool { return id.Parent().Equal(m.ID) }) {
			c.stack.Managed[i].Deny = c.stack.Deny.Mode
		}
	}
	return nil
}

// assignment is the deny assignment on one resource.
func (c *change) assignment(id arm.ID) arm.Resource {
	name := arm.StableGUID(id, "denied by "+c.stack.maker())
	excluded := []any{}
	for _, principal := range c.stack.Deny.ExcludedPrincipals {
		one := arm.Object{"id": principal}
		if name, kind, ok := c.stacks.deployer.cloud.PrincipalType(principal); ok {
			one["displayName"], one["type"] = name, kind
		}
		excluded = append(excluded, one)
	}
	var notActions []any
	for _, action := range c.stack.Deny.notDenied() {
		notActions = append(notActions, action)
	}
	return arm.Resource{ID: id.Extension("Microsoft.Authorization", "denyAssignments", name), Properties: arm.Object{
		"denyAssignmentName": fmt.Sprintf("Deny assignment '%s' created by Deployment Stack '%s'.", name, c.stack.ID),
		"description":        fmt.Sprintf("Created by Deployment Stack '%s'.", c.stack.ID),
		"permissions":        []any{arm.Object{"actions": []any{c.stack.Deny.denied()}, "notActions": notActions, "dataActions": []any{}, "notDataActions": []any{}}},
		"principals":         []any{arm.Object{"id": everyone, "displayName": "All Principals", "type": "SystemDefined"}},
		"excludePrincipals":  excluded, "isSystemProtected": true, "doNotApplyToChildScopes": !c.stack.Deny.ApplyToChildScopes,
	}}
}

// everyone is the principal of a deny assignment that is for all.
const everyone = "00000000-0000-0000-0000-000000000000"
