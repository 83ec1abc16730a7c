package storage

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
	namePattern = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	skus        = []string{
		"Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Premium_LRS", "Premium_ZRS", "Standard_GZRS", "Standard_RAGZRS",
	}
	kinds = []string{"Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"}
)

// prepare checks a storage account and fills in what Azure fills in.
func prepare(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(view, r); err != nil {
		return r, err
	}
	if err := oneOf("sku.name", arm.String(r.SKU, "name"), skus); err != nil {
		return r, err
	}
	if r.Kind == "" {
		r.Kind = "StorageV2"
	}
	if err := oneOf("kind", r.Kind, kinds); err != nil {
		return r, err
	}
	r.Properties = arm.Clone(r.Properties)
	if r.Properties == nil {
		r.Properties = arm.Object{}
	}
	if err := checkProperties(old, r); err != nil {
		return r, err
	}
	r.SKU = arm.Clone(r.SKU)
	r.SKU["tier"], _, _ = strings.Cut(arm.String(r.SKU, "name"), "_")
	fill(r, old)
	return r, nil
}

func checkName(view cloud.View, r arm.Resource) error {
	if !namePattern.MatchString(r.Name) {
		return cloud.Errorf(http.StatusBadRequest, "AccountNameInvalid",
			"%s is not a valid storage account name: it must have 3 to 24 characters, only lower-case letters and digits", r.Name)
	}
	for _, other := range view.Estate().OfType(service.TypeStorageAccount) {
		if strings.EqualFold(other.Name, r.Name) && !other.ID.Equal(r.ID) {
			return cloud.Errorf(http.StatusConflict, "StorageAccountAlreadyTaken", "the storage account named %s is already taken, by %s", r.Name, other.ID)
		}
	}
	return nil
}

func oneOf(what, value string, allowed []string) error {
	if slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, value) }) {
		return nil
	}
	return cloud.Errorf(http.StatusBadRequest, "InvalidValuesForRequestParameters", "%s %q is not one of %s", what, value, strings.Join(allowed, ", "))
}

// choices are the properties that have a fixed set of values.
var choices = map[string][]string{
	"accessTier":                {"Hot", "Cool", "Cold", "Premium"},
	"minimumTlsVersion":         {"TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"},
	"publicNetworkAccess":       {"Enabled", "Disabled", "SecuredByPerimeter"},
	"networkAcls.defaultAction": {"Allow", "Deny"},
}

func checkProperties(old *arm.Resource, r arm.Resource) error {
	for path, allowed := range choices {
		if v := arm.String(r.Properties, path); v != "" {
			if err := oneOf("properties."+path, v, allowed); err != nil {
				return err
			}
		}
	}
	if !arm.Bool(r.Properties, "supportsHttpsTrafficOnly", true) {
		return cloud.Errorf(http.StatusBadRequest, "FeatureNotSupported", "supportsHttpsTrafficOnly false: accounts are served over TLS only")
	}
	if old != nil && arm.Bool(old.Properties, "isHnsEnabled", false) != arm.Bool(r.Properties, "isHnsEnabled", false) {
		return cloud.Errorf(http.StatusBadRequest, "AccountPropertyIsReadOnly", "isHnsEnabled cannot be changed on an existing account")
	}
	return nil
}

// fill sets the defaults and the properties that Azure computes.
func fill(r arm.Resource, old *arm.Resource) {
	p, region := r.Properties, service.Region(r.Location)
	defaults := map[string]any{
		"accessTier":               "Hot",
		"allowBlobPublicAccess":    false,
		"minimumTlsVersion":        "TLS1_0",
		"supportsHttpsTrafficOnly": true,
		"networkAcls":              arm.Object{},
	}
	for name, value := range defaults {
		if _, ok := arm.Lookup(p, name); !ok {
			p[name] = value
		}
	}
	if acls, ok := p["networkAcls"].(map[string]any); ok {
		for name, value := range map[string]any{
			"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": []any{}, "virtualNetworkRules": []any{},
		} {
			if acls[name] == nil {
				acls[name] = value
			}
		}
	}
	endpoints := arm.Object{}
	for _, ep := range service.Endpoints(r) {
		endpoints[ep.Service] = "https://" + ep.Host + "/"
	}
	p["primaryEndpoints"] = endpoints
	p["primaryLocation"] = region
	p["statusOfPrimary"] = "available"
	p["creationTime"] = time.Now().UTC().Format(time.RFC3339)
	if old != nil {
		if made := arm.String(old.Properties, "creationTime"); made != "" {
			p["creationTime"] = made
		}
	}
}
