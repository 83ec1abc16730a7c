package armclients

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"

	"github.com/cloister-ml/cloister/service"
)

func learningClients(w *world) *armmachinelearning.ClientFactory {
	return must[*armmachinelearning.ClientFactory](w.t)(armmachinelearning.NewClientFactory(sub, w.cred, w.options))
}

// workspace makes the workspace mlw with all that it is associated with.
func workspace(w *world) armmachinelearning.Workspace {
	w.t.Helper()
	account(w, "stlearn")
	vault(w, "kv-learn")
	registry(w, "crlearn")
	w.put(id(service.TypeAppInsights, "appi"), nil)
	ref := func(typ, name string) *string { return to.Ptr(string(id(typ, name))) }
	return await[armmachinelearning.WorkspacesClientCreateOrUpdateResponse](w.t)(learningClients(w).NewWorkspacesClient().BeginCreateOrUpdate(w.t.Context(), group, "mlw", armmachinelearning.Workspace{
		Location: west, Identity: &armmachinelearning.ManagedServiceIdentity{Type: to.Ptr(armmachinelearning.ManagedServiceIdentityTypeSystemAssigned)},
		Properties: &armmachinelearning.WorkspaceProperties{
			FriendlyName: to.Ptr("One"), StorageAccount: ref(service.TypeStorageAccount, "stlearn"), KeyVault: ref(service.TypeKeyVault, "kv-learn"),
			ContainerRegistry: ref(service.TypeRegistry, "crlearn"), ApplicationInsights: ref(service.TypeAppInsights, "appi"),
		},
	}, nil)).Workspace
}

func TestWorkspaces(t *testing.T) {
	w := start(t)
	ctx, workspaces := t.Context(), learningClients(w).NewWorkspacesClient()
	made := workspace(w)
	if *made.Properties.ProvisioningState != armmachinelearning.ProvisioningStateSucceeded || *made.Identity.PrincipalID == "" || *made.Properties.WorkspaceID == "" {
		t.Errorf("made %+v", made.Properties)
	}
	changed := await[armmachinelearning.WorkspacesClientUpdateResponse](t)(workspaces.BeginUpdate(ctx, group, "mlw", armmachinelearning.WorkspaceUpdateParameters{
		Tags: map[string]*string{"env": to.Ptr("test")}, Properties: &armmachinelearning.WorkspacePropertiesUpdateParameters{FriendlyName: to.Ptr("Two")},
	}, nil))
	if *changed.Properties.FriendlyName != "Two" || *changed.Tags["env"] != "test" || *changed.Properties.KeyVault == "" {
		t.Errorf("changed to %+v", changed.Properties)
	}
	names := all(t, workspaces.NewListByResourceGroupPager(group, nil), func(p armmachinelearning.WorkspacesClientListByResourceGroupResponse) []*armmachinelearning.Workspace {
		return p.Value
	}, func(v *armmachinelearning.Workspace) *string { return v.Name })
	if !slices.Equal(names, []string{"mlw"}) {
		t.Errorf("the group has %v", names)
	}
	keys := must[armmachinelearning.WorkspacesClientListKeysResponse](t)(workspaces.ListKeys(ctx, group, "mlw", nil))
	if keys.UserStorageResourceID == nil || *keys.UserStorageResourceID != string(id(service.TypeStorageAccount, "stlearn")) {
		t.Errorf("keys of %v", keys.UserStorageResourceID)
	}
	await[armmachinelearning.WorkspacesClientDeleteResponse](t)(workspaces.BeginDelete(ctx, group, "mlw", nil))
	_, err := workspaces.Get(ctx, group, "mlw", nil)
	wantCode(t, "a deleted workspace", err, 404, "ResourceNotFound")
}

func TestComputes(t *testing.T) {
	w := start(t)
	workspace(w)
	ctx, computes := t.Context(), learningClients(w).NewComputeClient()
	scale := func(most int32) *armmachinelearning.ScaleSettings {
		return &armmachinelearning.ScaleSettings{MinNodeCount: to.Ptr[int32](0), MaxNodeCount: &most, NodeIdleTimeBeforeScaleDown: to.Ptr("PT2M")}
	}
	cluster := armmachinelearning.ComputeResource{Location: west, Properties: &armmachinelearning.AmlCompute{
		ComputeType: to.Ptr(armmachinelearning.ComputeTypeAmlCompute),
		Properties:  &armmachinelearning.AmlComputeProperties{VMSize: to.Ptr("Standard_D2s_v5"), VMPriority: to.Ptr(armmachinelearning.VMPriorityDedicated), ScaleSettings: scale(2)},
	}}
	most := func(c armmachinelearning.ComputeResource) int32 {
		t.Helper()
		return *c.Properties.(*armmachinelearning.AmlCompute).Properties.ScaleSettings.MaxNodeCount
	}
	made := await[armmachinelearning.ComputeClientCreateOrUpdateResponse](t)(computes.BeginCreateOrUpdate(ctx, group, "mlw", "cpu", cluster, nil))
	if most(made.ComputeResource) != 2 {
		t.Errorf("made %+v", made)
	}
	changed := await[armmachinelearning.ComputeClientUpdateResponse](t)(computes.BeginUpdate(ctx, group, "mlw", "cpu", armmachinelearning.ClusterUpdateParameters{
		Properties: &armmachinelearning.ClusterUpdateProperties{Properties: &armmachinelearning.ScaleSettingsInformation{ScaleSettings: scale(3)}},
	}, nil))
	if most(changed.ComputeResource) != 3 {
		t.Errorf("changed to %+v", changed)
	}
	names := all(t, computes.NewListPager(group, "mlw", nil), func(p armmachinelearning.ComputeClientListResponse) []*armmachinelearning.ComputeResource {
		return p.Value
	},
		func(v *armmachinelearning.ComputeResource) *string { return v.Name })
	if !slices.Equal(names, []string{"cpu"}) {
		t.Errorf("computes %v", names)
	}
	if nodes := pages(t, computes.NewListNodesPager(group, "mlw", "cpu", nil)); len(nodes) != 1 || len(nodes[0].Nodes) != 0 {
		t.Errorf("an idle cluster has nodes: %+v", nodes)
	}
	await[armmachinelearning.ComputeClientDeleteResponse](t)(computes.BeginDelete(ctx, group, "mlw", "cpu", armmachinelearning.UnderlyingResourceActionDelete, nil))
	_, err := computes.Get(ctx, group, "mlw", "cpu", nil)
	wantCode(t, "a deleted compute", err, 404, "ResourceNotFound")
}

func TestDatastores(t *testing.T) {
	w := start(t)
	workspace(w)
	ctx, stores := t.Context(), learningClients(w).NewDatastoresClient()
	made := must[armmachinelearning.DatastoresClientCreateOrUpdateResponse](t)(stores.CreateOrUpdate(ctx, group, "mlw", "features", armmachinelearning.Datastore{
		Properties: &armmachinelearning.AzureBlobDatastore{
			DatastoreType: to.Ptr(armmachinelearning.DatastoreTypeAzureBlob), AccountName: to.Ptr("stlearn"), ContainerName: to.Ptr("features"),
			Credentials: &armmachinelearning.NoneDatastoreCredentials{CredentialsType: to.Ptr(armmachinelearning.CredentialsTypeNone)},
		},
	}, nil))
	if *made.Properties.(*armmachinelearning.AzureBlobDatastore).ContainerName != "features" {
		t.Errorf("made %+v", made)
	}
	names := all(t, stores.NewListPager(group, "mlw", nil), func(p armmachinelearning.DatastoresClientListResponse) []*armmachinelearning.Datastore {
		return p.Value
	},
		func(v *armmachinelearning.Datastore) *string { return v.Name })
	for _, want := range []string{"features", "workspaceblobstore"} {
		if !slices.Contains(names, want) {
			t.Errorf("datastores %v lack %s", names, want)
		}
	}
	must[armmachinelearning.DatastoresClientDeleteResponse](t)(stores.Delete(ctx, group, "mlw", "features", nil))
	if _, err := stores.Get(ctx, group, "mlw", "features", nil); err == nil {
		t.Error("the deleted datastore is there")
	}
}

func TestModelsAndJobs(t *testing.T) {
	w := start(t)
	workspace(w)
	ctx, clients := t.Context(), learningClients(w)
	models, versions := clients.NewModelContainersClient(), clients.NewModelVersionsClient()
	uri := "azureml://datastores/workspaceblobstore/paths/models/one"
	for _, v := range []string{"1", "2", "3"} {
		made := must[armmachinelearning.ModelVersionsClientCreateOrUpdateResponse](t)(versions.CreateOrUpdate(ctx, group, "mlw", "fraud", v, armmachinelearning.ModelVersion{
			Properties: &armmachinelearning.ModelVersionProperties{ModelURI: to.Ptr(uri), ModelType: to.Ptr("custom_model"), Description: to.Ptr("version " + v)},
		}, nil))
		if *made.Name != v || *made.Properties.Description != "version "+v {
			t.Errorf("made %+v", made)
		}
	}
	one := must[armmachinelearning.ModelContainersClientGetResponse](t)(models.Get(ctx, group, "mlw", "fraud", nil))
	if one.Properties.LatestVersion == nil || *one.Properties.LatestVersion != "3" {
		t.Errorf("the latest version is %v", one.Properties.LatestVersion)
	}
	must[armmachinelearning.ModelVersionsClientDeleteResponse](t)(versions.Delete(ctx, group, "mlw", "fraud", "2", nil))
	left := all(t, versions.NewListPager(group, "mlw", "fraud", nil), func(p armmachinelearning.ModelVersionsClientListResponse) []*armmachinelearning.ModelVersion {
		return p.Value
	},
		func(v *armmachinelearning.ModelVersion) *string { return v.Name })
	if slices.Sort(left); !slices.Equal(left, []string{"1", "3"}) {
		t.Errorf("versions %v", left)
	}

	environments := clients.NewEnvironmentVersionsClient()
	env := must[armmachinelearning.EnvironmentVersionsClientCreateOrUpdateResponse](t)(environments.CreateOrUpdate(ctx, group, "mlw", "base", "1", armmachinelearning.EnvironmentVersion{
		Properties: &armmachinelearning.EnvironmentVersionProperties{Image: to.Ptr("mcr.microsoft.com/azureml/base:1")},
	}, nil))
	await[armmachinelearning.ComputeClientCreateOrUpdateResponse](t)(clients.NewComputeClient().BeginCreateOrUpdate(ctx, group, "mlw", "cpu", armmachinelearning.ComputeResource{
		Location: west, Identity: &armmachinelearning.ManagedServiceIdentity{Type: to.Ptr(armmachinelearning.ManagedServiceIdentityTypeSystemAssigned)},
		Properties: &armmachinelearning.AmlCompute{
			ComputeType: to.Ptr(armmachinelearning.ComputeTypeAmlCompute),
			Properties:  &armmachinelearning.AmlComputeProperties{VMSize: to.Ptr("Standard_D2s_v5"), VMPriority: to.Ptr(armmachinelearning.VMPriorityDedicated), ScaleSettings: &armmachinelearning.ScaleSettings{MaxNodeCount: to.Ptr[int32](1)}},
		},
	}, nil))
	jobs := clients.NewJobsClient()
	job := must[armmachinelearning.JobsClientCreateOrUpdateResponse](t)(jobs.CreateOrUpdate(ctx, group, "mlw", "hello", armmachinelearning.JobBase{Properties: &armmachinelearning.CommandJob{
		JobType: to.Ptr(armmachinelearning.JobTypeCommand), Command: to.Ptr("echo hello"), EnvironmentID: env.ID,
		ComputeID: to.Ptr(string(id(service.TypeWorkspace, "mlw").Child("computes", "cpu"))), ExperimentName: to.Ptr("first"),
	}}, nil))
	if status := job.Properties.GetJobBaseProperties().Status; status == nil || *status == armmachinelearning.JobStatusCompleted {
		t.Errorf("a job that has just come is %v", status)
	}
	await[armmachinelearning.JobsClientCancelResponse](t)(jobs.BeginCancel(ctx, group, "mlw", "hello", nil))
	got := must[armmachinelearning.JobsClientGetResponse](t)(jobs.Get(ctx, group, "mlw", "hello", nil))
	if status := *got.Properties.GetJobBaseProperties().Status; status != armmachinelearning.JobStatusCanceled && status != armmachinelearning.JobStatusCancelRequested {
		t.Errorf("the cancelled job is %s", status)
	}
	names := all(t, jobs.NewListPager(group, "mlw", nil), func(p armmachinelearning.JobsClientListResponse) []*armmachinelearning.JobBase { return p.Value },
		func(v *armmachinelearning.JobBase) *string { return v.Name })
	if !slices.Contains(names, "hello") {
		t.Errorf("jobs %v", names)
	}
}

func TestOnlineEndpoints(t *testing.T) {
	w := start(t)
	workspace(w)
	ctx, clients := t.Context(), learningClients(w)
	endpoints, deployments := clients.NewOnlineEndpointsClient(), clients.NewOnlineDeploymentsClient()
	made := await[armmachinelearning.OnlineEndpointsClientCreateOrUpdateResponse](t)(endpoints.BeginCreateOrUpdate(ctx, group, "mlw", "scores", armmachinelearning.OnlineEndpoint{
		Location: west, Identity: &armmachinelearning.ManagedServiceIdentity{Type: to.Ptr(armmachinelearning.ManagedServiceIdentityTypeSystemAssigned)},
		Properties: &armmachinelearning.OnlineEndpointProperties{AuthMode: to.Ptr(armmachinelearning.EndpointAuthModeKey), Description: to.Ptr("Scores.")},
	}, nil))
	if made.Properties.ScoringURI == nil || *made.Properties.ScoringURI == "" || *made.Properties.ProvisioningState != armmachinelearning.EndpointProvisioningStateSucceeded {
		t.Errorf("made %+v", made.Properties)
	}
	before := must[armmachinelearning.OnlineEndpointsClientListKeysResponse](t)(endpoints.ListKeys(ctx, group, "mlw", "scores", nil))
	await[armmachinelearning.OnlineEndpointsClientRegenerateKeysResponse](t)(endpoints.BeginRegenerateKeys(ctx, group, "mlw", "scores", armmachinelearning.RegenerateEndpointKeysRequest{KeyType: to.Ptr(armmachinelearning.KeyTypePrimary)}, nil))
	after := must[armmachinelearning.OnlineEndpointsClientListKeysResponse](t)(endpoints.ListKeys(ctx, group, "mlw", "scores", nil))
	if *before.PrimaryKey == *after.PrimaryKey || *before.SecondaryKey != *after.SecondaryKey {
		t.Error("the primary key was to be made anew, and the other not")
	}
	_, err := endpoints.GetToken(ctx, group, "mlw", "scores", nil)
	if err == nil {
		t.Error("an endpoint with keys gives a token")
	}
	changed := await[armmachinelearning.OnlineEndpointsClientUpdateResponse](t)(endpoints.BeginUpdate(ctx, group, "mlw", "scores", armmachinelearning.PartialMinimalTrackedResourceWithIdentity{Tags: map[string]*string{"env": to.Ptr("test")}}, nil))
	if *changed.Tags["env"] != "test" || *changed.Properties.Description != "Scores." {
		t.Errorf("changed to %+v", changed)
	}
	_, err = deployments.Get(ctx, group, "mlw", "scores", "blue", nil)
	wantCode(t, "a deployment that is not there", err, 404, "ResourceNotFound")
	_, err = deployments.BeginCreateOrUpdate(ctx, group, "mlw", "scores", "blue", armmachinelearning.OnlineDeployment{
		Location: west, SKU: &armmachinelearning.SKU{Name: to.Ptr("Default"), Capacity: to.Ptr[int32](1)},
		Properties: &armmachinelearning.ManagedOnlineDeployment{
			EndpointComputeType: to.Ptr(armmachinelearning.EndpointComputeTypeManaged), InstanceType: to.Ptr("Standard_DS3_v2"), Model: to.Ptr("azureml:none:1"),
		},
	}, nil)
	if err == nil {
		t.Error("a deployment of a model that is not there is accepted")
	}
	names := all(t, deployments.NewListPager(group, "mlw", "scores", nil), func(p armmachinelearning.OnlineDeploymentsClientListResponse) []*armmachinelearning.OnlineDeployment {
		return p.Value
	},
		func(v *armmachinelearning.OnlineDeployment) *string { return v.Name })
	if len(names) != 0 {
		t.Errorf("deployments %v", names)
	}
	await[armmachinelearning.OnlineEndpointsClientDeleteResponse](t)(endpoints.BeginDelete(ctx, group, "mlw", "scores", nil))
	_, err = endpoints.Get(ctx, group, "mlw", "scores", nil)
	wantCode(t, "a deleted endpoint", err, 404, "ResourceNotFound")
}
