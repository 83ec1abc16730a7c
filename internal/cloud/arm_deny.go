package cloud

import (
	"context"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/verdict"
)

const typeDenial = "Microsoft.Authorization/denyAssignments"

// Deny makes the deny assignments of a maker exactly these: nobody writes them by a
// request, they are Azure's own to make, for deployment stacks and managed
// applications. Each says in createdBy that it is the maker's, whom it does not hold
// back. One whose scope is no document is left out; the ids that are kept are
// returned.
//
// Source: Microsoft Learn, "Understand Azure deny assignments".
func (c *Cloud) Deny(ctx context.Context, by Caller, maker string, denials []arm.Resource) (kept []arm.ID, err error) {
	err = c.change(ctx, by, nil, func(d *draft) error {
		kept = nil
		wanted := map[string]bool{}
		for _, r := range denials {
			if row := d.row(r.ID.Parent()); row == nil || row.State == store.Deleting {
				continue
			}
			r.Name, r.Type = r.ID.Name(), typeDenial
			r.Properties = arm.Clone(r.Properties)
			r.Properties["createdBy"], r.Properties["scope"] = maker, string(r.ID.Parent())
			d.next(d.row(r.ID), document{Resource: r}, &Type{})
			wanted[r.ID.Key()] = true
			kept = append(kept, r.ID)
		}
		for _, r := range d.Estate().OfType(typeDenial) {
			if strings.EqualFold(arm.String(r.Properties, "createdBy"), maker) && !wanted[r.ID.Key()] {
				d.remove(r.ID)
			}
		}
		return nil
	})
	return kept, err
}

// denied is the answer to what a deny assignment refuses.
func (q *request) denied(action string, scope, by arm.ID) error {
	name := by.Name()
	if r, ok := q.at.Get(by); ok {
		name = arm.String(r.Properties, "denyAssignmentName")
	}
	return Errorf(http.StatusForbidden, "DenyAssignmentAuthorizationFailed",
		"The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, the access is denied because of the deny assignment with name '%s' and Id '%s' at scope '%s'.",
		q.caller.Signature(), q.caller.ObjectID, action, scope, name, strings.ReplaceAll(by.Name(), "-", ""), by.Parent())
}

// undeniedBelow refuses a deletion that would take something along whose deletion a
// deny assignment keeps from the caller.
func (q *request) undeniedBelow(id arm.ID) error {
	if q.r.Method != http.MethodDelete {
		return nil
	}
	for _, denial := range q.at.Estate().OfType(typeDenial) {
		scope := denial.ID.Parent()
		if !scope.Within(id) || scope.Equal(id) {
			continue
		}
		action := actionName(scope.Type(), "delete")
		answer := q.c.authorize(q.at, q.caller, action, false, scope)
		if by := answer.Decisive().Resource; answer.Value != verdict.Yes && strings.EqualFold(by.Type(), typeDenial) {
			return q.denied(action, scope, by)
		}
	}
	return nil
}
