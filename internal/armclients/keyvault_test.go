package armclients

import (
	"fmt"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

func vaultClients(w *world) *armkeyvault.ClientFactory {
	return must[*armkeyvault.ClientFactory](w.t)(armkeyvault.NewClientFactory(sub, w.cred, w.options))
}

func vaultParameters() armkeyvault.VaultCreateOrUpdateParameters {
	return armkeyvault.VaultCreateOrUpdateParameters{Location: west, Properties: &armkeyvault.VaultProperties{
		TenantID: to.Ptr(cloudtest.Tenant), SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)},
		SoftDeleteRetentionInDays: to.Ptr[int32](7), AccessPolicies: []*armkeyvault.AccessPolicyEntry{},
	}}
}

// vault makes a key vault.
func vault(w *world, name string) armkeyvault.Vault {
	w.t.Helper()
	return await[armkeyvault.VaultsClientCreateOrUpdateResponse](w.t)(vaultClients(w).NewVaultsClient().BeginCreateOrUpdate(w.t.Context(), group, name, vaultParameters(), nil)).Vault
}

func TestVaults(t *testing.T) {
	w := start(t)
	vaults, ctx := vaultClients(w).NewVaultsClient(), t.Context()

	_, err := vaults.Get(ctx, group, "kv-one", nil)
	wantCode(t, "a vault that is not there", err, 404, "ResourceNotFound")
	for _, name := range []string{"kv-one", "kv-two", "kv-three"} {
		if made := vault(w, name); *made.Properties.VaultURI != "https://"+name+".vault.azure.net/" {
			t.Errorf("made %+v", made.Properties)
		}
	}
	taken := must[armkeyvault.VaultsClientCheckNameAvailabilityResponse](t)(vaults.CheckNameAvailability(ctx, armkeyvault.VaultCheckNameAvailabilityParameters{Name: to.Ptr("KV-ONE"), Type: to.Ptr(service.TypeKeyVault)}, nil))
	if *taken.NameAvailable || *taken.Reason != armkeyvault.ReasonAlreadyExists {
		t.Errorf("the name of a vault is said to be free: %+v", taken)
	}
	changed := must[armkeyvault.VaultsClientUpdateResponse](t)(vaults.Update(ctx, group, "kv-one", armkeyvault.VaultPatchParameters{
		Tags: map[string]*string{"env": to.Ptr("test")}, Properties: &armkeyvault.VaultPatchProperties{EnabledForTemplateDeployment: to.Ptr(true)},
	}, nil))
	if *changed.Tags["env"] != "test" || !*changed.Properties.EnabledForTemplateDeployment || *changed.Properties.SoftDeleteRetentionInDays != 7 {
		t.Errorf("changed to %+v", changed.Vault)
	}
	named := func(v *armkeyvault.Vault) *string { return v.Name }
	want := []string{"kv-one", "kv-three", "kv-two"}
	if got := all(t, vaults.NewListByResourceGroupPager(group, nil), func(p armkeyvault.VaultsClientListByResourceGroupResponse) []*armkeyvault.Vault { return p.Value }, named); !slices.Equal(got, want) {
		t.Errorf("the group has %v, want %v", got, want)
	}
	if got := all(t, vaults.NewListBySubscriptionPager(nil), func(p armkeyvault.VaultsClientListBySubscriptionResponse) []*armkeyvault.Vault { return p.Value }, named); !slices.Equal(got, want) {
		t.Errorf("the subscription has %v, want %v", got, want)
	}
	listed := all(t, vaults.NewListPager(nil), func(p armkeyvault.VaultsClientListResponse) []*armkeyvault.Resource { return p.Value }, func(v *armkeyvault.Resource) *string { return v.Name })
	if !slices.Equal(listed, want) {
		t.Errorf("the list of resources has %v, want %v", listed, want)
	}
}

// How long a vault keeps what is deleted is said once, and so is that nothing is purged.
func TestVaultsOnceSet(t *testing.T) {
	w := start(t)
	vaults, ctx := vaultClients(w).NewVaultsClient(), t.Context()
	vault(w, "kv-one")
	for days, want := range map[int32]string{7: "", 8: "BadRequest", 90: "BadRequest"} {
		_, err := vaults.Update(ctx, group, "kv-one", armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{SoftDeleteRetentionInDays: &days}}, nil)
		if want == "" && err != nil {
			t.Errorf("the same %d days: %v", days, err)
		} else if want != "" {
			wantCode(t, fmt.Sprintf("%d days", days), err, 400, want)
		}
		again := vaultParameters()
		again.Properties.SoftDeleteRetentionInDays = &days
		if _, err = vaults.BeginCreateOrUpdate(ctx, group, "kv-one", again, nil); want == "" && err != nil {
			t.Errorf("a vault of the same %d days: %v", days, err)
		} else if want != "" {
			wantCode(t, fmt.Sprintf("a vault of %d days", days), err, 400, want)
		}
	}
	protect := armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{EnablePurgeProtection: to.Ptr(true)}}
	must[armkeyvault.VaultsClientUpdateResponse](t)(vaults.Update(ctx, group, "kv-one", protect, nil))
	silent := vaultParameters()
	silent.Properties.SoftDeleteRetentionInDays = nil
	await[armkeyvault.VaultsClientCreateOrUpdateResponse](t)(vaults.BeginCreateOrUpdate(ctx, group, "kv-one", silent, nil))
	kept := must[armkeyvault.VaultsClientGetResponse](t)(vaults.Get(ctx, group, "kv-one", nil)).Properties
	if *kept.SoftDeleteRetentionInDays != 7 || kept.EnablePurgeProtection == nil || !*kept.EnablePurgeProtection {
		t.Errorf("a vault that says nothing of them again has %+v", kept)
	}
	*protect.Properties.EnablePurgeProtection = false
	_, err := vaults.Update(ctx, group, "kv-one", protect, nil)
	wantCode(t, "purge protection taken back", err, 400, "BadRequest")
}

func TestDeletedVaults(t *testing.T) {
	w := start(t)
	vaults, ctx := vaultClients(w).NewVaultsClient(), t.Context()
	vault(w, "kv-one")
	must[armkeyvault.VaultsClientDeleteResponse](t)(vaults.Delete(ctx, group, "kv-one", nil))
	_, err := vaults.BeginCreateOrUpdate(ctx, group, "kv-one", vaultParameters(), nil)
	wantCode(t, "a vault with the name of a deleted one", err, 409, "ConflictError")

	names := all(t, vaults.NewListDeletedPager(nil), func(p armkeyvault.VaultsClientListDeletedResponse) []*armkeyvault.DeletedVault { return p.Value }, func(v *armkeyvault.DeletedVault) *string { return v.Name })
	if !slices.Equal(names, []string{"kv-one"}) {
		t.Errorf("deleted %v", names)
	}
	got := must[armkeyvault.VaultsClientGetDeletedResponse](t)(vaults.GetDeleted(ctx, "kv-one", "westeurope", nil))
	if days := got.Properties.ScheduledPurgeDate.Sub(*got.Properties.DeletionDate).Hours() / 24; days != 7 {
		t.Errorf("it goes after %v days", days)
	}
	recover := vaultParameters()
	recover.Properties.CreateMode = to.Ptr(armkeyvault.CreateModeRecover)
	await[armkeyvault.VaultsClientCreateOrUpdateResponse](t)(vaults.BeginCreateOrUpdate(ctx, group, "kv-one", recover, nil))
	must[armkeyvault.VaultsClientDeleteResponse](t)(vaults.Delete(ctx, group, "kv-one", nil))
	await[armkeyvault.VaultsClientPurgeDeletedResponse](t)(vaults.BeginPurgeDeleted(ctx, "kv-one", "westeurope", nil))
	_, err = vaults.GetDeleted(ctx, "kv-one", "westeurope", nil)
	wantCode(t, "a purged vault", err, 404, "DeletedVaultNotFound")
	vault(w, "kv-one")
}

func TestAccessPolicies(t *testing.T) {
	w := start(t)
	vaults, ctx := vaultClients(w).NewVaultsClient(), t.Context()
	vault(w, "kv-one")
	entry := func(who string, may ...armkeyvault.SecretPermissions) armkeyvault.VaultAccessPolicyParameters {
		list := []*armkeyvault.SecretPermissions{}
		for _, m := range may {
			list = append(list, &m)
		}
		return armkeyvault.VaultAccessPolicyParameters{Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{{
			TenantID: to.Ptr(cloudtest.Tenant), ObjectID: &who, Permissions: &armkeyvault.Permissions{Secrets: list},
		}}}}
	}
	const one, two = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	for _, step := range []struct {
		what string
		kind armkeyvault.AccessPolicyUpdateKind
		body armkeyvault.VaultAccessPolicyParameters
		want map[string]int
	}{
		{"the first", armkeyvault.AccessPolicyUpdateKindAdd, entry(one, armkeyvault.SecretPermissionsGet), map[string]int{one: 1}},
		{"more of the same", armkeyvault.AccessPolicyUpdateKindAdd, entry(one, armkeyvault.SecretPermissionsList), map[string]int{one: 2}},
		{"another", armkeyvault.AccessPolicyUpdateKindAdd, entry(two, armkeyvault.SecretPermissionsGet), map[string]int{one: 2, two: 1}},
		{"some taken away", armkeyvault.AccessPolicyUpdateKindRemove, entry(one, armkeyvault.SecretPermissionsList), map[string]int{one: 1, two: 1}},
		{"one taken away whole", armkeyvault.AccessPolicyUpdateKindRemove, entry(two, armkeyvault.SecretPermissionsGet), map[string]int{one: 1}},
		{"all replaced", armkeyvault.AccessPolicyUpdateKindReplace, entry(two, armkeyvault.SecretPermissionsGet, armkeyvault.SecretPermissionsSet), map[string]int{two: 2}},
	} {
		out := must[armkeyvault.VaultsClientUpdateAccessPolicyResponse](t)(vaults.UpdateAccessPolicy(ctx, group, "kv-one", step.kind, step.body, nil))
		if out.Properties == nil {
			t.Fatalf("%s: the answer has no policies", step.what)
		}
		got := must[armkeyvault.VaultsClientGetResponse](t)(vaults.Get(ctx, group, "kv-one", nil))
		for who, n := range step.want {
			i := slices.IndexFunc(got.Properties.AccessPolicies, func(e *armkeyvault.AccessPolicyEntry) bool { return *e.ObjectID == who })
			if i < 0 || len(got.Properties.AccessPolicies[i].Permissions.Secrets) != n {
				t.Errorf("%s: %s does not have %d permissions", step.what, who, n)
			}
		}
		if len(got.Properties.AccessPolicies) != len(step.want) {
			t.Errorf("%s: %d policies, want %d", step.what, len(got.Properties.AccessPolicies), len(step.want))
		}
	}
}

func TestVaultConnections(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), vaultClients(w)
	vault(w, "kv-one")
	w.endpoint(id(service.TypeKeyVault, "kv-one"), "vault")

	groups := must[armkeyvault.PrivateLinkResourcesClientListByVaultResponse](t)(clients.NewPrivateLinkResourcesClient().ListByVault(ctx, group, "kv-one", nil))
	if len(groups.Value) != 1 || *groups.Value[0].Properties.GroupID != "vault" || *groups.Value[0].Properties.RequiredZoneNames[0] != "privatelink.vaultcore.azure.net" {
		t.Errorf("private link resources %+v", groups.Value)
	}
	connections := clients.NewPrivateEndpointConnectionsClient()
	names := all(t, connections.NewListByResourcePager(group, "kv-one", nil),
		func(p armkeyvault.PrivateEndpointConnectionsClientListByResourceResponse) []*armkeyvault.PrivateEndpointConnection {
			return p.Value
		},
		func(c *armkeyvault.PrivateEndpointConnection) *string { return c.Name })
	if len(names) != 1 {
		t.Fatalf("connections %v", names)
	}
	put := must[armkeyvault.PrivateEndpointConnectionsClientPutResponse](t)(connections.Put(ctx, group, "kv-one", names[0], armkeyvault.PrivateEndpointConnection{
		Properties: &armkeyvault.PrivateEndpointConnectionProperties{PrivateLinkServiceConnectionState: &armkeyvault.PrivateLinkServiceConnectionState{Status: to.Ptr(armkeyvault.PrivateEndpointServiceConnectionStatusRejected)}},
	}, nil))
	if status := *put.Properties.PrivateLinkServiceConnectionState.Status; status != armkeyvault.PrivateEndpointServiceConnectionStatusRejected {
		t.Errorf("the connection is %s", status)
	}
	await[armkeyvault.PrivateEndpointConnectionsClientDeleteResponse](t)(connections.BeginDelete(ctx, group, "kv-one", names[0], nil))
}
