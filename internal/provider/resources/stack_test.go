package resources_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeploymentstacks"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
)

// stackWorld is a cloud with a group, and the clients of one principal.
type stackWorld struct {
	t      *testing.T
	cloud  *cloudtest.Cloud
	stacks *armdeploymentstacks.Client
	denied *armauthorization.DenyAssignmentsClient
	put    armdeploymentstacks.DeploymentStack
}

func newStackWorld(t *testing.T) *stackWorld {
	t.Helper()
	c := cloudtest.Start(t, func(h cloud.Host) []cloud.Provider {
		return append(providers(t, open())(h), authorization.New(h.(*cloud.Cloud)))
	})
	group(t, clients(t, c, c.Owner))
	return (&stackWorld{t: t, cloud: c}).as(c.Owner)
}

func (w *stackWorld) as(who cloud.Credentials) *stackWorld {
	w.t.Helper()
	next := *w
	cred, options := w.cloud.SDK(who)
	var err error
	if next.stacks, err = armdeploymentstacks.NewClient(cloudtest.Subscription, cred, options); err != nil {
		w.t.Fatal(err)
	}
	if next.denied, err = armauthorization.NewDenyAssignmentsClient(cloudtest.Subscription, cred, options); err != nil {
		w.t.Fatal(err)
	}
	next.put = armdeploymentstacks.DeploymentStack{Properties: &armdeploymentstacks.DeploymentStackProperties{
		Template:         parsed(w.t, main),
		ActionOnUnmanage: &armdeploymentstacks.ActionOnUnmanage{Resources: to.Ptr(armdeploymentstacks.DeploymentStacksDeleteDetachEnumDelete)},
		DenySettings:     &armdeploymentstacks.DenySettings{Mode: to.Ptr(armdeploymentstacks.DenySettingsModeNone)},
	}}
	next.count(2)
	return &next
}

// count says how many of fast0, fast1, ... the template has.
func (w *stackWorld) count(n int) {
	w.put.Properties.Parameters = map[string]*armdeploymentstacks.DeploymentParameter{"count": {Value: n}}
}

// deploy puts the stack as it is to be, and returns how it has ended.
func (w *stackWorld) deploy() (*armdeploymentstacks.DeploymentStackProperties, error) {
	w.t.Helper()
	poller, err := w.stacks.BeginCreateOrUpdateAtResourceGroup(w.t.Context(), "rg", "st", w.put, nil)
	if err != nil {
		return nil, err
	}
	got, err := poller.PollUntilDone(w.t.Context(), nil)
	if err != nil {
		return nil, err
	}
	return got.Properties, nil
}

func (w *stackWorld) mustDeploy() *armdeploymentstacks.DeploymentStackProperties {
	w.t.Helper()
	got, err := w.deploy()
	if err != nil {
		w.t.Fatal(err)
	}
	if *got.ProvisioningState != armdeploymentstacks.DeploymentStackProvisioningStateSucceeded {
		w.t.Fatalf("the stack is %s: %+v", *got.ProvisioningState, got.Error)
	}
	return got
}

// ask makes a request of a resource in the group, and returns the error's code.
func (w *stackWorld) ask(who cloud.Credentials, method, path string) string {
	w.t.Helper()
	var body any
	if method == http.MethodPut {
		body = arm.Object{"properties": arm.Object{"by": "hand"}}
	}
	err := w.cloud.ClientAs(who).Do(w.t.Context(), method, sub+"/resourceGroups/rg"+path, body, nil)
	var refused *client.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	}
	return err.Error()
}

// names are the resources on which something is denied, as the list of the group says.
func (w *stackWorld) deniedOn() string {
	w.t.Helper()
	var names []string
	for pager := w.denied.NewListForResourceGroupPager("rg", nil); pager.More(); {
		page, err := pager.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, d := range page.Value {
			if !*d.Properties.IsSystemProtected || !strings.Contains(*d.Properties.DenyAssignmentName, "/deploymentStacks/st'") {
				w.t.Errorf("deny assignment %s: %+v", *d.ID, d.Properties)
			}
			permission := d.Properties.Permissions[0]
			names = append(names, arm.ID(*d.Properties.Scope).Name()+" "+*permission.Actions[0])
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func managed(p *armdeploymentstacks.DeploymentStackProperties) string {
	var out []string
	for _, r := range p.Resources {
		out = append(out, fmt.Sprintf("%s %s %s", arm.ID(*r.ID).Name(), *r.Status, *r.DenyStatus))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestStackDeniesAndUnmanages(t *testing.T) {
	w := newStackWorld(t)
	owner := w.cloud.Owner
	const fast = "/providers/A.B/fast/"
	deny := w.put.Properties.DenySettings
	friend, err := w.cloud.NewServicePrincipal(t.Context(), "friend")
	if err != nil {
		t.Fatal(err)
	}
	give(t, w.cloud, friend, "Contributor")

	t.Log("deletion is denied, to all but one")
	deny.Mode, deny.ExcludedPrincipals = to.Ptr(armdeploymentstacks.DenySettingsModeDenyDelete), []*string{&friend.ObjectID}
	made := w.mustDeploy()
	if got := managed(made); got != "fast0 managed denyDelete, fast1 managed denyDelete, reader managed denyDelete, slow managed denyDelete" {
		t.Errorf("managed: %s", got)
	}
	if got := w.deniedOn(); got != "fast0 */delete, fast1 */delete, reader */delete, slow */delete" {
		t.Errorf("denied: %s", got)
	}
	for _, tt := range []struct {
		who          cloud.Credentials
		method, path string
		want         string
	}{
		{owner, "DELETE", fast + "fast0", "DenyAssignmentAuthorizationFailed"},
		{owner, "PUT", fast + "fast0", ""},
		{owner, "DELETE", "", "DenyAssignmentAuthorizationFailed"}, // the group
		{owner, "PUT", fast + "other", ""},
		{owner, "DELETE", fast + "other", ""},
		{friend, "DELETE", fast + "fast1", ""},
	} {
		if got := w.ask(tt.who, tt.method, tt.path); got != tt.want {
			t.Errorf("%s of %q: %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}

	t.Log("a change is denied too, but not to the stack, which deletes what the template has no more")
	deny.Mode, deny.ExcludedPrincipals, deny.ExcludedActions = to.Ptr(armdeploymentstacks.DenySettingsModeDenyWriteAndDelete), nil, []*string{to.Ptr("A.B/slow/delete")}
	w.mustDeploy()
	w.count(1)
	w.put.Properties.Parameters["size"] = &armdeploymentstacks.DeploymentParameter{Value: "large"}
	made = w.mustDeploy()
	if len(made.DeletedResources) != 1 || arm.ID(*made.DeletedResources[0].ID).Name() != "fast1" {
		t.Errorf("deleted: %+v", made.DeletedResources)
	}
	if slow, _ := w.cloud.Get(sub + "/resourceGroups/rg/providers/A.B/slow/slow"); arm.String(slow.Properties, "size") != "large" {
		t.Errorf("the stack has not changed what it denies to others: %v", slow.Properties)
	}
	for _, tt := range []struct{ method, path, want string }{
		{"GET", fast + "fast0", ""},
		{"PUT", fast + "fast0", "DenyAssignmentAuthorizationFailed"},
		{"DELETE", fast + "reader", "DenyAssignmentAuthorizationFailed"},
		{"DELETE", fast + "fast1", ""}, // which is not there
		{"DELETE", "/providers/A.B/slow/slow", ""},
	} {
		if got := w.ask(owner, tt.method, tt.path); got != tt.want {
			t.Errorf("%s of %q: %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}

	t.Log("what is detached stays, and is free")
	w.count(0)
	w.put.Properties.ActionOnUnmanage.Resources = to.Ptr(armdeploymentstacks.DeploymentStacksDeleteDetachEnumDetach)
	made = w.mustDeploy()
	if len(made.DetachedResources) != 1 || w.deniedOn() != "reader *, slow *" {
		t.Errorf("detached %+v, denied %s", made.DetachedResources, w.deniedOn())
	}
	if got := w.ask(owner, "PUT", fast+"fast0"); got != "" {
		t.Errorf("what was detached is denied: %s", got)
	}

	t.Log("the stack's end")
	poller, err := w.stacks.BeginDeleteAtResourceGroup(t.Context(), "rg", "st", &armdeploymentstacks.ClientBeginDeleteAtResourceGroupOptions{
		UnmanageActionResources: to.Ptr(armdeploymentstacks.UnmanageActionResourceModeDelete),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := held(t, clients(t, w.cloud, owner)); got != "fast0" || w.deniedOn() != "" {
		t.Errorf("the group holds %s, and %s is denied", got, w.deniedOn())
	}
	if _, err := w.stacks.GetAtResourceGroup(t.Context(), "rg", "st", nil); code(err) != "DeploymentStackNotFound" {
		t.Errorf("the stack after its end: %v", err)
	}
}

// A stack whose deployment fails keeps what it managed, and goes on denying.
func TestStackFails(t *testing.T) {
	w := newStackWorld(t)
	w.put.Properties.DenySettings.Mode = to.Ptr(armdeploymentstacks.DenySettingsModeDenyDelete)
	w.mustDeploy()
	w.put.Properties.Template = parsed(t, strings.Replace(main, `"size": "[parameters('size')]"`, `"wrong": true`, 1))
	w.count(0)
	if _, err := w.deploy(); err == nil {
		t.Fatal("it was deployed")
	}
	got, err := w.stacks.GetAtResourceGroup(t.Context(), "rg", "st", nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Properties; *p.ProvisioningState != armdeploymentstacks.DeploymentStackProvisioningStateFailed || len(p.FailedResources) != 1 || *p.Error.Details[0].Code != "Wrong" {
		t.Errorf("the stack: %s, %+v", *p.ProvisioningState, p.Error)
	}
	if got := w.deniedOn(); got != "fast0 */delete, fast1 */delete, reader */delete, slow */delete" {
		t.Errorf("denied: %s", got)
	}
}

func TestStacksRefused(t *testing.T) {
	w := newStackWorld(t)
	contributor, err := w.cloud.NewServicePrincipal(t.Context(), "contributor")
	if err != nil {
		t.Fatal(err)
	}
	give(t, w.cloud, contributor, "Contributor")
	for _, tt := range []struct {
		name   string
		change func(*armdeploymentstacks.DeploymentStackProperties)
		who    cloud.Credentials
		code   string
	}{
		{"as it should be", func(*armdeploymentstacks.DeploymentStackProperties) {}, contributor, ""},
		{"no deny settings", func(p *armdeploymentstacks.DeploymentStackProperties) { p.DenySettings = nil }, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"no such mode", func(p *armdeploymentstacks.DeploymentStackProperties) {
			p.DenySettings.Mode = to.Ptr(armdeploymentstacks.DenySettingsMode("denyAll"))
		}, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"nothing to do with what is not managed", func(p *armdeploymentstacks.DeploymentStackProperties) { p.ActionOnUnmanage.Resources = nil }, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"a principal by name", func(p *armdeploymentstacks.DeploymentStackProperties) {
			p.DenySettings.ExcludedPrincipals = []*string{to.Ptr("ada")}
		}, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"six principals", func(p *armdeploymentstacks.DeploymentStackProperties) {
			for range 6 {
				p.DenySettings.ExcludedPrincipals = append(p.DenySettings.ExcludedPrincipals, to.Ptr(cloudtest.Tenant))
			}
		}, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"another group", func(p *armdeploymentstacks.DeploymentStackProperties) {
			p.DeploymentScope = to.Ptr(sub + "/resourceGroups/other")
		}, w.cloud.Owner, "DeploymentStackInvalidRequest"},
		{"a template that cannot be", func(p *armdeploymentstacks.DeploymentStackProperties) {
			p.Template = parsed(t, strings.Replace(main, `, "defaultValue": "small"`, "", 1))
		}, w.cloud.Owner, "InvalidTemplate"},
		{"denials by who may not manage them", func(p *armdeploymentstacks.DeploymentStackProperties) {
			p.DenySettings.Mode = to.Ptr(armdeploymentstacks.DenySettingsModeDenyDelete)
		}, contributor, "AuthorizationFailed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := w.as(tt.who)
			tt.change(one.put.Properties)
			poller, err := one.stacks.BeginValidateStackAtResourceGroup(t.Context(), "rg", "st", one.put, nil)
			if err == nil {
				_, err = poller.PollUntilDone(t.Context(), nil)
			}
			if err != nil && code(err) != tt.code || err == nil && tt.code != "" {
				t.Errorf("validate: %v, want %q", err, tt.code)
			}
			if _, err = one.deploy(); err != nil && code(err) != tt.code || err == nil && tt.code != "" {
				t.Errorf("deploy: %v, want %q", err, tt.code)
			}
		})
	}
	w.put.Location = to.Ptr("westeurope")
	if _, err := w.stacks.BeginCreateOrUpdateAtSubscription(t.Context(), "st", w.put, nil); code(err) != "DeploymentStackScopeNotSupported" {
		t.Errorf("a stack of the subscription: %v", err)
	}
	w.put.Location = nil
	w.put.Properties.DenySettings.Mode = to.Ptr(armdeploymentstacks.DenySettingsModeDenyDelete)
	w.mustDeploy()
	if _, err := w.as(contributor).stacks.BeginDeleteAtResourceGroup(t.Context(), "rg", "st", nil); code(err) != "AuthorizationFailed" {
		t.Errorf("the end of a stack that denies: %v", err)
	}
	var denial string
	for pager := w.denied.NewListForResourceGroupPager("rg", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		denial = *page.Value[0].ID
	}
	if got := w.ask(w.cloud.Owner, "DELETE", strings.TrimPrefix(denial, sub+"/resourceGroups/rg")); got == "" {
		t.Error("a deny assignment was deleted by hand")
	}
}

// give gives a principal a role at the group.
func give(t *testing.T, c *cloudtest.Cloud, who cloud.Credentials, role string) {
	t.Helper()
	group := arm.ID(sub + "/resourceGroups/rg")
	definition := map[string]string{"Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c"}[role]
	err := c.Client().Do(t.Context(), http.MethodPut, string(group.Extension("Microsoft.Authorization", "roleAssignments", arm.StableGUID(group, who.ObjectID))), arm.Object{"properties": arm.Object{
		"principalId": who.ObjectID, "roleDefinitionId": sub + "/providers/Microsoft.Authorization/roleDefinitions/" + definition,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}
