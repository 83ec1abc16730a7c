package armclients

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/cloister-ml/cloister/service"
)

func registryClients(w *world) *armcontainerregistry.ClientFactory {
	return must[*armcontainerregistry.ClientFactory](w.t)(armcontainerregistry.NewClientFactory(sub, w.cred, w.options))
}

// registry makes a container registry.
func registry(w *world, name string) armcontainerregistry.Registry {
	w.t.Helper()
	return await[armcontainerregistry.RegistriesClientCreateResponse](w.t)(registryClients(w).NewRegistriesClient().BeginCreate(w.t.Context(), group, name, armcontainerregistry.Registry{
		Location: west, SKU: &armcontainerregistry.SKU{Name: to.Ptr(armcontainerregistry.SKUNamePremium)},
		Properties: &armcontainerregistry.RegistryProperties{AdminUserEnabled: to.Ptr(true)},
	}, nil)).Registry
}

func TestRegistries(t *testing.T) {
	w := start(t)
	registries, ctx := registryClients(w).NewRegistriesClient(), t.Context()

	free := must[armcontainerregistry.RegistriesClientCheckNameAvailabilityResponse](t)(registries.CheckNameAvailability(ctx, armcontainerregistry.RegistryNameCheckRequest{
		Name: to.Ptr("crone"), Type: to.Ptr(service.TypeRegistry),
	}, nil))
	if !*free.NameAvailable {
		t.Error("the name is not free")
	}
	made := registry(w, "crone")
	if *made.Properties.LoginServer != "crone.azurecr.io" || *made.SKU.Tier != armcontainerregistry.SKUTierPremium {
		t.Errorf("made %+v %+v", made.Properties, made.SKU)
	}
	registry(w, "crtwo")
	registry(w, "crthree")
	changed := await[armcontainerregistry.RegistriesClientUpdateResponse](t)(registries.BeginUpdate(ctx, group, "crone", armcontainerregistry.RegistryUpdateParameters{
		Tags:       map[string]*string{"env": to.Ptr("test")},
		Properties: &armcontainerregistry.RegistryPropertiesUpdateParameters{PublicNetworkAccess: to.Ptr(armcontainerregistry.PublicNetworkAccessDisabled)},
	}, nil))
	if *changed.Tags["env"] != "test" || *changed.Properties.PublicNetworkAccess != armcontainerregistry.PublicNetworkAccessDisabled || !*changed.Properties.AdminUserEnabled {
		t.Errorf("changed to %+v", changed.Registry)
	}
	names := all(t, registries.NewListPager(nil), func(p armcontainerregistry.RegistriesClientListResponse) []*armcontainerregistry.Registry {
		return p.Value
	},
		func(r *armcontainerregistry.Registry) *string { return r.Name })
	if want := []string{"crone", "crthree", "crtwo"}; !slices.Equal(names, want) {
		t.Errorf("the subscription has %v, want %v", names, want)
	}

	before := must[armcontainerregistry.RegistriesClientListCredentialsResponse](t)(registries.ListCredentials(ctx, group, "crone", nil))
	after := must[armcontainerregistry.RegistriesClientRegenerateCredentialResponse](t)(registries.RegenerateCredential(ctx, group, "crone", armcontainerregistry.RegenerateCredentialParameters{
		Name: to.Ptr(armcontainerregistry.PasswordNamePassword2),
	}, nil))
	if *before.Username != "crone" || *before.Passwords[0].Value != *after.Passwords[0].Value || *before.Passwords[1].Value == *after.Passwords[1].Value {
		t.Error("password2 was to be made anew, and the other not")
	}
	usages := must[armcontainerregistry.RegistriesClientListUsagesResponse](t)(registries.ListUsages(ctx, group, "crone", nil))
	i := slices.IndexFunc(usages.Value, func(u *armcontainerregistry.RegistryUsage) bool { return *u.Name == "Size" })
	if i < 0 || *usages.Value[i].CurrentValue != 0 || *usages.Value[i].Unit != armcontainerregistry.RegistryUsageUnitBytes {
		t.Errorf("usages of an empty registry: %+v", usages.Value)
	}

	await[armcontainerregistry.RegistriesClientDeleteResponse](t)(registries.BeginDelete(ctx, group, "crone", nil))
	_, err := registries.Get(ctx, group, "crone", nil)
	wantCode(t, "a deleted registry", err, 404, "ResourceNotFound")
}

// A registry is in one region: what Azure would replicate is refused. Webhooks are
// kept, and call nobody.
func TestRegistryChildren(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), registryClients(w)
	registry(w, "crone")
	_, err := clients.NewReplicationsClient().BeginCreate(ctx, group, "crone", "northeurope", armcontainerregistry.Replication{Location: to.Ptr("northeurope")}, nil)
	wantCode(t, "a replication", err, 400, "FeatureNotSupported")
	names := all(t, clients.NewReplicationsClient().NewListPager(group, "crone", nil), func(p armcontainerregistry.ReplicationsClientListResponse) []*armcontainerregistry.Replication {
		return p.Value
	},
		func(r *armcontainerregistry.Replication) *string { return r.Name })
	if len(names) != 0 {
		t.Errorf("replications %v", names)
	}

	hooks := clients.NewWebhooksClient()
	await[armcontainerregistry.WebhooksClientCreateResponse](t)(hooks.BeginCreate(ctx, group, "crone", "pushed", armcontainerregistry.WebhookCreateParameters{
		Location: west, Properties: &armcontainerregistry.WebhookPropertiesCreateParameters{ServiceURI: to.Ptr("https://example.com"), Actions: []*armcontainerregistry.WebhookAction{to.Ptr(armcontainerregistry.WebhookActionPush)}},
	}, nil))
	changed := await[armcontainerregistry.WebhooksClientUpdateResponse](t)(hooks.BeginUpdate(ctx, group, "crone", "pushed", armcontainerregistry.WebhookUpdateParameters{
		Properties: &armcontainerregistry.WebhookPropertiesUpdateParameters{Status: to.Ptr(armcontainerregistry.WebhookStatusDisabled)},
	}, nil))
	if *changed.Properties.Status != armcontainerregistry.WebhookStatusDisabled || len(changed.Properties.Actions) != 1 {
		t.Errorf("changed to %+v", changed.Properties)
	}
	_, err = hooks.Ping(ctx, group, "crone", "pushed", nil)
	wantCode(t, "a ping", err, 404, "InvalidAction")
	await[armcontainerregistry.WebhooksClientDeleteResponse](t)(hooks.BeginDelete(ctx, group, "crone", "pushed", nil))
	left := all(t, hooks.NewListPager(group, "crone", nil), func(p armcontainerregistry.WebhooksClientListResponse) []*armcontainerregistry.Webhook {
		return p.Value
	},
		func(r *armcontainerregistry.Webhook) *string { return r.Name })
	if len(left) != 0 {
		t.Errorf("webhooks %v", left)
	}
}

func TestRegistryConnections(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), registryClients(w)
	registry(w, "crone")
	w.endpoint(id(service.TypeRegistry, "crone"), "registry")
	links := all(t, clients.NewRegistriesClient().NewListPrivateLinkResourcesPager(group, "crone", nil),
		func(p armcontainerregistry.RegistriesClientListPrivateLinkResourcesResponse) []*armcontainerregistry.PrivateLinkResource {
			return p.Value
		},
		func(r *armcontainerregistry.PrivateLinkResource) *string { return r.Properties.GroupID })
	if !slices.Equal(links, []string{"registry"}) {
		t.Errorf("private link resources %v", links)
	}
	connections := clients.NewPrivateEndpointConnectionsClient()
	names := all(t, connections.NewListPager(group, "crone", nil),
		func(p armcontainerregistry.PrivateEndpointConnectionsClientListResponse) []*armcontainerregistry.PrivateEndpointConnection {
			return p.Value
		},
		func(c *armcontainerregistry.PrivateEndpointConnection) *string { return c.Name })
	if len(names) != 1 {
		t.Fatalf("connections %v", names)
	}
	put := await[armcontainerregistry.PrivateEndpointConnectionsClientCreateOrUpdateResponse](t)(connections.BeginCreateOrUpdate(ctx, group, "crone", names[0], armcontainerregistry.PrivateEndpointConnection{
		Properties: &armcontainerregistry.PrivateEndpointConnectionProperties{PrivateLinkServiceConnectionState: &armcontainerregistry.PrivateLinkServiceConnectionState{Status: to.Ptr(armcontainerregistry.ConnectionStatusApproved)}},
	}, nil))
	if status := *put.Properties.PrivateLinkServiceConnectionState.Status; status != armcontainerregistry.ConnectionStatusApproved {
		t.Errorf("the connection is %s", status)
	}
	await[armcontainerregistry.PrivateEndpointConnectionsClientDeleteResponse](t)(connections.BeginDelete(ctx, group, "crone", names[0], nil))
}
