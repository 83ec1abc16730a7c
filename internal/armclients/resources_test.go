package armclients

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

func resourceClients(w *world) *armresources.ClientFactory {
	return must[*armresources.ClientFactory](w.t)(armresources.NewClientFactory(sub, w.cred, w.options))
}

func TestResourceGroups(t *testing.T) {
	w := start(t)
	ctx, groups := t.Context(), resourceClients(w).NewResourceGroupsClient()
	for _, name := range []string{"rg-a", "rg-b", "rg-c"} {
		must[armresources.ResourceGroupsClientCreateOrUpdateResponse](t)(groups.CreateOrUpdate(ctx, name, armresources.ResourceGroup{Location: west, Tags: map[string]*string{"of": to.Ptr(name)}}, nil))
	}
	named := func(g *armresources.ResourceGroup) *string { return g.Name }
	value := func(p armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return p.Value }
	if got := all(t, groups.NewListPager(nil), value, named); !slices.Equal(got, []string{"rg-a", "rg-b", "rg-c", group}) {
		t.Errorf("groups %v", got)
	}
	if got := all(t, groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Filter: to.Ptr("tagName eq 'of' and tagValue eq 'rg-b'")}), value, named); !slices.Equal(got, []string{"rg-b"}) {
		t.Errorf("groups by tag %v", got)
	}
	changed := must[armresources.ResourceGroupsClientUpdateResponse](t)(groups.Update(ctx, "rg-a", armresources.ResourceGroupPatchable{Tags: map[string]*string{"more": to.Ptr("1")}}, nil))
	if len(changed.Tags) != 1 || *changed.Location != "westeurope" {
		t.Errorf("changed to %+v", changed.ResourceGroup)
	}
	_, err := groups.CreateOrUpdate(ctx, "rg-a", armresources.ResourceGroup{Location: to.Ptr("northeurope")}, nil)
	wantCode(t, "a group that moves", err, 409, "InvalidResourceGroupLocation")
	if gone := must[armresources.ResourceGroupsClientCheckExistenceResponse](t)(groups.CheckExistence(ctx, "rg-none", nil)); gone.Success {
		t.Error("a group that is not there exists")
	}
	await[armresources.ResourceGroupsClientDeleteResponse](t)(groups.BeginDelete(ctx, "rg-a", nil))
	_, err = groups.Get(ctx, "rg-a", nil)
	wantCode(t, "a deleted group", err, 404, "ResourceGroupNotFound")
}

func TestTagsAndProviders(t *testing.T) {
	w := start(t)
	ctx, clients := t.Context(), resourceClients(w)
	scope := string(arm.GroupID(sub, group))
	await[armresources.TagsClientCreateOrUpdateAtScopeResponse](t)(clients.NewTagsClient().BeginCreateOrUpdateAtScope(ctx, scope, armresources.TagsResource{Properties: &armresources.Tags{Tags: map[string]*string{"a": to.Ptr("1")}}}, nil))
	merged := await[armresources.TagsClientUpdateAtScopeResponse](t)(clients.NewTagsClient().BeginUpdateAtScope(ctx, scope, armresources.TagsPatchResource{
		Operation: to.Ptr(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: map[string]*string{"b": to.Ptr("2")}},
	}, nil))
	if len(merged.Properties.Tags) != 2 {
		t.Errorf("tags %v", merged.Properties.Tags)
	}
	await[armresources.TagsClientDeleteAtScopeResponse](t)(clients.NewTagsClient().BeginDeleteAtScope(ctx, scope, nil))
	if got := must[armresources.TagsClientGetAtScopeResponse](t)(clients.NewTagsClient().GetAtScope(ctx, scope, nil)); len(got.Properties.Tags) != 0 {
		t.Errorf("deleted tags are there: %v", got.Properties.Tags)
	}

	providers := clients.NewProvidersClient()
	one := must[armresources.ProvidersClientGetResponse](t)(providers.Get(ctx, "microsoft.storage", nil))
	if *one.Namespace != "Microsoft.Storage" || *one.RegistrationState != "Registered" || len(one.ResourceTypes) == 0 {
		t.Errorf("got %+v", one.Provider)
	}
	must[armresources.ProvidersClientRegisterResponse](t)(providers.Register(ctx, "Microsoft.Storage", nil))
	names := all(t, providers.NewListPager(nil), func(p armresources.ProvidersClientListResponse) []*armresources.Provider { return p.Value }, func(p *armresources.Provider) *string { return p.Namespace })
	if !slices.Contains(names, "Microsoft.Network") {
		t.Errorf("providers %v", names)
	}
}

func TestGenericResources(t *testing.T) {
	w := start(t)
	ctx, generic := t.Context(), resourceClients(w).NewClient()
	account(w, "stsdkone")
	vault(w, "kv-one")
	registry(w, "crone")
	got := all(t, generic.NewListByResourceGroupPager(group, nil), func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
		return p.Value
	},
		func(r *armresources.GenericResourceExpanded) *string { return r.Name })
	if slices.Sort(got); !slices.Equal(got, []string{"crone", "kv-one", "stsdkone"}) {
		t.Errorf("resources %v", got)
	}
	there := must[armresources.ClientCheckExistenceByIDResponse](t)(generic.CheckExistenceByID(ctx, string(id(service.TypeKeyVault, "kv-one")), "2023-07-01", nil))
	if !there.Success {
		t.Error("the vault is not there")
	}
	_, err := generic.GetByID(ctx, string(id(service.TypeKeyVault, "kv-one")), "yesterday", nil)
	wantCode(t, "a version that is none", err, 400, "InvalidApiVersionParameter")
	await[armresources.ClientDeleteByIDResponse](t)(generic.BeginDeleteByID(ctx, string(id(service.TypeRegistry, "crone")), "2023-07-01", nil))
	_, err = generic.GetByID(ctx, string(id(service.TypeRegistry, "crone")), "2023-07-01", nil)
	wantCode(t, "a deleted resource", err, 404, "ResourceNotFound")
}

// Conditional requests: the clients have no argument for them, and send a header
// that is given with the context.
func TestETags(t *testing.T) {
	w := start(t)
	generic := resourceClients(w).NewClient()
	at := string(id("Contoso.Widgets/widgets", "one"))
	put := func(size float64, header, value string) (string, error) {
		var answer *http.Response
		ctx := policy.WithCaptureResponse(policy.WithHTTPHeader(t.Context(), http.Header{header: {value}}), &answer)
		_, err := generic.BeginCreateOrUpdateByID(ctx, at, "2024-01-01", armresources.GenericResource{Location: west, Properties: map[string]any{"size": size}}, nil)
		return answer.Header.Get("ETag"), err
	}
	first, err := put(1, "If-None-Match", "*")
	if err != nil || first == "" {
		t.Fatalf("made with the tag %q: %v", first, err)
	}
	_, err = put(2, "If-None-Match", "*")
	wantCode(t, "made again", err, 412, "PreconditionFailed")
	second, err := put(2, "If-Match", first)
	if err != nil || second == first {
		t.Fatalf("changed to the tag %q: %v", second, err)
	}
	_, err = put(3, "If-Match", first)
	wantCode(t, "changed by its old tag", err, 412, "PreconditionFailed")
	_, err = generic.BeginDeleteByID(policy.WithHTTPHeader(t.Context(), http.Header{"If-Match": {first}}), at, "2024-01-01", nil)
	wantCode(t, "deleted by its old tag", err, 412, "PreconditionFailed")
	_, err = generic.GetByID(policy.WithHTTPHeader(t.Context(), http.Header{"If-None-Match": {second}}), at, "2024-01-01", nil)
	var same *azcore.ResponseError
	if !errors.As(err, &same) || same.StatusCode != http.StatusNotModified {
		t.Errorf("got anew what has not changed: %v", err)
	}
}
