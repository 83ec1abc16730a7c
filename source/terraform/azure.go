package terraform

import (
	"fmt"
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// kinds are the resource types whose meaning is known, from every service's file.
var kinds = gather(groupKinds, networkKinds, nsgKinds, routeKinds, gatewayKinds, privateLinkKinds,
	vpnGatewayKinds, expressRouteKinds, virtualWANKinds, hubVPNKinds, networkManagerKinds, perimeterKinds, trafficManagerKinds,
	logAnalyticsKinds, monitorKinds, alertKinds,
	appGatewayKinds, frontDoorKinds, publicDNSKinds, resolverKinds, loadBalancerKinds, watcherKinds, publicIPKinds, nicKinds, firewallKinds, firewallPolicyKinds,
	dnsKinds, storageKinds,
	vaultKinds, registryKinds, insightsKinds, privateLinkScopeKinds, machineLearningKinds, computeKinds, identityKinds, directoryKinds, authorizationKinds, azapiKinds, serviceKinds)

// gather joins tables. A type in two of them is a mistake in the program, which
// ends it at once, and the tests with it.
func gather(tables ...map[string]kind) map[string]kind {
	n := 0
	for _, t := range tables {
		n += len(t)
	}
	all := make(map[string]kind, n)
	for _, t := range tables {
		for typ, k := range t {
			if _, twice := all[typ]; twice {
				panic("two mappings of " + typ)
			}
			all[typ] = k
		}
	}
	return all
}

// inert are the providers whose resources are nothing in Azure Resource Manager.
var inert = []string{"random", "null", "time", "tls", "terraform", "local", "archive", "external", "http", "template", "cloudinit", "modtm", "azuread"}

// azure decides what Azure's own rules decide before deployment.
type azure struct {
	environ   map[string]string
	existing  *existing // nil where nothing is looked up
	assigned  map[string]string
	displayed displayed
}

// Mapped reports whether a type has a meaning here, be it none.
func (a azure) Mapped(typ string) bool {
	if _, ok := kinds[typ]; ok {
		return true
	}
	provider, _, _ := strings.Cut(typ, "_")
	for _, p := range inert {
		if p == provider {
			return true
		}
	}
	return false
}

// Strict reports whether a type must fit its schema: those that have a meaning
// here, resources and data sources alike.
func (a azure) Strict(typ string) bool {
	switch typ {
	case "azurerm_client_config", "azapi_client_config", "azurerm_subscription", "azurerm_role_definition":
		return true
	}
	return a.Mapped(typ)
}

// nowhere stands for a subscription that neither the provider nor the
// environment names.
const nowhere = "00000000-0000-0000-0000-000000000000"

func (a azure) view(r *lang.Resource, secrets bool) view {
	v := view{r: r, body: r.Config, secrets: secrets, subscription: nowhere, displayed: a.displayed}
	if s, ok := a.setting(r, "subscription_id", "ARM_SUBSCRIPTION_ID").(string); ok {
		v.subscription = s
	}
	v.tenant = cty.UnknownVal(cty.String).Mark(lang.Origin{Expression: "the tenant of provider azurerm", File: r.Range.Filename, Line: r.Range.Start.Line})
	if s, ok := a.setting(r, "tenant_id", "ARM_TENANT_ID").(string); ok {
		v.tenant = cty.StringVal(s)
	}
	return v
}

// setting is a string of the provider's configuration, or of the environment.
func (a azure) setting(r *lang.Resource, attribute, variable string) any {
	if val, ok := r.Provider[attribute]; ok {
		plain, from, _ := lang.Marks(val)
		if plain.IsKnown() && !plain.IsNull() && plain.Type() == cty.String {
			return plain.AsString()
		}
		if !plain.IsKnown() && attribute == "subscription_id" {
			return braced(from.Expression)
		}
	}
	if s := a.environ[variable]; s != "" {
		return s
	}
	return nil
}

// Decide gives the attributes that follow from a resource's configuration.
func (a azure) Decide(r *lang.Resource, others func(string) []*lang.Resource) map[string]cty.Value {
	v := a.view(r, true)
	if r.Data {
		return a.decideData(v, others)
	}
	k, ok := kinds[r.Type]
	if !ok || k.id == nil {
		return helper(v)
	}
	out := decided(k, v)
	if k.look != nil {
		maps.Copy(out, k.look(v, a, others))
	}
	for expression, value := range a.assigned {
		if attribute, ok := strings.CutPrefix(expression, r.Address+"."); ok {
			out[attribute] = cty.StringVal(value)
		}
	}
	return out
}

func decided(k kind, v view) map[string]cty.Value {
	id := k.id(v)
	out := map[string]cty.Value{"id": cty.StringVal(string(id))}
	if plain, _, _ := lang.Marks(v.value("name")); !plain.IsKnown() {
		out["name"] = cty.UnknownVal(cty.String).Mark(lang.Origin{
			Expression: v.r.Address + ".name", File: v.r.Range.Filename, Line: v.r.Range.Start.Line, Symbol: v.symbol("name"),
		})
	}
	if len(v.blocks("identity")) > 0 && strings.Contains(v.text("identity.type"), "SystemAssigned") {
		out["identity.principal_id"] = cty.StringVal(arm.PrincipalID(id))
		out["identity.tenant_id"] = v.tenant
	}
	maps.Copy(out, partIDs(k, v, id))
	if k.decide != nil {
		maps.Copy(out, k.decide(v, id))
	}
	return out
}

// partIDs are the ids of the named parts that a network resource has in arrays: a
// load balancer's front ends, an application gateway's listeners.
func partIDs(k kind, v view, id arm.ID) map[string]cty.Value {
	out := map[string]cty.Value{}
	if !strings.HasPrefix(k.arm, "Microsoft.Network/") {
		return out
	}
	for _, p := range k.props {
		if p.items == nil || p.single || strings.Contains(p.from+p.to, ".") {
			continue
		}
		for i, b := range v.blocks(p.from) {
			if name := b.text("name"); name != "" {
				out[fmt.Sprintf("%s[%d].id", p.from, i)] = cty.StringVal(string(id.Child(p.to, name)))
			}
		}
	}
	return out
}

// helper decides the few attributes of inert types that are what was put in.
func helper(v view) map[string]cty.Value {
	if v.r.Type == "terraform_data" && v.has("input") {
		return map[string]cty.Value{"output": v.value("input")}
	}
	return nil
}

// decideData resolves a data source: what its arguments and the provider decide,
// and what a resource of the same estate with the same id says.
func (a azure) decideData(v view, others func(string) []*lang.Resource) map[string]cty.Value {
	switch v.r.Type {
	case "azurerm_client_config", "azapi_client_config":
		return map[string]cty.Value{
			"subscription_id":          cty.StringVal(v.subscription),
			"subscription_resource_id": cty.StringVal("/subscriptions/" + v.subscription),
			"tenant_id":                v.tenant,
		}
	case "azurerm_subscription":
		sub := v.subscription
		if s := v.text("subscription_id"); s != "" {
			sub = s
		}
		return map[string]cty.Value{
			"id": cty.StringVal("/subscriptions/" + sub), "subscription_id": cty.StringVal(sub), "tenant_id": v.tenant,
		}
	case "azurerm_role_definition":
		return decideRoleDefinition(v)
	}
	k, ok := kinds[v.r.Type]
	if !ok || k.id == nil {
		return nil
	}
	id := k.id(v)
	out := map[string]cty.Value{"id": cty.StringVal(string(id))}
	declared := false
	for _, r := range others(v.r.Type) {
		if !id.Equal(kinds[r.Type].id(a.view(r, true))) {
			continue
		}
		if declared = true; v.r.Schema == nil {
			continue
		}
		for name, at := range v.r.Schema.Attributes {
			if val := r.Attribute(name); at.Computed && val.Type().Equals(at.Type) {
				out[name] = val
			}
		}
	}
	if !declared && a.existing != nil {
		if doc, ok := a.existing.find(k, v, id); ok {
			a.existing.answer(v, doc, out)
			id, declared = doc.ID, true
		}
	}
	if a.existing != nil {
		delete(a.existing.unanswered, v.r.Address)
		if !declared {
			a.existing.unanswered[v.r.Address] = v.r
		}
	}
	if k.decide != nil {
		for name, val := range k.decide(v, id) {
			if _, have := out[name]; !have {
				out[name] = val
			}
		}
	}
	return out
}
