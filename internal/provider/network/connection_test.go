package network_test

import (
	"errors"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// A connection that is asked for is closed until the owner of the service approves
// it, and again when it is rejected or deleted.
func TestConnectionsAreDecidedByTheService(t *testing.T) {
	c, _, f := start(t)
	account := put(t, c, arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, group, service.TypeStorageAccount, "stmlops"), Location: "westeurope"})
	vnet := arm.ResourceID(cloudtest.Subscription, group, service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	subnet := put(t, c, arm.Resource{ID: vnet.Child("subnets", "s"), Properties: arm.Object{"addressPrefix": "10.0.1.0/24"}})
	endpoint := arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, group, service.TypePrivateEndpoint, "pe"), Location: "westeurope", Properties: arm.Object{
		"subnet": arm.Object{"id": string(subnet.ID)},
		"manualPrivateLinkServiceConnections": []any{arm.Object{"name": "ask", "properties": arm.Object{
			"privateLinkServiceId": string(account.ID), "groupIds": []any{"blob"}, "requestMessage": "Please.",
		}}},
	}}
	put(t, c, endpoint)

	var list struct{ Value []arm.Resource }
	if err := c.Client().Do(t.Context(), "GET", string(account.ID)+"/privateEndpointConnections", nil, &list); err != nil || len(list.Value) != 1 {
		t.Fatalf("the account's connections: %v, %v", list.Value, err)
	}
	connection := list.Value[0].ID
	decide := func(method, status string) error {
		return c.Client().Do(t.Context(), method, string(connection), arm.Object{"properties": arm.Object{
			"privateLinkServiceConnectionState": arm.Object{"status": status, "description": "by the owner"},
		}}, nil)
	}
	want := func(after, status string) {
		t.Helper()
		got, err := c.Client().Get(t.Context(), connection)
		if s := arm.String(got.Properties, "privateLinkServiceConnectionState.status"); err != nil || s != status {
			t.Errorf("after %s the connection is %q, want %q (%v)", after, s, status, err)
		}
		nic, _ := network.FromEstate(c.Estate()).NIC(endpoint.ID)
		if nic.Approved != (status == "Approved") {
			t.Errorf("after %s the endpoint is open: %t", after, nic.Approved)
		}
	}
	want("asking", "Pending")
	before := f.syncs.Load()
	if err := decide("PUT", "Approved"); err != nil {
		t.Fatal(err)
	}
	want("approval", "Approved")
	if err := c.Wait(t.Context(), endpoint.ID); err != nil || f.syncs.Load() == before {
		t.Errorf("the networks were not told: %v", err)
	}
	put(t, c, endpoint)
	want("a PUT of the endpoint", "Approved")
	if err := decide("PUT", "Rejected"); err != nil {
		t.Fatal(err)
	}
	want("rejection", "Rejected")
	var refused *client.Error
	if err := decide("PUT", "Perhaps"); !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("a status that is none: %v", err)
	}
	if err := decide("DELETE", ""); err != nil {
		t.Fatal(err)
	}
	want("deletion", "Disconnected")
	if err := c.Client().Do(t.Context(), "GET", string(account.ID.Child("privateEndpointConnections", "none")), nil, nil); !client.NotFound(err) {
		t.Errorf("a connection that is not there: %v", err)
	}
}

// A zone is not deleted while networks are linked to it; a group takes both.
func TestZoneWithLinks(t *testing.T) {
	c, _, _ := start(t)
	vnet := arm.ResourceID(cloudtest.Subscription, group, service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	zone := put(t, c, arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, group, service.TypePrivateDNSZone, "example.internal"), Location: "global"}).ID
	link := put(t, c, arm.Resource{ID: zone.Child("virtualNetworkLinks", "one"), Location: "global", Properties: arm.Object{"virtualNetwork": arm.Object{"id": string(vnet)}}}).ID
	var refused *client.Error
	if err := c.Client().Delete(t.Context(), zone); !errors.As(err, &refused) || refused.Code != "CannotDeleteResource" {
		t.Errorf("with a link: %v", err)
	}
	if err := c.Client().Delete(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if err := c.Client().Delete(t.Context(), zone); err != nil {
		t.Errorf("without links: %v", err)
	}
}
