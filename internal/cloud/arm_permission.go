package cloud

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
)

// isPermissions reports whether the target is what the caller may do at a scope.
func (t target) isPermissions() bool {
	return strings.EqualFold(t.namespace, "Microsoft.Authorization") && len(t.tail) == 1 && strings.EqualFold(t.tail[0], "permissions")
}

// permissions answers what the caller's roles allow at the scope. It is the
// caller's own, so everyone may ask.
//
// Source: Azure REST API reference, "Permissions - List For Resource Group".
func (q *request) permissions() error {
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	value := []arm.Object{}
	add := func(r access.Role) {
		value = append(value, arm.Object{
			"actions": orNone(r.Actions), "notActions": orNone(r.NotActions), "dataActions": orNone(r.DataActions), "notDataActions": orNone(r.NotDataActions),
		})
	}
	if q.caller.ObjectID == q.c.principals.ownerID() {
		add(access.Role{Actions: []string{"*"}})
	}
	for _, r := range q.at.docs.roles().Granted(q.caller.ObjectID, q.target.scope) {
		add(r)
	}
	WriteJSON(q.w, http.StatusOK, arm.Object{"value": value})
	return nil
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
