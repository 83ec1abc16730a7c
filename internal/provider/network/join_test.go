package network_test

import (
	"errors"
	"testing"

	"github.com/cloister-ml/cloister/arm"
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
	who, err := c.NewServicePrincipal(t.Context(), "contributor")
	if err != nil {
		t.Fatal(err)
	}
	give := func(role, name string, scope arm.ID) {
		put(t, c, arm.Resource{ID: scope.Extension("Microsoft.Authorization", "roleAssignments", name), Properties: arm.Object{
			"roleDefinitionId": "/subscriptions/" + cloudtest.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
			"principalId":      who.ObjectID, "principalType": "ServicePrincipal", "scope": string(scope),
		}})
	}
	const contributor, networkContributor = "b24988ac-6180-42a0-ab88-20f7382dd24c", "4d97b98b-1d4f-4787-a291-c67834d212e7"
	give(contributor, "00000000-0000-4000-8000-000000000001", mine)
	nic := arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, "rg-mine", service.TypeNetworkInterface, "nic"), Location: "westeurope", Properties: arm.Object{
		"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": arm.Object{"id": string(subnet)}}}},
	}}
	_, err = c.ClientAs(who).Put(t.Context(), nic)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != "LinkedAuthorizationFailed" {
		t.Errorf("without a role on the subnet: %v", err)
	}
	give(networkContributor, "00000000-0000-4000-8000-000000000002", subnet)
	if _, err := c.ClientAs(who).Put(t.Context(), nic); err != nil {
		t.Errorf("with a role on the subnet: %v", err)
	}
}
