package keyvault

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// need is what an operation asks for: a data action of a role, or a permission of
// an access policy. Empty, it asks for authentication alone.
type need struct{ action, permission string }

const actionPrefix = "Microsoft.KeyVault/vaults/secrets/"

var (
	needGet        = need{actionPrefix + "getSecret/action", "get"}
	needList       = need{actionPrefix + "readMetadata/action", "list"}
	needSet        = need{actionPrefix + "setSecret/action", "set"}
	needUpdate     = need{actionPrefix + "update/action", "set"}
	needDelete     = need{actionPrefix + "delete", "delete"}
	needGetDeleted = need{actionPrefix + "readMetadata/action", "get"}
	needRecover    = need{actionPrefix + "recover/action", "recover"}
	needPurge      = need{actionPrefix + "purge/action", "purge"}
)

// scope is the narrowest document that a role may have been assigned on.
func (q *request) scope() arm.ID {
	if q.name == "" {
		return q.resource.ID
	}
	return q.resource.ID.Child("secrets", q.name)
}

func (q *request) authorize(n need) error {
	if n.action == "" {
		return nil
	}
	if !arm.Bool(q.resource.Properties, "enableRbacAuthorization", false) {
		return q.authorizeByPolicy(n)
	}
	v := q.service.host.Authorize(q.caller, n.action, true, q.scope())
	if v.Value == verdict.Yes {
		return nil
	}
	step := v.Decisive()
	return fail(http.StatusForbidden, "Forbidden",
		"Caller is not authorized to perform action on resource.\r\nCaller: appid=%s;oid=%s\r\nAction: '%s'\r\nResource: '%s'\r\n%s: %s",
		q.caller.Signature(), q.caller.ObjectID, n.action, q.scope(), step.At, step.Reason).because("ForbiddenByRbac")
}

func (q *request) authorizeByPolicy(n need) error {
	for _, policy := range arm.Objects(q.resource.Properties, "accessPolicies") {
		if !strings.EqualFold(arm.String(policy, "objectId"), q.caller.ObjectID) {
			continue
		}
		for _, permission := range arm.Strings(policy, "permissions.secrets") {
			if strings.EqualFold(permission, n.permission) || strings.EqualFold(permission, "all") {
				return nil
			}
		}
	}
	return fail(http.StatusForbidden, "Forbidden", "The user, group or application 'appid=%s;oid=%s' does not have secrets %s permission on key vault '%s'.",
		q.caller.Signature(), q.caller.ObjectID, n.permission, q.resource.Name).because("AccessDenied")
}
