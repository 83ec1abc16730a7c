package planned

import (
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// setting is who and where a provider deploys.
type setting struct{ subscription, tenant string }

// provider is the configuration of a node's provider, as far as the file says it.
func (rd *reader) provider(n *node) map[string]cty.Value {
	out := map[string]cty.Value{}
	put := func(name, value string) {
		if value != "" {
			out[name] = cty.StringVal(value)
		}
	}
	put("tenant_id", rd.tenant)
	key := ""
	if n.config != nil {
		key = n.config.ProviderKey
	}
	put("subscription_id", rd.learned[key].subscription)
	put("tenant_id", rd.learned[key].tenant)
	for _, name := range []string{"subscription_id", "tenant_id"} {
		put(name, rd.configured(key, name))
	}
	put("tenant_id", identityTenant(n.Values))
	tenant, _ := n.Values["tenant_id"].(string)
	put("tenant_id", tenant)
	put("subscription_id", subscriptionOf(n.Values["id"]))
	return out
}

// configured is an attribute of a provider's configuration where it is constant or
// a variable of the root module.
func (rd *reader) configured(key, name string) string {
	config := rd.p.Configuration.Providers[key]
	var e expression
	if json.Unmarshal(config.Expressions[name], &e) != nil {
		return ""
	}
	if s, ok := e.Constant.(string); ok {
		return s
	}
	if len(e.References) == 1 && config.Module == "" {
		variable, _ := strings.CutPrefix(e.References[0], "var.")
		s, _ := rd.p.Variables[variable].Value.(string)
		return s
	}
	return ""
}

// learn notes what data sources say of the provider that read them, and the tenant
// where all that is known is in one.
func (rd *reader) learn(all []resource) {
	rd.learned = map[string]setting{}
	tenants := map[string]bool{}
	add := func(tenant string) {
		if tenant != "" {
			tenants[strings.ToLower(tenant)] = true
			rd.tenant = tenant
		}
	}
	for key, p := range rd.p.Configuration.Providers {
		if p.Name == "azurerm" || p.Name == "azapi" {
			add(rd.configured(key, "tenant_id"))
		}
	}
	for _, r := range all {
		add(identityTenant(r.Values))
		if r.Mode != "data" || r.Type != "azurerm_client_config" && r.Type != "azapi_client_config" {
			continue
		}
		tenant, _ := r.Values["tenant_id"].(string)
		subscription, _ := r.Values["subscription_id"].(string)
		add(tenant)
		if c := rd.configOf(r); c != nil {
			rd.learned[c.ProviderKey] = setting{subscription, tenant}
		}
	}
	if len(tenants) != 1 {
		rd.tenant = ""
	}
}

func identityTenant(values map[string]any) string {
	identity, _ := element(values["identity"], 0).(map[string]any)
	s, _ := identity["tenant_id"].(string)
	return s
}

func subscriptionOf(id any) string {
	s, _ := id.(string)
	rest, ok := strings.CutPrefix(s, "/subscriptions/")
	if !ok {
		return ""
	}
	subscription, _, _ := strings.Cut(rest, "/")
	return subscription
}

// merged is the configuration of a provider as it is evaluated, with what the file
// knows of it.
func merged(written, known map[string]cty.Value) map[string]cty.Value {
	out := map[string]cty.Value{}
	for name, v := range written {
		out[name] = v
	}
	for name, v := range known {
		if w, ok := out[name]; !ok || !w.IsWhollyKnown() {
			out[name] = v
		}
	}
	return out
}

// made are the ids of a resource's identities that the file knows.
func made(values map[string]any) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"principal_id", "client_id"} {
		if s, ok := values[name].(string); ok && s != "" {
			out[name] = s
		}
	}
	if identity, ok := element(values["identity"], 0).(map[string]any); ok {
		if s, ok := identity["principal_id"].(string); ok && s != "" {
			out["identity.principal_id"] = s
		}
	}
	return out
}
