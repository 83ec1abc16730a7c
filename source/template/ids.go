package template

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// placed is the id of a resource of a type and name at a scope. A name holds
// those of what the resource is within, first.
func placed(scope any, typ string, name any) (any, error) {
	segments := strings.Split(typ, "/")
	names := strings.Split(value.Symbol(name), "/")
	if len(segments) < 2 || segments[0] == "" {
		return nil, fmt.Errorf("%q is not a resource type: one has a namespace and a type, as Microsoft.Network/virtualNetworks", clip(typ))
	}
	if len(names) != len(segments)-1 {
		return nil, fmt.Errorf("a resource of type %s has %d names, separated by '/', and %q has %d", clip(typ), len(segments)-1, clip(value.Symbol(name)), len(names))
	}
	for _, n := range names {
		if n == "" {
			return nil, fmt.Errorf("the name %q of a resource of type %s is empty, or is in a part", clip(value.Symbol(name)), clip(typ))
		}
	}
	base := value.Symbol(scope)
	if base == "/" {
		base = ""
	}
	var out string
	switch {
	case strings.EqualFold(typ, arm.TypeResourceGroup) && strings.HasPrefix(strings.ToLower(base), "/subscriptions/"):
		out = base + "/resourceGroups/" + names[0]
	case strings.EqualFold(typ, arm.TypeSubscription):
		out = "/subscriptions/" + names[0]
	case strings.EqualFold(typ, arm.TypeManagementGroup), strings.EqualFold(typ, "Microsoft.Subscription/aliases"):
		out = "/providers/" + typ + "/" + names[0]
	default:
		out = base + "/providers/" + segments[0]
		for i, n := range names {
			out += "/" + segments[i+1] + "/" + n
		}
	}
	for _, v := range []any{name, scope} {
		if u, unknown := value.Unsure(v); unknown {
			return u.As(out), nil
		}
	}
	return out, nil
}

// idFunction is one of the functions that make resource ids. The arguments before
// the type say where the resource is.
func (d *Deployment) idFunction(name string, args []any) (any, error) {
	scope := d.said
	if name == "extensionresourceid" {
		if len(args) < 3 {
			return nil, errors.New("it takes a resource id, a type and names")
		}
		return named(args[0], args[1:])
	}
	at := 0
	for at < len(args) && !isType(args[at]) {
		at++
	}
	where, rest := args[:at], args[at:]
	if len(rest) < 2 {
		return nil, errors.New("it takes a resource type, as 'Microsoft.Network/virtualNetworks', and names")
	}
	switch {
	case name == "tenantresourceid" && len(where) == 0:
		scope.level = arm.LevelTenant
	case name == "managementgroupresourceid" && len(where) <= 1:
		scope.level = arm.LevelManagementGroup
		if len(where) == 1 {
			scope.group = where[0]
		}
	case name == "subscriptionresourceid" && len(where) <= 1, name == "resourceid" && len(where) <= 2:
		if name == "subscriptionresourceid" {
			scope.level = arm.LevelSubscription
		}
		if len(where) > 0 {
			scope.level = max(scope.level, arm.LevelSubscription)
		}
		scope = scope.within(where, name == "resourceid")
	default:
		return nil, errors.New("there are too many arguments before the resource type")
	}
	return named(scope.id(), rest)
}

// within is the scope with a subscription, a resource group or both in their place.
func (t target) within(where []any, groups bool) target {
	switch len(where) {
	case 1:
		if groups {
			t.level, t.resources = arm.LevelGroup, where[0]
		} else {
			t.subscription = where[0]
		}
	case 2:
		t.level, t.subscription, t.resources = arm.LevelGroup, where[0], where[1]
	}
	return t
}

func isType(v any) bool {
	s, ok := v.(string)
	return ok && strings.Contains(s, "/") && !strings.HasPrefix(s, "/")
}

// named is the id of a type and names at a scope.
func named(scope any, rest []any) (any, error) {
	typ, ok := rest[0].(string)
	if !ok {
		if u, unknown := value.Unsure(rest[0]); unknown {
			return u, nil
		}
		return nil, fmt.Errorf("the resource type should be a string and is %s", value.Kind(rest[0]))
	}
	names := make([]any, 0, 2*len(rest))
	for i, n := range rest[1:] {
		if _, unknown := value.Unsure(n); !unknown {
			if s, isText := n.(string); !isText || s == "" {
				return nil, fmt.Errorf("the names should be strings, and one is %s", orEmpty(n))
			}
		}
		if i > 0 {
			names = append(names, "/")
		}
		names = append(names, n)
	}
	return placed(scope, strings.Trim(typ, "/"), text(names...))
}

func orEmpty(v any) string {
	if v == "" {
		return "empty"
	}
	return value.Kind(v)
}

// scopeOf is the id of the scope that a resource names for itself: an id, "/", or
// a resource of the same scope as type and name.
func (d *Deployment) scopeOf(v any) (any, error) {
	s := value.Symbol(v)
	if strings.HasPrefix(s, "/") {
		return v, nil
	}
	segments := strings.Split(s, "/")
	if len(segments) < 3 || len(segments)%2 == 0 {
		if _, unknown := value.Unsure(v); unknown {
			return v, nil
		}
		return nil, fmt.Errorf("%q is not a scope: it should be a resource id, or a type and a name as Microsoft.Storage/storageAccounts/name", clip(s))
	}
	typ, name := segments[0], ""
	for i := 1; i < len(segments); i += 2 {
		typ += "/" + segments[i]
		name += "/" + segments[i+1]
	}
	id, err := placed(d.at.id(), typ, name[1:])
	if u, unknown := value.Unsure(v); unknown && err == nil {
		return u.As(value.Symbol(id)), nil
	}
	return id, err
}
