package check

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// Who a storage account reads its key as, and whether that may: the object id of an
// identity that is there already is Azure's own.
func TestKeyUsable(t *testing.T) {
	const (
		real  = "0f0e0d0c-1111-4222-8333-444455556666"
		crypt = "e147488a-f6f5-4113-8e2d-b22465e65bf6" // Key Vault Crypto Service Encryption User
	)
	identity := rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id-encryption")
	here := func(principal any) func(*draft) {
		return func(d *draft) { d.add(identity, arm.Object{"principalId": principal}) }
	}
	elsewhere := func(principal any) func(*draft) {
		return func(d *draft) {
			user := arm.Object{}
			if principal != nil {
				user["principalId"] = principal
			}
			d.get(storageID).Identity = &arm.Identity{Type: "UserAssigned", User: map[string]arm.Object{strings.ToUpper(string(identity)): user}}
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*draft)
		granted string
		want    Outcome
		because string
	}{
		{"the identity's own id", here(real), real, Holds, ""},
		{"what stands for it", here(real), arm.PrincipalID(identity), Violated, "id-encryption may not use it"},
		{"an identity that is not deployed", here(arm.Unknown{Expression: "x"}), arm.PrincipalID(identity), Holds, ""},
		{"elsewhere, with its id", elsewhere(real), real, Holds, ""},
		{"elsewhere, with its id, and not granted", elsewhere(real), "", Unknown, "not of the estate"},
		{"elsewhere", elsewhere(nil), real, Unknown, "not of the estate"},
		{"elsewhere, as a reader stands in", elsewhere(arm.PrincipalID(identity)), real, Unknown, "not of the estate"},
		{"elsewhere, granted as a reader stands in", elsewhere(nil), arm.PrincipalID(identity), Holds, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			d.get(storageID).Properties["encryption"] = arm.Object{
				"identity":           arm.Object{"userAssignedIdentity": string(identity)},
				"keyVaultProperties": arm.Object{"keyIdentifier": "https://" + vaultID.Name() + ".vault.azure.net/keys/k"},
			}
			c.change(d)
			if c.granted != "" {
				d.add(vaultID.Extension("Microsoft.Authorization", "roleAssignments", "key"), arm.Object{"principalId": c.granted, "roleDefinitionId": crypt})
			}
			found := false
			for _, q := range prove(t, d).Requirements {
				if q.Rule != "key-usable" {
					continue
				}
				found = true
				if q.Outcome != c.want || !strings.Contains(q.Reason, c.because) {
					t.Errorf("it is %s, and should be %s: %s", q.Outcome, c.want, q.Reason)
				}
			}
			if !found {
				t.Error("nothing is required of the key")
			}
		})
	}
}

// A question finds an identity that is there already by its name.
func TestIdentityWithItsOwnObjectID(t *testing.T) {
	const real = "0f0e0d0c-1111-4222-8333-444455556666"
	d := secured()
	d.add(rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id-there"), arm.Object{"principalId": real})
	if id, err := newWorld(d.estate(t)).identity("id-there"); err != nil || id != real {
		t.Errorf("it is %q, %v", id, err)
	}
}
