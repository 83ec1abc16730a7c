//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// breakage takes away one thing that claims stand on.
type breakage struct {
	name string
	// find picks the document that is deleted, or changed by change.
	typ    string
	pick   func(arm.Resource) bool
	change func(arm.Resource) arm.Resource
	// falls are the claims that must fall, each with what its text must say.
	falls map[string]string
}

func breakages(e *arm.Estate) []breakage {
	const networkType = "Microsoft.Network/"
	jump := arm.PrincipalID(machineID(e, "vm-jump"))
	workspace := e.OfType(service.TypeWorkspace)[0]
	return []breakage{
		{
			name: "a zone link is removed",
			typ:  networkType + "privateDnsZones/virtualNetworkLinks",
			pick: func(r arm.Resource) bool {
				return strings.EqualFold(r.ID.Parent().Name(), "privatelink.api.azureml.ms") &&
					strings.Contains(strings.ToLower(string(arm.Ref(r.Properties, "virtualNetwork.id"))), "bastion")
			},
			falls: map[string]string{"score": "unreachable", "proof": "privatelink.api.azureml.ms is not linked"},
		},
		{
			name:  "half of the peering is removed",
			typ:   networkType + "virtualNetworks/virtualNetworkPeerings",
			pick:  func(r arm.Resource) bool { return strings.Contains(strings.ToLower(r.ID.Parent().Name()), "bastion") },
			falls: map[string]string{"score": "unreachable", "proof": "peering"},
		},
		{
			name:   "a security group denies",
			typ:    networkType + "networkSecurityGroups",
			pick:   func(r arm.Resource) bool { return strings.Contains(strings.ToLower(r.Name), "endpoints") },
			change: denyFromJump,
			falls:  map[string]string{"score": "rule deny-jump", "proof": "deny-jump"},
		},
		{
			name:  "the workspace's endpoint is removed",
			typ:   networkType + "privateEndpoints",
			pick:  func(r arm.Resource) bool { return strings.Contains(strings.ToLower(r.Name), "workspace") },
			falls: map[string]string{"score": "unreachable", "proof": "private endpoint"},
		},
		{
			name: "a role is removed",
			typ:  "Microsoft.Authorization/roleAssignments",
			pick: func(r arm.Resource) bool {
				return strings.EqualFold(arm.String(r.Properties, "principalId"), jump) && r.ID.Parent().Equal(workspace.ID)
			},
			falls: map[string]string{"score": "AuthorizationFailed"},
		},
		{
			name: "public access is switched on",
			typ:  service.TypeStorageAccount,
			pick: func(arm.Resource) bool { return true },
			change: func(r arm.Resource) arm.Resource {
				r.Properties = arm.Clone(r.Properties)
				r.Properties["publicNetworkAccess"] = "Enabled"
				if acls, ok := r.Properties["networkAcls"].(map[string]any); ok {
					acls["defaultAction"] = "Allow"
				}
				return r
			},
			falls: map[string]string{"proof": "beside private endpoint pe-blob"},
		},
	}
}

func machineID(e *arm.Estate, name string) arm.ID {
	for _, r := range e.OfType("Microsoft.Compute/virtualMachines") {
		if strings.EqualFold(r.Name, name) {
			return r.ID
		}
	}
	return ""
}

func denyFromJump(r arm.Resource) arm.Resource {
	r.Properties = arm.Clone(r.Properties)
	rules, _ := r.Properties["securityRules"].([]any)
	r.Properties["securityRules"] = append(slices.Clone(rules), map[string]any{
		"name": "deny-jump",
		"properties": map[string]any{
			"priority": float64(100), "direction": "Inbound", "access": "Deny", "protocol": "*",
			"sourceAddressPrefix": "10.20.1.0/24", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*",
		},
	})
	return shiftPriorities(r)
}

// shiftPriorities makes room for a rule at 100.
func shiftPriorities(r arm.Resource) arm.Resource {
	for _, rule := range arm.Objects(r.Properties, "securityRules") {
		properties, _ := rule["properties"].(map[string]any)
		if rule["name"] != "deny-jump" && arm.Int(properties, "priority", 0) == 100 {
			properties["priority"] = float64(101)
		}
	}
	return r
}

// brokenOnPurpose takes one thing away after the other. What stands on it must
// fall, the packets must go on agreeing with the proof, and all must hold again
// when it is put back.
func brokenOnPurpose(t *testing.T, c cloud) {
	e := c.estate(t)
	owner := c.owner(t)
	for _, b := range breakages(e) {
		t.Run(b.name, func(t *testing.T) {
			whole := find(t, e, b.typ, b.pick)
			if b.change != nil {
				if _, err := owner.Put(t.Context(), b.change(whole)); err != nil {
					t.Fatal(err)
				}
			} else if err := owner.Delete(t.Context(), whole.ID); err != nil {
				t.Fatal(err)
			}
			claims := c.claims(t)
			for name, text := range b.falls {
				if claim := claims[name]; claim.Holds || !strings.Contains(claim.Text, text) {
					t.Errorf("the claim %s should fall and say %q: holds %v: %s", name, text, claim.Holds, claim.Text)
				} else {
					t.Logf("%s falls: %s", name, claim.Text)
				}
			}
			if claim := claims["packets"]; !claim.Holds {
				t.Errorf("the packets disagree with the proof: %s", claim.Text)
			}

			putBack(t, c, e, whole)
			allHold(t, c.claims(t))
		})
	}
}

// putBack writes a document and its children as they were.
func putBack(t *testing.T, c cloud, e *arm.Estate, whole arm.Resource) {
	t.Helper()
	owner := c.owner(t)
	for _, r := range e.InOrder() {
		if !r.ID.Within(whole.ID) {
			continue
		}
		if _, err := owner.Put(t.Context(), r); err != nil {
			t.Fatalf("putting %s back: %v", r.ID, err)
		}
	}
}
