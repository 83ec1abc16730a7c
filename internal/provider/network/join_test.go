package network_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

// Who may write in one group cannot join a network of another with it.
func TestJoinNeedsPermission(t *testing.T) {
	c, _, _ := start(t)
	mine := arm.GroupID(cloudtest.Subscription, "rg-mine")
	put(t, c, arm.Resource{ID: mine, Location: "westeurope"})
	network := arm.ResourceID(cloudtest.Subscription, group, service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: network, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	subnet := network.Child("subnets", "s")
	put(t, c, arm.Resource{ID: subnet, Properties: arm.Object{"addressPrefix": "10.0.0.0/24"}})
	who, give := contributorOf(t, c, mine)
	nic := arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, "rg-mine", service.TypeNetworkInterface, "nic"), Location: "westeurope", Properties: arm.Object{
		"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": arm.Object{"id": string(subnet)}}}},
	}}
	if _, err := c.ClientAs(who).Put(t.Context(), nic); !linkRefused(err, "Microsoft.Network/virtualNetworks/subnets/join/action") {
		t.Errorf("without a role on the subnet: %v", err)
	}
	give(networkContributor, subnet)
	if _, err := c.ClientAs(who).Put(t.Context(), nic); err != nil {
		t.Errorf("with a role on the subnet: %v", err)
	}
}

// Who may write in one group opens no door into a service of another: that is for
// those who may approve it there.
func TestPrivateEndpointNeedsApproval(t *testing.T) {
	c, _, _ := start(t)
	mine := arm.GroupID(cloudtest.Subscription, "rg-mine")
	put(t, c, arm.Resource{ID: mine, Location: "westeurope"})
	account := arm.ResourceID(cloudtest.Subscription, group, service.TypeStorageAccount, "theirs")
	put(t, c, arm.Resource{ID: account, Location: "westeurope"})
	network := arm.ResourceID(cloudtest.Subscription, "rg-mine", service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: network, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	subnet := network.Child("subnets", "s")
	put(t, c, arm.Resource{ID: subnet, Properties: arm.Object{"addressPrefix": "10.0.0.0/24"}})
	who, give := contributorOf(t, c, mine)
	endpoint := func(list string) arm.Resource {
		return arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, "rg-mine", service.TypePrivateEndpoint, "pe"), Location: "westeurope", Properties: arm.Object{
			"subnet": arm.Object{"id": string(subnet)},
			list: []any{arm.Object{"name": "c", "properties": arm.Object{
				"privateLinkServiceId": string(account), "groupIds": []any{"blob"},
				"privateLinkServiceConnectionState": arm.Object{"status": "Approved"},
			}}},
		}}
	}
	const approve = "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action"
	if _, err := c.ClientAs(who).Put(t.Context(), endpoint("privateLinkServiceConnections")); !linkRefused(err, approve) {
		t.Errorf("without a role on the account: %v", err)
	}
	asked, err := c.ClientAs(who).Put(t.Context(), endpoint("manualPrivateLinkServiceConnections"))
	if err != nil {
		t.Fatalf("asking for approval: %v", err)
	}
	for _, connection := range arm.Objects(asked.Properties, "manualPrivateLinkServiceConnections") {
		if status := arm.String(connection, "properties.privateLinkServiceConnectionState.status"); status != "Pending" {
			t.Errorf("what was asked for is %s", status)
		}
	}
	if _, err := c.ClientAs(who).Put(t.Context(), endpoint("privateLinkServiceConnections")); !linkRefused(err, approve) {
		t.Errorf("approving what was asked for: %v", err)
	}
	give(contributor, account)
	if _, err := c.ClientAs(who).Put(t.Context(), endpoint("privateLinkServiceConnections")); err != nil {
		t.Errorf("with a role on the account: %v", err)
	}
}

// Who may write in one group gets no token of an identity of another by giving it
// to a machine of theirs.
func TestIdentityNeedsPermission(t *testing.T) {
	c, _, _ := start(t)
	mine := arm.GroupID(cloudtest.Subscription, "rg-mine")
	put(t, c, arm.Resource{ID: mine, Location: "westeurope"})
	user := arm.ResourceID(cloudtest.Subscription, group, "Microsoft.ManagedIdentity/userAssignedIdentities", "powerful")
	put(t, c, arm.Resource{ID: user, Location: "westeurope"})
	who, give := contributorOf(t, c, mine)
	machine := arm.Resource{
		ID: arm.ResourceID(cloudtest.Subscription, "rg-mine", "Microsoft.Compute/virtualMachines", "vm"), Location: "westeurope",
		Identity: &arm.Identity{Type: "UserAssigned", User: map[string]arm.Object{string(user): {}}},
	}
	if _, err := c.ClientAs(who).Put(t.Context(), machine); !linkRefused(err, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action") {
		t.Errorf("without a role on the identity: %v", err)
	}
	give(identityOperator, user)
	if _, err := c.ClientAs(who).Put(t.Context(), machine); err != nil {
		t.Errorf("with a role on the identity: %v", err)
	}
}

const (
	contributor        = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"
	identityOperator   = "f1a07417-d97a-45cb-824c-7a7467783830"
)

// contributorOf makes a principal that is Contributor of a group, and gives what
// gives it a further role.
func contributorOf(t *testing.T, c *cloudtest.Cloud, own arm.ID) (who cloud.Credentials, give func(role string, scope arm.ID)) {
	t.Helper()
	who, err := c.NewServicePrincipal(t.Context(), "contributor")
	if err != nil {
		t.Fatal(err)
	}
	give = func(role string, scope arm.ID) {
		t.Helper()
		put(t, c, arm.Resource{ID: scope.Extension("Microsoft.Authorization", "roleAssignments", uuid.NewString()), Properties: arm.Object{
			"roleDefinitionId": "/subscriptions/" + cloudtest.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
			"principalId":      who.ObjectID, "principalType": "ServicePrincipal", "scope": string(scope),
		}})
	}
	give(contributor, own)
	return who, give
}

func linkRefused(err error, action string) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Code == "LinkedAuthorizationFailed" && strings.Contains(refused.Message, "'"+action+"'")
}
