package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

const actionWrapKey = "Microsoft.KeyVault/vaults/keys/wrap/action"

// keysUsable requires of whatever is encrypted with a customer-managed key of a
// vault of the estate that the identity which it names may use the key.
func keysUsable(w *world) []Requirement {
	var out []Requirement
	for _, typ := range []string{service.TypeStorageAccount, service.TypeWorkspace, service.TypeRegistry} {
		for _, doc := range w.estate.OfType(typ) {
			vault, ok := w.keyVaultOf(doc)
			if !ok {
				continue
			}
			who, name := w.keyIdentity(doc)
			v := w.access.Allows(who, actionWrapKey, true, vault.ID)
			r := w.configured("key-usable", doc, fmt.Sprintf("%s may use the key of %s that encrypts it", doc.Name, vault.Name), v.Value, v.Decisive().Reason,
				fmt.Sprintf("give %s the role Key Vault Crypto Service Encryption User on %s: azurerm_role_assignment", name, vault.Name))
			if v.Value == verdict.No {
				r.Reason = fmt.Sprintf("%s is encrypted with a key of %s, and %s may not use it: %s", doc.Name, vault.Name, name, v.Decisive().Reason)
			}
			out = append(out, r)
		}
	}
	return out
}

// keyVaultOf is the vault that a service's key is in, told by its id or host name.
func (w *world) keyVaultOf(doc arm.Resource) (arm.Resource, bool) {
	if id := arm.Ref(doc.Properties, "encryption.keyVaultProperties.keyVaultArmId"); id != "" {
		return w.estate.Get(id)
	}
	// A key's identifier has a version that only deployment gives; what it is made
	// from names the key.
	if u, ok := arm.UnknownAt(doc.Properties, "encryption.keyvaultproperties"); ok {
		for _, key := range w.estate.OfType("Microsoft.KeyVault/vaults/keys") {
			if a := key.Source.Address; a != "" && strings.HasPrefix(u.Expression, a+".") {
				return w.estate.Get(key.ID.Parent())
			}
		}
	}
	uri := arm.String(doc.Properties, "encryption.keyvaultproperties.keyvaulturi")
	if uri == "" {
		uri = arm.String(doc.Properties, "encryption.keyVaultProperties.keyIdentifier")
	}
	host := strings.TrimPrefix(uri, "https://")
	name, _, _ := strings.Cut(host, ".")
	for _, v := range w.estate.OfType(service.TypeKeyVault) {
		if name != "" && strings.EqualFold(v.Name, name) {
			return v, true
		}
	}
	return arm.Resource{}, false
}

// keyIdentity is the object id that a service reads its key as, and its name: that of
// the identity's own document, or what the service's document says of it.
func (w *world) keyIdentity(doc arm.Resource) (id, name string) {
	for _, path := range []string{"encryption.identity.userAssignedIdentity", "encryption.keyVaultProperties.identity"} {
		ref := arm.Ref(doc.Properties, path)
		if ref == "" {
			continue
		}
		if id, ok := w.access.ObjectID(ref); ok {
			return id, ref.Name()
		}
		return elsewhere(doc, ref), ref.Name()
	}
	return w.access.IdentityOf(doc), doc.Name
}

// elsewhere is the object id of an identity that is not in the estate, as a document
// that has it says.
func elsewhere(doc arm.Resource, ref arm.ID) string {
	if doc.Identity != nil {
		for user, o := range doc.Identity.User {
			if said := arm.String(o, "principalId"); arm.ID(user).Equal(ref) && said != "" {
				return said
			}
		}
	}
	return arm.PrincipalID(ref)
}
