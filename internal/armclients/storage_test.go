package armclients

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"

	"github.com/cloister-ml/cloister/service"
)

func storageClients(w *world) *armstorage.ClientFactory {
	return must[*armstorage.ClientFactory](w.t)(armstorage.NewClientFactory(sub, w.cred, w.options))
}

// account makes a storage account.
func account(w *world, name string) armstorage.Account {
	w.t.Helper()
	return await[armstorage.AccountsClientCreateResponse](w.t)(storageClients(w).NewAccountsClient().BeginCreate(w.t.Context(), group, name, armstorage.AccountCreateParameters{
		Kind: to.Ptr(armstorage.KindStorageV2), Location: west, SKU: &armstorage.SKU{Name: to.Ptr(armstorage.SKUNameStandardLRS)},
		Properties: &armstorage.AccountPropertiesCreateParameters{AllowSharedKeyAccess: to.Ptr(true), MinimumTLSVersion: to.Ptr(armstorage.MinimumTLSVersionTLS12)},
	}, nil)).Account
}

func TestStorageAccounts(t *testing.T) {
	w := start(t)
	accounts, ctx := storageClients(w).NewAccountsClient(), t.Context()

	_, err := accounts.GetProperties(ctx, group, "stsdkone", nil)
	wantCode(t, "an account that is not there", err, 404, "ResourceNotFound")
	free := must[armstorage.AccountsClientCheckNameAvailabilityResponse](t)(accounts.CheckNameAvailability(ctx, armstorage.AccountCheckNameAvailabilityParameters{
		Name: to.Ptr("stsdkone"), Type: to.Ptr(service.TypeStorageAccount),
	}, nil))
	if !*free.NameAvailable {
		t.Error("the name is not free")
	}
	made := account(w, "stsdkone")
	if *made.Properties.ProvisioningState != armstorage.ProvisioningStateSucceeded || *made.Properties.PrimaryEndpoints.Blob != "https://stsdkone.blob.core.windows.net/" {
		t.Errorf("made %+v", made.Properties)
	}
	account(w, "stsdktwo")
	account(w, "stsdkthree")

	changed := must[armstorage.AccountsClientUpdateResponse](t)(accounts.Update(ctx, group, "stsdkone", armstorage.AccountUpdateParameters{
		Tags:       map[string]*string{"env": to.Ptr("test")},
		Properties: &armstorage.AccountPropertiesUpdateParameters{PublicNetworkAccess: to.Ptr(armstorage.PublicNetworkAccessDisabled)},
	}, nil))
	if *changed.Tags["env"] != "test" || *changed.Properties.PublicNetworkAccess != armstorage.PublicNetworkAccessDisabled || *changed.Kind != armstorage.KindStorageV2 {
		t.Errorf("changed to %+v", changed.Account)
	}
	got := must[armstorage.AccountsClientGetPropertiesResponse](t)(accounts.GetProperties(ctx, group, "STSDKONE", nil))
	if *got.ID != string(id(service.TypeStorageAccount, "stsdkone")) {
		t.Errorf("the id is %s", *got.ID)
	}

	names := all(t, accounts.NewListByResourceGroupPager(group, nil),
		func(p armstorage.AccountsClientListByResourceGroupResponse) []*armstorage.Account { return p.Value },
		func(a *armstorage.Account) *string { return a.Name })
	if want := []string{"stsdkone", "stsdkthree", "stsdktwo"}; !slices.Equal(names, want) {
		t.Errorf("the group has %v, want %v", names, want)
	}

	before := must[armstorage.AccountsClientListKeysResponse](t)(accounts.ListKeys(ctx, group, "stsdkone", nil)).Keys
	after := must[armstorage.AccountsClientRegenerateKeyResponse](t)(accounts.RegenerateKey(ctx, group, "stsdkone", armstorage.AccountRegenerateKeyParameters{KeyName: to.Ptr("key1")}, nil)).Keys
	if len(before) != 2 || *before[0].Value == *after[0].Value || *before[1].Value != *after[1].Value {
		t.Error("key1 was to be made anew, and key2 not")
	}

	must[armstorage.AccountsClientDeleteResponse](t)(accounts.Delete(ctx, group, "stsdkone", nil))
	must[armstorage.AccountsClientDeleteResponse](t)(accounts.Delete(ctx, group, "stsdkone", nil))
	_, err = accounts.GetProperties(ctx, group, "stsdkone", nil)
	wantCode(t, "a deleted account", err, 404, "ResourceNotFound")
	_, err = accounts.ListKeys(ctx, group, "stsdkone", nil)
	wantCode(t, "a deleted account's keys", err, 404, "ResourceNotFound")
	_, err = accounts.BeginCreate(ctx, group, "no_underscores", armstorage.AccountCreateParameters{Kind: to.Ptr(armstorage.KindStorageV2), Location: west, SKU: &armstorage.SKU{Name: to.Ptr(armstorage.SKUNameStandardLRS)}}, nil)
	wantCode(t, "a name that is none", err, 400, "AccountNameInvalid")
}

func TestBlobContainers(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), storageClients(w)
	account(w, "stsdkone")
	services, containers := clients.NewBlobServicesClient(), clients.NewBlobContainersClient()

	set := must[armstorage.BlobServicesClientSetServicePropertiesResponse](t)(services.SetServiceProperties(ctx, group, "stsdkone", armstorage.BlobServiceProperties{
		BlobServiceProperties: &armstorage.BlobServicePropertiesProperties{
			DeleteRetentionPolicy: &armstorage.DeleteRetentionPolicy{Enabled: to.Ptr(true), Days: to.Ptr[int32](9)},
		},
	}, nil))
	if *set.BlobServiceProperties.BlobServiceProperties.DeleteRetentionPolicy.Days != 9 {
		t.Errorf("set to %+v", set)
	}
	got := must[armstorage.BlobServicesClientGetServicePropertiesResponse](t)(services.GetServiceProperties(ctx, group, "stsdkone", nil))
	if days := got.BlobServiceProperties.BlobServiceProperties.DeleteRetentionPolicy.Days; days == nil || *days != 9 {
		t.Errorf("deleted blobs are kept %v days", days)
	}

	for _, name := range []string{"data", "models", "runs"} {
		made := must[armstorage.BlobContainersClientCreateResponse](t)(containers.Create(ctx, group, "stsdkone", name, armstorage.BlobContainer{}, nil))
		if *made.Name != name {
			t.Errorf("made %s", *made.Name)
		}
	}
	changed := must[armstorage.BlobContainersClientUpdateResponse](t)(containers.Update(ctx, group, "stsdkone", "data", armstorage.BlobContainer{
		ContainerProperties: &armstorage.ContainerProperties{Metadata: map[string]*string{"owner": to.Ptr("ml")}},
	}, nil))
	one := must[armstorage.BlobContainersClientGetResponse](t)(containers.Get(ctx, group, "stsdkone", "data", nil))
	if one.ContainerProperties.Metadata["owner"] == nil || *one.ContainerProperties.Metadata["owner"] != "ml" || one.Etag == nil || *changed.Name != "data" {
		t.Errorf("got %+v", one.BlobContainer)
	}
	names := all(t, containers.NewListPager(group, "stsdkone", &armstorage.BlobContainersClientListOptions{Maxpagesize: to.Ptr("2")}),
		func(p armstorage.BlobContainersClientListResponse) []*armstorage.ListContainerItem { return p.Value },
		func(c *armstorage.ListContainerItem) *string { return c.Name })
	if want := []string{"data", "models", "runs"}; !slices.Equal(names, want) {
		t.Errorf("the account has %v, want %v", names, want)
	}
	must[armstorage.BlobContainersClientDeleteResponse](t)(containers.Delete(ctx, group, "stsdkone", "runs", nil))
	_, err := containers.Get(ctx, group, "stsdkone", "runs", nil)
	wantCode(t, "a deleted container", err, 404, "ContainerNotFound")
}

func TestStorageConnections(t *testing.T) {
	w := start(t)
	ctx, connections := t.Context(), storageClients(w).NewPrivateEndpointConnectionsClient()
	account(w, "stsdkone")
	w.endpoint(id(service.TypeStorageAccount, "stsdkone"), "blob")

	names := all(t, connections.NewListPager(group, "stsdkone", nil),
		func(p armstorage.PrivateEndpointConnectionsClientListResponse) []*armstorage.PrivateEndpointConnection {
			return p.Value
		},
		func(c *armstorage.PrivateEndpointConnection) *string { return c.Name })
	if len(names) != 1 {
		t.Fatalf("connections %v", names)
	}
	got := must[armstorage.PrivateEndpointConnectionsClientGetResponse](t)(connections.Get(ctx, group, "stsdkone", names[0], nil))
	if status := *got.Properties.PrivateLinkServiceConnectionState.Status; status != armstorage.PrivateEndpointServiceConnectionStatusPending {
		t.Errorf("the connection is %s before it is approved", status)
	}
	got.Properties.PrivateLinkServiceConnectionState.Status = to.Ptr(armstorage.PrivateEndpointServiceConnectionStatusApproved)
	put := must[armstorage.PrivateEndpointConnectionsClientPutResponse](t)(connections.Put(ctx, group, "stsdkone", names[0], got.PrivateEndpointConnection, nil))
	if status := *put.Properties.PrivateLinkServiceConnectionState.Status; status != armstorage.PrivateEndpointServiceConnectionStatusApproved {
		t.Errorf("the connection is %s", status)
	}
	seen := must[armstorage.AccountsClientGetPropertiesResponse](t)(storageClients(w).NewAccountsClient().GetProperties(ctx, group, "stsdkone", nil))
	if n := len(seen.Properties.PrivateEndpointConnections); n != 1 {
		t.Errorf("the account shows %d connections", n)
	}
	must[armstorage.PrivateEndpointConnectionsClientDeleteResponse](t)(connections.Delete(ctx, group, "stsdkone", names[0], nil))
	got = must[armstorage.PrivateEndpointConnectionsClientGetResponse](t)(connections.Get(ctx, group, "stsdkone", names[0], nil))
	if status := string(*got.Properties.PrivateLinkServiceConnectionState.Status); status != "Disconnected" {
		t.Errorf("the connection that its owner deleted is %s", status)
	}
}
