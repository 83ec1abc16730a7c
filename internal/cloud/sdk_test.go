package cloud_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// The Azure SDK for Go's armresources client, unchanged, against the cloud.
func TestAzureSDKResources(t *testing.T) {
	c := cloudtest.Start(t, nil)
	cred, options := c.SDK(c.Owner)
	ctx := t.Context()
	factory, err := armresources.NewClientFactory(cloudtest.Subscription, cred, options)
	if err != nil {
		t.Fatal(err)
	}
	groups, resources := factory.NewResourceGroupsClient(), factory.NewClient()

	_, err = groups.Get(ctx, "rg-ml", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceGroupNotFound")
	made, err := groups.CreateOrUpdate(ctx, "rg-ml", armresources.ResourceGroup{Location: to.Ptr("West Europe"), Tags: map[string]*string{"env": to.Ptr("test")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Location != "westeurope" || *made.Name != "rg-ml" {
		t.Errorf("created %+v", made.ResourceGroup)
	}
	exists, err := groups.CheckExistence(ctx, "RG-ML", nil)
	if err != nil || !exists.Success {
		t.Errorf("CheckExistence = %v, %v", exists.Success, err)
	}

	id := "/subscriptions/" + cloudtest.Subscription + "/resourceGroups/RG-ml/providers/Contoso.Widgets/widgets/one"
	poller, err := resources.BeginCreateOrUpdateByID(ctx, id, "2024-01-01", armresources.GenericResource{
		Location: to.Ptr("westeurope"), Properties: map[string]any{"size": 3.0}, Tags: map[string]*string{"a": to.Ptr("b")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(ctx, nil); err != nil {
		t.Fatal(err)
	}
	got, err := resources.GetByID(ctx, id, "2024-01-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/subscriptions/" + cloudtest.Subscription + "/resourceGroups/rg-ml/providers/Contoso.Widgets/widgets/one"; *got.ID != want {
		t.Errorf("the id %s is not spelt as the group was made: %s", *got.ID, want)
	}
	if size := got.Properties.(map[string]any)["size"]; size != 3.0 {
		t.Errorf("size = %v", size)
	}

	var listed []string
	for pager := resources.NewListByResourceGroupPager("rg-ml", &armresources.ClientListByResourceGroupOptions{
		Expand: to.Ptr("provisioningState"), Top: to.Ptr[int32](10), Filter: to.Ptr("resourceType eq 'Contoso.Widgets/widgets'"),
	}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			listed = append(listed, *r.Name+" "+*r.ProvisioningState)
		}
	}
	if len(listed) != 1 || listed[0] != "one Succeeded" {
		t.Errorf("listed %v", listed)
	}

	gone, err := groups.BeginDelete(ctx, "rg-ml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(ctx, nil); err != nil {
		t.Fatal(err)
	}
	_, err = resources.GetByID(ctx, id, "2024-01-01", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceGroupNotFound")
}

// A principal that was given nothing may do nothing, and learns nothing.
func TestWithoutRoleNothing(t *testing.T) {
	c := cloudtest.Start(t, nil)
	stranger, err := c.NewServicePrincipal(t.Context(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	cred, options := c.SDK(stranger)
	factory, err := armresources.NewClientFactory(cloudtest.Subscription, cred, options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = factory.NewResourceGroupsClient().Get(t.Context(), "rg-ml", nil)
	wantCode(t, err, http.StatusForbidden, "AuthorizationFailed")
	_, err = factory.NewResourceGroupsClient().CreateOrUpdate(t.Context(), "rg-ml", armresources.ResourceGroup{Location: to.Ptr("westeurope")}, nil)
	wantCode(t, err, http.StatusForbidden, "AuthorizationFailed")
	log, err := c.Activity(t.Context(), "/", 10)
	if err != nil || len(log) != 2 || log[0].Allowed || log[0].Action != "Microsoft.Resources/subscriptions/resourceGroups/write" || log[0].Caller != stranger.ObjectID {
		t.Errorf("activity log: %+v, %v", log, err)
	}
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.StatusCode != status || answer.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}
