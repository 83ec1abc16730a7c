package armclients

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

const managementGroups = "/providers/Microsoft.Management/managementGroups/"

// managementGroup makes a management group below another.
func (w *world) managementGroup(name, parent string) error {
	body := arm.Object{"properties": arm.Object{"displayName": name}}
	if parent != "" {
		body["properties"].(arm.Object)["details"] = arm.Object{"parent": arm.Object{"id": managementGroups + parent}}
	}
	return w.Client().Do(w.t.Context(), http.MethodPut, managementGroups+name, body, nil)
}

func (w *world) principal(name string) cloud.Credentials {
	w.t.Helper()
	who, err := w.NewServicePrincipal(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return who
}

func (w *world) give(scope, role, principal string) {
	w.t.Helper()
	must[armauthorization.RoleAssignmentsClientCreateResponse](w.t)(authorizationClients(w).NewRoleAssignmentsClient().Create(w.t.Context(), scope, arm.StableGUID(arm.ID(scope), role+principal),
		armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{RoleDefinitionID: roleID(role), PrincipalID: &principal}}, nil))
}

func TestManagementGroups(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	for _, g := range [][2]string{{"platform", ""}, {"ml", "platform"}, {"sandbox", ""}} {
		if err := w.managementGroup(g[0], g[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.managementGroup("platform", "ml"); code(err) != "InvalidParent" {
		t.Errorf("a group below its own: %v", err)
	}
	if err := w.managementGroup("lost", "none"); code(err) != "ParentNotFound" {
		t.Errorf("a group below what is not there: %v", err)
	}
	if err := w.Client().Delete(ctx, managementGroups+"platform"); code(err) != "ManagementGroupHasChildren" {
		t.Errorf("deleting a group that holds another: %v", err)
	}
	rootReader, platformReader, sandboxReader := w.principal("root"), w.principal("platform"), w.principal("sandbox")
	w.give(managementGroups+cloudtest.Tenant, reader, rootReader.ObjectID)
	w.give(managementGroups+"platform", reader, platformReader.ObjectID)
	w.give(managementGroups+"sandbox", reader, sandboxReader.ObjectID)
	here := string(arm.GroupID(sub, group))
	may := func(who cloud.Credentials) bool {
		return w.ClientAs(who).Do(ctx, http.MethodGet, here, nil, nil) == nil
	}
	if !may(rootReader) || may(platformReader) || may(sandboxReader) {
		t.Error("a subscription in no group is below the root, and below no other")
	}
	if err := w.Client().Do(ctx, http.MethodPut, managementGroups+"ml/subscriptions/"+sub, arm.Object{}, nil); err != nil {
		t.Fatal(err)
	}
	if !may(rootReader) || !may(platformReader) || may(sandboxReader) {
		t.Error("what is given at a group above the subscription's holds in it, and what is given beside does not")
	}
	filter := "atScope()"
	names := all(t, authorizationClients(w).NewRoleAssignmentsClient().NewListForScopePager(here, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &filter}),
		func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
			return p.Value
		},
		func(a *armauthorization.RoleAssignment) *string { return a.Properties.PrincipalID })
	if want := []string{rootReader.ObjectID, platformReader.ObjectID}; len(names) != 2 || !slices.Contains(names, want[0]) || !slices.Contains(names, want[1]) {
		t.Errorf("assignments above the group: %v", names)
	}
	var below struct{ Value []struct{ Name string } }
	if err := w.Client().Do(ctx, http.MethodGet, managementGroups+"platform/descendants", nil, &below); err != nil || len(below.Value) != 2 {
		t.Errorf("below platform: %+v, %v", below, err)
	}
}

func code(err error) string {
	var e *client.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func deploymentClients(w *world, who cloud.Credentials) *armdeployments.DeploymentsClient {
	cred, options := w.SDK(who)
	return must[*armdeployments.DeploymentsClient](w.t)(armdeployments.NewDeploymentsClient(sub, cred, options))
}

func deploymentOf(resources []any, parameters arm.Object, given map[string]*armdeployments.DeploymentParameter) *armdeployments.DeploymentProperties {
	return &armdeployments.DeploymentProperties{Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Parameters: given, Template: arm.Object{
		"$schema": "https://schema.management.azure.com/schemas/2019-08-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"parameters": parameters, "resources": resources,
	}}
}

func TestDeploymentsAboveSubscriptions(t *testing.T) {
	w := start(t)
	ctx, deployments := t.Context(), deploymentClients(w, w.Owner)
	above := armdeployments.ScopedDeployment{Location: west, Properties: deploymentOf([]any{
		arm.Object{"type": "Microsoft.Management/managementGroups", "apiVersion": "2023-04-01", "name": "platform", "properties": arm.Object{"displayName": "Platform"}},
	}, arm.Object{}, nil)}
	made := await[armdeployments.DeploymentsClientCreateOrUpdateAtTenantScopeResponse](t)(deployments.BeginCreateOrUpdateAtTenantScope(ctx, "groups", above, nil))
	if *made.Properties.ProvisioningState != armdeployments.ProvisioningStateSucceeded || *made.ID != "/providers/Microsoft.Resources/deployments/groups" {
		t.Errorf("made %+v", made.DeploymentExtended)
	}
	who := w.somebody()
	roles := armdeployments.ScopedDeployment{Location: west, Properties: deploymentOf([]any{
		arm.Object{"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": one, "properties": arm.Object{
			"principalId": who, "roleDefinitionId": *roleID(reader),
		}},
	}, arm.Object{}, nil)}
	await[armdeployments.DeploymentsClientCreateOrUpdateAtManagementGroupScopeResponse](t)(deployments.BeginCreateOrUpdateAtManagementGroupScope(ctx, "platform", "roles", roles, nil))
	if _, ok := w.Get(arm.ID(managementGroups + "platform/providers/Microsoft.Authorization/roleAssignments/" + one)); !ok {
		t.Error("the assignment is not at the management group")
	}
	names := all(t, deployments.NewListAtManagementGroupScopePager("platform", nil), func(p armdeployments.DeploymentsClientListAtManagementGroupScopeResponse) []*armdeployments.DeploymentExtended {
		return p.Value
	}, func(d *armdeployments.DeploymentExtended) *string { return d.Name })
	if len(names) != 1 || names[0] != "roles" {
		t.Errorf("deployments of the management group: %v", names)
	}
	stranger := deploymentClients(w, w.principal("stranger"))
	_, err := stranger.BeginCreateOrUpdateAtManagementGroupScope(ctx, "platform", "roles", roles, nil)
	wantCode(t, "a stranger", err, 403, "AuthorizationFailed")
	_, err = deployments.BeginCreateOrUpdateAtManagementGroupScope(ctx, "none", "roles", roles, nil)
	if err == nil {
		t.Error("deployed to a management group that is not there")
	}
}

// A template's parameter may be a secret of a vault, which is not in the request.
func TestKeyVaultReferences(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	vault(w, "kv-one")
	kv := id(service.TypeKeyVault, "kv-one")
	given := func(secret string) armdeployments.Deployment {
		return armdeployments.Deployment{Properties: deploymentOf([]any{
			arm.Object{"type": "Contoso.Widgets/widgets", "apiVersion": "2024-01-01", "name": "one", "location": "westeurope", "properties": arm.Object{"password": "[parameters('password')]"}},
		}, arm.Object{"password": arm.Object{"type": "securestring"}}, map[string]*armdeployments.DeploymentParameter{"password": {
			Reference: &armdeployments.KeyVaultParameterReference{KeyVault: &armdeployments.KeyVaultReference{ID: to.Ptr(string(kv))}, SecretName: &secret},
		}})}
	}
	deploy := func(who cloud.Credentials, secret string) error {
		t.Helper()
		poller, err := deploymentClients(w, who).BeginCreateOrUpdate(ctx, group, "widgets", given(secret), nil)
		if err == nil {
			_, err = poller.PollUntilDone(ctx, nil)
		}
		return err
	}
	wantCode(t, "a vault that is not enabled for it", deploy(w.Owner, "word"), 403, "KeyVaultParameterReferenceAuthorizationFailed")
	if _, err := vaultClients(w).NewVaultsClient().Update(ctx, group, "kv-one", enabledForTemplates, nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a secret that is not there", deploy(w.Owner, "word"), 400, "KeyVaultParameterReferenceSecretRetrieveFailed")
	w.secret("kv-one", "word", "s3cret")
	if err := deploy(w.Owner, "word"); err != nil {
		t.Fatal(err)
	}
	got, _ := w.Get(id("Contoso.Widgets/widgets", "one"))
	if arm.String(got.Properties, "password") != "s3cret" {
		t.Errorf("the widget was given %v", got.Properties)
	}
	shown := must[armdeployments.DeploymentsClientGetResponse](t)(deploymentClients(w, w.Owner).Get(ctx, group, "widgets", nil))
	if text := must[[]byte](t)(shown.MarshalJSON()); strings.Contains(string(text), "s3cret") {
		t.Errorf("the deployment shows the secret: %s", text)
	}
	if err := w.Client().Do(ctx, http.MethodPost, string(kv)+"/deploy", arm.Object{"secretName": "word"}, nil); code(err) != "InvalidAction" {
		t.Errorf("the secret is given to who is no deployment: %v", err)
	}
	// A right to write widgets and to deploy is none to the vault.
	other := w.principal("other")
	role := must[armauthorization.RoleDefinitionsClientCreateOrUpdateResponse](t)(authorizationClients(w).NewRoleDefinitionsClient().CreateOrUpdate(ctx, "/subscriptions/"+sub, two, armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName: to.Ptr("Deployer"), AssignableScopes: []*string{to.Ptr("/subscriptions/" + sub)},
		Permissions: []*armauthorization.Permission{{Actions: []*string{to.Ptr("Microsoft.Resources/deployments/*"), to.Ptr("Contoso.Widgets/*"), to.Ptr("*/read")}}},
	}}, nil))
	w.give(string(arm.GroupID(sub, group)), *role.Name, other.ObjectID)
	wantCode(t, "who may not deploy from the vault", deploy(other, "word"), 403, "KeyVaultParameterReferenceAuthorizationFailed")
}

var enabledForTemplates = armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{EnabledForTemplateDeployment: to.Ptr(true)}}

// secret puts a secret into a vault, as a principal that its policies allow to.
func (w *world) secret(vault, name, value string) {
	w.t.Helper()
	ctx, who := w.t.Context(), id("Microsoft.ManagedIdentity/userAssignedIdentities", "somebody")
	may := armkeyvault.SecretPermissionsSet
	principal := w.somebody()
	must[armkeyvault.VaultsClientUpdateAccessPolicyResponse](w.t)(vaultClients(w).NewVaultsClient().UpdateAccessPolicy(ctx, group, vault, armkeyvault.AccessPolicyUpdateKindAdd, armkeyvault.VaultAccessPolicyParameters{
		Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{{
			TenantID: to.Ptr(cloudtest.Tenant), ObjectID: &principal, Permissions: &armkeyvault.Permissions{Secrets: []*armkeyvault.SecretPermissions{&may}},
		}}},
	}, nil))
	token := must[string](w.t)(w.Token(ctx, who, "https://vault.azure.net"))
	req := must[*http.Request](w.t)(http.NewRequestWithContext(ctx, http.MethodPut, "https://"+vault+".vault.azure.net/secrets/"+name+"?api-version=7.4", strings.NewReader(`{"value": "`+value+`"}`)))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.Cloud.Cloud.Client(who).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("setting a secret: %s", resp.Status)
	}
}
