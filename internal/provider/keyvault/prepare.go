package keyvault

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

var namePattern = regexp.MustCompile(`^[a-zA-Z](-?[a-zA-Z0-9])+$`)

// prepare checks a vault and fills in what Azure fills in.
func (vs *vaults) prepare(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if len(r.Name) < 3 || len(r.Name) > 24 || !namePattern.MatchString(r.Name) {
		return r, badRequest("VaultNameNotValid", "the vault name %q is invalid: it must have 3 to 24 letters, digits and hyphens, begin with a letter, end with a letter or digit and have no two hyphens in a row", r.Name)
	}
	for _, other := range view.Estate().OfType(service.TypeKeyVault) {
		if strings.EqualFold(other.Name, r.Name) && !other.ID.Equal(r.ID) {
			return r, cloud.Errorf(http.StatusConflict, "VaultAlreadyExists", "the vault name %q is already in use, by %s", r.Name, other.ID)
		}
	}
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	p := r.Properties
	if old != nil {
		keep(old.Properties, p)
	}
	if _, err := uuid.Parse(arm.String(p, "tenantId")); err != nil {
		return r, badRequest("InvalidTenantId", "properties.tenantId %q is not a GUID", arm.String(p, "tenantId"))
	}
	sku := strings.ToLower(arm.String(p, "sku.name"))
	if sku != "standard" && sku != "premium" {
		return r, badRequest("InvalidSku", "properties.sku.name %q is not standard or premium", arm.String(p, "sku.name"))
	}
	if err := checkDeletion(old, p); err != nil {
		return r, err
	}
	if old == nil {
		if err := vs.checkDeleted(r); err != nil {
			return r, err
		}
	}
	delete(p, "createMode") // says what a PUT is, and nothing of the vault
	p["sku"] = arm.Object{"family": "A", "name": sku}
	fill(r)
	return r, nil
}

func badRequest(code, format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, code, format, args...)
}

// once are the properties that hold for a vault's life when they have been set: a
// document that leaves them away leaves them as they are.
var once = []string{"softDeleteRetentionInDays", "enablePurgeProtection"}

func keep(old, p arm.Object) {
	for _, name := range once {
		if v, given := old[name]; given && p[name] == nil {
			p[name] = v
		}
	}
}

// checkDeletion checks what protects secrets from deletion, some of which cannot
// be taken back.
func checkDeletion(old *arm.Resource, p arm.Object) error {
	if !arm.Bool(p, "enableSoftDelete", true) {
		return badRequest("BadRequest", "properties.enableSoftDelete cannot be false: every vault keeps what is deleted")
	}
	if days := arm.Int(p, "softDeleteRetentionInDays", defaultRetention); days < 7 || days > 90 {
		return badRequest("BadRequest", "properties.softDeleteRetentionInDays %d is not from 7 to 90", days)
	}
	if old != nil && arm.Int(p, "softDeleteRetentionInDays", 0) != arm.Int(old.Properties, "softDeleteRetentionInDays", 0) {
		return badRequest("BadRequest", `The property "softDeleteRetentionInDays" has been set already and it can't be modified.`)
	}
	if v, ok := arm.Lookup(p, "enablePurgeProtection"); ok && v == false {
		if old == nil {
			return badRequest("BadRequest", "properties.enablePurgeProtection cannot be set to false: leave it away")
		}
		if arm.Bool(old.Properties, "enablePurgeProtection", false) {
			return badRequest("BadRequest", "properties.enablePurgeProtection cannot be set to false once it is true")
		}
	}
	return nil
}

const defaultRetention = 90

func fill(r arm.Resource) {
	p := r.Properties
	for name, value := range map[string]any{
		"enableSoftDelete": true, "softDeleteRetentionInDays": float64(defaultRetention), "enableRbacAuthorization": false,
		"enabledForDeployment": false, "accessPolicies": []any{}, "publicNetworkAccess": "Enabled",
	} {
		if _, ok := arm.Lookup(p, name); !ok {
			p[name] = value
		}
	}
	if acls, ok := p["networkAcls"].(map[string]any); ok {
		for name, value := range map[string]any{"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": []any{}, "virtualNetworkRules": []any{}} {
			if acls[name] == nil {
				acls[name] = value
			}
		}
	}
	for _, ep := range service.Endpoints(r) {
		p["vaultUri"] = "https://" + ep.Host + "/"
	}
}
