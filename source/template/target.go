package template

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// target is where a deployment goes. Its parts are strings, or unknown.
type target struct {
	level        arm.Level
	group        any // a management group's name
	subscription any
	resources    any // a resource group's name
}

// levels are the scopes that a template's schema says it is for.
var levels = map[string]arm.Level{
	"deploymenttemplate":                arm.LevelGroup,
	"subscriptiondeploymenttemplate":    arm.LevelSubscription,
	"managementgroupdeploymenttemplate": arm.LevelManagementGroup,
	"tenantdeploymenttemplate":          arm.LevelTenant,
}

func targetOf(root *jsontext.Node, opts Options) (target, error) {
	t := target{level: arm.LevelGroup, group: stands("managementGroup().name", "{managementGroup}")}
	t.subscription, t.resources = stands("subscription().subscriptionId", value.Nowhere), stands("resourceGroup().name", "{resourceGroup}")
	if opts.SubscriptionID != "" {
		t.subscription = opts.SubscriptionID
	}
	if opts.ResourceGroup != "" {
		t.resources = opts.ResourceGroup
	}
	if opts.ManagementGroup != "" {
		t.group = opts.ManagementGroup
	}
	if opts.Scope != "" {
		return t.to(string(opts.Scope))
	}
	if root.Get("resources") == nil {
		return t, fmt.Errorf("the file has no resources")
	}
	schema := root.Get("$schema").Str()
	name := schema[strings.LastIndexByte(schema, '/')+1:]
	name, _, _ = strings.Cut(strings.ToLower(name), ".json")
	level, ok := levels[name]
	if !ok {
		return t, fmt.Errorf("$schema is %q, which is no schema of deployment templates", clip(schema))
	}
	t.level = level
	return t, nil
}

// to is t at the scope that an id names; in it may be what stands for a part.
func (t target) to(scope string) (target, error) {
	id, err := arm.ParseID(scope)
	if scope == "/" {
		id, err = arm.Tenant, nil
	}
	if err != nil {
		return t, err
	}
	switch t.level = id.Level(); t.level {
	case arm.LevelTenant:
	case arm.LevelManagementGroup:
		t.group = part(id.Name())
	case arm.LevelSubscription:
		t.subscription = part(id.Subscription())
	case arm.LevelGroup:
		t.subscription, t.resources = part(id.Subscription()), part(id.ResourceGroup())
	default:
		return t, fmt.Errorf("%s is not a scope that templates are deployed to", clip(scope))
	}
	return t, nil
}

// part is a segment of an id, unknown where it only stands for something.
func part(segment string) any { return value.Part(segment) }

// id is the scope's id, unknown where a part of it is.
func (t target) id() any {
	switch t.level {
	case arm.LevelTenant:
		return "/"
	case arm.LevelManagementGroup:
		return text("/providers/"+arm.TypeManagementGroup+"/", t.group)
	case arm.LevelSubscription:
		return text("/subscriptions/", t.subscription)
	}
	return text("/subscriptions/", t.subscription, "/resourceGroups/", t.resources)
}

// text joins texts; it is unknown where one of them is.
func text(parts ...any) any {
	var b strings.Builder
	var doubt value.Unknown
	unknown := false
	for _, p := range parts {
		if u, ok := value.Unsure(p); ok && !unknown {
			doubt, unknown = u, true
		}
		b.WriteString(value.Symbol(p))
	}
	if unknown {
		return doubt.As(b.String())
	}
	return b.String()
}

// clip shortens text for a message.
func clip(s string) string { return clipTo(s, 100) }

func clipTo(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return s
}
