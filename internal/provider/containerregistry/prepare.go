package containerregistry

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

var (
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9]{5,50}$`)
	skus        = []string{"Basic", "Standard", "Premium"}
)

// prepare checks a registry and fills in what Azure fills in.
func prepare(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !namePattern.MatchString(r.Name) {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidRegistryName", "%q is not a registry's name: it must have 5 to 50 letters and digits", r.Name)
	}
	for _, other := range view.Estate().OfType(service.TypeRegistry) {
		if strings.EqualFold(other.Name, r.Name) && !other.ID.Equal(r.ID) {
			return r, cloud.Errorf(http.StatusConflict, "AlreadyInUse", "the registry DNS name %s.azurecr.io is already in use, by %s", strings.ToLower(r.Name), other.ID)
		}
	}
	if arm.Bool(r.Properties, "anonymousPullEnabled", false) {
		return r, cloud.Errorf(http.StatusBadRequest, "FeatureNotSupported", "anonymousPullEnabled is not offered: every pull is by somebody who may")
	}
	sku, err := canonicalSKU(r)
	if err != nil {
		return r, err
	}
	r.SKU = arm.Object{"name": sku, "tier": sku}
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	if sku != "Premium" {
		if err := checkBelowPremium(r.Properties, sku); err != nil {
			return r, err
		}
	}
	fill(r, old, sku)
	return r, nil
}

func canonicalSKU(r arm.Resource) (string, error) {
	name := arm.String(r.SKU, "name")
	i := slices.IndexFunc(skus, func(s string) bool { return strings.EqualFold(s, name) })
	if i < 0 {
		return "", cloud.Errorf(http.StatusBadRequest, "InvalidSku", "sku.name %q is not one of %s", name, strings.Join(skus, ", "))
	}
	return skus[i], nil
}

// checkBelowPremium refuses what only the Premium tier has.
func checkBelowPremium(p arm.Object, sku string) error {
	for what, wanted := range map[string]bool{
		"publicNetworkAccess Disabled":      strings.EqualFold(arm.String(p, "publicNetworkAccess"), "Disabled"),
		"networkRuleSet.defaultAction Deny": strings.EqualFold(arm.String(p, "networkRuleSet.defaultAction"), "Deny"),
		"dataEndpointEnabled":               arm.Bool(p, "dataEndpointEnabled", false),
		"zoneRedundancy Enabled":            strings.EqualFold(arm.String(p, "zoneRedundancy"), "Enabled"),
	} {
		if wanted {
			return cloud.Errorf(http.StatusBadRequest, "FeatureNotSupportedInSku", "%s is offered for the sku Premium, and this registry has %s", what, sku)
		}
	}
	return nil
}

// fill sets the defaults and the properties that Azure computes.
func fill(r arm.Resource, old *arm.Resource, sku string) {
	p := r.Properties
	disabled := func(more arm.Object) arm.Object {
		more["status"] = "disabled"
		return more
	}
	defaults := map[string]any{
		"adminUserEnabled": false, "anonymousPullEnabled": false, "dataEndpointEnabled": false,
		"publicNetworkAccess": "Enabled", "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled",
		"encryption": disabled(arm.Object{}),
		"policies": arm.Object{
			"quarantinePolicy":                 disabled(arm.Object{}),
			"trustPolicy":                      disabled(arm.Object{"type": "Notary"}),
			"retentionPolicy":                  disabled(arm.Object{"days": 7.0}),
			"exportPolicy":                     arm.Object{"status": "enabled"},
			"azureADAuthenticationAsArmPolicy": arm.Object{"status": "enabled"},
			"softDeletePolicy":                 disabled(arm.Object{"retentionDays": 7.0}),
		},
	}
	if sku == "Premium" {
		defaults["networkRuleSet"] = arm.Object{"defaultAction": "Allow", "ipRules": []any{}}
	}
	merge(p, defaults)
	hosts := []any{}
	for _, ep := range service.Endpoints(r) {
		switch {
		case ep.Service == "registry":
			p["loginServer"] = ep.Host
		case arm.Bool(p, "dataEndpointEnabled", false):
			hosts = append(hosts, ep.Host)
		}
	}
	p["dataEndpointHostNames"] = hosts
	p["creationDate"] = time.Now().UTC().Format(time.RFC3339)
	if old != nil {
		if made := arm.String(old.Properties, "creationDate"); made != "" {
			p["creationDate"] = made
		}
	}
}

// merge sets what is missing in p, and in the objects that both have.
func merge(p arm.Object, defaults map[string]any) {
	for name, value := range defaults {
		have, ok := arm.Lookup(p, name)
		if !ok {
			p[name] = value
			continue
		}
		if inner, ok := have.(map[string]any); ok {
			if more, ok := value.(map[string]any); ok {
				merge(inner, more)
			}
		}
	}
}
