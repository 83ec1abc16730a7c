package resources_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/resources"
)

const sub = "/subscriptions/" + cloudtest.Subscription

// providers are the deployments and a type whose documents take time to be made.
func providers(t *testing.T, hold <-chan struct{}) func(cloud.Host) []cloud.Provider {
	return func(h cloud.Host) []cloud.Provider {
		p, err := resources.New(h.(*cloud.Cloud))
		if err != nil {
			t.Fatal(err)
		}
		return []cloud.Provider{p, {Namespace: "A.B", Types: []cloud.Type{
			{
				Name: "A.B/slow",
				Prepare: func(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
					if arm.Bool(r.Properties, "wrong", false) {
						return r, cloud.Errorf(http.StatusBadRequest, "Wrong", "It is wrong.")
					}
					r.Properties["endpoint"] = "https://" + r.Name
					return r, nil
				},
				Reconcile: func(ctx context.Context, _ arm.Resource) error {
					select {
					case <-hold:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				},
				Actions: map[string]cloud.Action{"listkeys": func(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
					return arm.Object{"key": "key of " + r.Name}, nil
				}},
			},
			{Name: "A.B/fast"},
		}}}
	}
}

func open() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

const main = `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"count": {"type": "int", "defaultValue": 2}, "secret": {"type": "securestring", "defaultValue": "s3cret"}, "size": {"type": "string", "defaultValue": "small"}},
  "resources": [
    {"type": "A.B/fast", "apiVersion": "2024-01-01", "name": "reader", "location": "[resourceGroup().location]",
     "properties": {"of": "[reference(resourceId('A.B/slow', 'slow')).endpoint]", "key": "[listKeys(resourceId('A.B/slow', 'slow'), '2024-01-01').key]"}},
    {"type": "A.B/slow", "apiVersion": "2024-01-01", "name": "slow", "location": "westeurope", "properties": {"size": "[parameters('size')]"}},
    {"copy": {"name": "all", "count": "[parameters('count')]"}, "type": "A.B/fast", "apiVersion": "2024-01-01", "name": "[concat('fast', copyIndex())]", "properties": {"given": "[parameters('secret')]"}}
  ],
  "outputs": {"endpoint": {"type": "string", "value": "[reference('slow').endpoint]"}, "hidden": {"type": "securestring", "value": "[parameters('secret')]"}}
}`

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// factory makes the clients of one principal. The newest armresources has no
// deployments any more: they are armdeployments'.
type factory struct {
	*armdeployments.ClientFactory
	resources *armresources.ClientFactory
}

func clients(t *testing.T, c *cloudtest.Cloud, who cloud.Credentials) factory {
	t.Helper()
	cred, options := c.SDK(who)
	deployments, err := armdeployments.NewClientFactory(cloudtest.Subscription, cred, options)
	if err != nil {
		t.Fatal(err)
	}
	f, err := armresources.NewClientFactory(cloudtest.Subscription, cred, options)
	if err != nil {
		t.Fatal(err)
	}
	return factory{deployments, f}
}

func group(t *testing.T, f factory) {
	t.Helper()
	if _, err := f.resources.NewResourceGroupsClient().CreateOrUpdate(t.Context(), "rg", armresources.ResourceGroup{Location: to.Ptr("westeurope")}, nil); err != nil {
		t.Fatal(err)
	}
}

// parameters are values as the SDK has them.
func parameters(values map[string]any) map[string]*armdeployments.DeploymentParameter {
	out := map[string]*armdeployments.DeploymentParameter{}
	for name, v := range values {
		out[name] = &armdeployments.DeploymentParameter{Value: v.(map[string]any)["value"]}
	}
	return out
}

func deployment(t *testing.T, text string, mode armdeployments.DeploymentMode, params map[string]any) armdeployments.Deployment {
	return armdeployments.Deployment{Properties: &armdeployments.DeploymentProperties{Mode: to.Ptr(mode), Template: parsed(t, text), Parameters: parameters(params)}}
}

func deploy(t *testing.T, f factory, name string, d armdeployments.Deployment) (armdeployments.DeploymentExtended, error) {
	t.Helper()
	poller, err := f.NewDeploymentsClient().BeginCreateOrUpdate(t.Context(), "rg", name, d, nil)
	if err != nil {
		return armdeployments.DeploymentExtended{}, err
	}
	got, err := poller.PollUntilDone(t.Context(), nil)
	return got.DeploymentExtended, err
}

func held(t *testing.T, f factory) string {
	t.Helper()
	var names []string
	for pager := f.resources.NewClient().NewListByResourceGroupPager("rg", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			names = append(names, *r.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestDeployment(t *testing.T) {
	c := cloudtest.Start(t, providers(t, open()))
	f := clients(t, c, c.Owner)
	group(t, f)
	made, err := deploy(t, f, "first", deployment(t, main, armdeployments.DeploymentModeIncremental, map[string]any{"count": map[string]any{"value": 1}}))
	if err != nil {
		t.Fatal(err)
	}
	if got := held(t, f); got != "fast0 reader slow" {
		t.Errorf("the group holds %s", got)
	}
	if got := fmt.Sprint(made.Properties.Outputs); got != "map[endpoint:map[type:string value:https://slow] hidden:map[type:securestring]]" {
		t.Errorf("outputs: %s", got)
	}
	if got := fmt.Sprint(made.Properties.Parameters); strings.Contains(got, "s3cret") || !strings.Contains(got, "count:map[type:int value:1]") {
		t.Errorf("parameters: %s", got)
	}
	reader, _ := c.Get(sub + "/resourceGroups/rg/providers/A.B/fast/reader")
	if arm.String(reader.Properties, "of") != "https://slow" || arm.String(reader.Properties, "key") != "key of slow" || reader.Location != "westeurope" {
		t.Errorf("the reader was deployed as %v in %s", reader.Properties, reader.Location)
	}
	var done []string
	for pager := f.NewDeploymentOperationsClient().NewListPager("rg", "first", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Value {
			done = append(done, *o.Properties.TargetResource.ResourceName+" "+*o.Properties.ProvisioningState)
		}
	}
	if got := strings.Join(done, ", "); got != "slow Succeeded, reader Succeeded, fast0 Succeeded" {
		t.Errorf("operations: %s", got)
	}
	exported, err := f.NewDeploymentsClient().ExportTemplate(t.Context(), "rg", "first", nil)
	if err != nil || exported.Template.(map[string]any)["contentVersion"] != "1.0.0.0" {
		t.Errorf("exportTemplate: %v, %v", exported.Template, err)
	}
	// Complete: what the template does not have goes.
	if _, err := deploy(t, f, "second", deployment(t, main, armdeployments.DeploymentModeComplete, map[string]any{"count": map[string]any{"value": 0}})); err != nil {
		t.Fatal(err)
	}
	if got := held(t, f); got != "reader slow" {
		t.Errorf("after a complete deployment the group holds %s", got)
	}
	gone, err := f.NewDeploymentsClient().BeginDelete(t.Context(), "rg", "first", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err = f.NewDeploymentsClient().Get(t.Context(), "rg", "first", nil); code(err) != "DeploymentNotFound" {
		t.Errorf("after its deletion: %v", err)
	}
}

func TestWhatIf(t *testing.T) {
	c := cloudtest.Start(t, providers(t, open()))
	f := clients(t, c, c.Owner)
	group(t, f)
	if _, err := deploy(t, f, "first", deployment(t, main, armdeployments.DeploymentModeIncremental, nil)); err != nil {
		t.Fatal(err)
	}
	whatIf := func(mode armdeployments.DeploymentMode, params map[string]any) string {
		t.Helper()
		poller, err := f.NewDeploymentsClient().BeginWhatIf(t.Context(), "rg", "next", armdeployments.DeploymentWhatIf{
			Properties: &armdeployments.DeploymentWhatIfProperties{Mode: to.Ptr(mode), Template: parsed(t, main), Parameters: parameters(params)},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := poller.PollUntilDone(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, change := range got.Properties.Changes {
			text := arm.ID(*change.ResourceID).Name() + " " + string(*change.ChangeType)
			for _, d := range change.Delta {
				text += " " + *d.Path
			}
			out = append(out, text)
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	value := func(name string, v any) map[string]any { return map[string]any{name: map[string]any{"value": v}} }
	for _, tt := range []struct {
		mode   armdeployments.DeploymentMode
		params map[string]any
		want   string
	}{
		{armdeployments.DeploymentModeIncremental, value("count", 3), "fast0 NoChange, fast1 NoChange, fast2 Create, reader Modify properties.key, slow NoChange"},
		{armdeployments.DeploymentModeIncremental, value("count", 1), "fast0 NoChange, fast1 Ignore, reader Modify properties.key, slow NoChange"},
		{armdeployments.DeploymentModeComplete, value("count", 1), "fast0 NoChange, fast1 Delete, reader Modify properties.key, slow NoChange"},
		{armdeployments.DeploymentModeIncremental, value("size", "large"), "fast0 NoChange, fast1 NoChange, reader Modify properties.key, slow Modify properties.size"},
	} {
		if got := whatIf(tt.mode, tt.params); got != tt.want {
			t.Errorf("%s %v:\n got %s\nwant %s", tt.mode, tt.params, got, tt.want)
		}
	}
	if got := held(t, f); got != "fast0 fast1 reader slow" {
		t.Errorf("what-if has changed the group: %s", got)
	}
}

// A deployment for the subscription makes a group, and one within it deploys there.
func TestDeploymentOfASubscription(t *testing.T) {
	const text = `{
	  "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
	  "contentVersion": "1.0.0.0",
	  "resources": [
	    {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01", "name": "rg", "location": "[deployment().location]"},
	    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside", "resourceGroup": "rg", "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg')]"],
	     "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": {
	       "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
	       "resources": [{"type": "A.B/slow", "apiVersion": "2024-01-01", "name": "one"}],
	       "outputs": {"id": {"type": "string", "value": "[resourceId('A.B/slow', 'one')]"}}}}}
	  ],
	  "outputs": {"id": {"type": "string", "value": "[reference(resourceId(subscription().subscriptionId, 'rg', 'Microsoft.Resources/deployments', 'inside')).outputs.id.value]"}}
	}`
	c := cloudtest.Start(t, providers(t, open()))
	f := clients(t, c, c.Owner)
	d := deployment(t, text, armdeployments.DeploymentModeIncremental, nil)
	d.Location = to.Ptr("westeurope")
	poller, err := f.NewDeploymentsClient().BeginCreateOrUpdateAtSubscriptionScope(t.Context(), "all", d, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "map[id:map[type:string value:" + sub + "/resourceGroups/rg/providers/A.B/slow/one]]"; fmt.Sprint(got.Properties.Outputs) != want {
		t.Errorf("outputs %v, want %s", got.Properties.Outputs, want)
	}
	inside, err := f.NewDeploymentsClient().Get(t.Context(), "rg", "inside", nil)
	if err != nil || *inside.Properties.ProvisioningState != armdeployments.ProvisioningStateSucceeded {
		t.Errorf("the deployment within: %v, %v", inside, err)
	}
}

func TestDeploymentsRefused(t *testing.T) {
	c := cloudtest.Start(t, providers(t, open()))
	f := clients(t, c, c.Owner)
	group(t, f)
	one := func(properties string) string {
		return `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
			"parameters": {"needed": {"type": "string"}}, "resources": [{"type": "A.B/slow", "apiVersion": "2024-01-01", "name": "x", "properties": ` + properties + `}]}`
	}
	given := map[string]any{"needed": map[string]any{"value": "x"}}
	for _, tt := range []struct {
		name, text string
		params     map[string]any
		code       string
	}{
		{"a parameter without a value", one(`{}`), nil, "InvalidTemplate"},
		{"no template function", one(`{"a": "[explode()]"}`), given, "InvalidTemplate"},
		{"what the type refuses", one(`{"wrong": true}`), given, "Wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := deployment(t, tt.text, armdeployments.DeploymentModeIncremental, tt.params)
			poller, err := f.NewDeploymentsClient().BeginValidate(t.Context(), "rg", "v", d, nil)
			if err == nil {
				_, err = poller.PollUntilDone(t.Context(), nil)
			}
			if code(err) != tt.code {
				t.Errorf("validate: %v, want %s", err, tt.code)
			}
			if _, err := deploy(t, f, "d", d); err == nil {
				t.Error("it was deployed")
			}
		})
	}
	failed, err := f.NewDeploymentsClient().Get(t.Context(), "rg", "d", nil)
	if err != nil || *failed.Properties.ProvisioningState != armdeployments.ProvisioningStateFailed || *failed.Properties.Error.Code != "DeploymentFailed" || *failed.Properties.Error.Details[0].Code != "Wrong" {
		t.Errorf("the failed deployment: %+v, %v", failed.Properties, err)
	}
	plain := arm.Object{"properties": arm.Object{"mode": "Incremental", "template": parsed(t, one(`{}`)), "parameters": arm.Object{"needed": "x"}}}
	var refused *client.Error
	if err := c.Client().Do(t.Context(), http.MethodPut, sub+"/resourceGroups/rg/providers/Microsoft.Resources/deployments/plain", plain, nil); !errors.As(err, &refused) || refused.Code != "InvalidTemplate" {
		t.Errorf("a parameter that is no object: %v", err)
	}
	stranger, err := c.NewServicePrincipal(t.Context(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deploy(t, clients(t, c, stranger), "d", deployment(t, main, armdeployments.DeploymentModeIncremental, nil)); code(err) != "AuthorizationFailed" {
		t.Errorf("a stranger's deployment: %v", err)
	}
}

// A deployment that runs can be cancelled, and not be replaced.
func TestCancel(t *testing.T) {
	hold := make(chan struct{})
	c := cloudtest.Start(t, providers(t, hold))
	t.Cleanup(func() { close(hold) })
	f := clients(t, c, c.Owner)
	group(t, f)
	d := deployment(t, main, armdeployments.DeploymentModeIncremental, nil)
	poller, err := f.NewDeploymentsClient().BeginCreateOrUpdate(t.Context(), "rg", "first", d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.NewDeploymentsClient().BeginCreateOrUpdate(t.Context(), "rg", "first", d, nil); code(err) != "DeploymentActive" {
		t.Errorf("a second of the same name: %v", err)
	}
	if _, err := f.NewDeploymentsClient().Cancel(t.Context(), "rg", "first", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err == nil {
		t.Error("the cancelled deployment has succeeded")
	}
	got, err := f.NewDeploymentsClient().Get(t.Context(), "rg", "first", nil)
	if err != nil || *got.Properties.ProvisioningState != armdeployments.ProvisioningStateCanceled {
		t.Errorf("after cancel: %+v, %v", got.Properties, err)
	}
	if _, err := f.NewDeploymentsClient().Cancel(t.Context(), "rg", "first", nil); code(err) != "DeploymentCannotBeCancelled" {
		t.Errorf("cancelling it again: %v", err)
	}
}

func code(err error) string {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.ErrorCode
	}
	return fmt.Sprint(err)
}
