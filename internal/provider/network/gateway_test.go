package network_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

func TestGatewaysAndTheirConnections(t *testing.T) {
	c, _, _ := start(t)
	id := func(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, group, typ, name) }
	vnet := id(service.TypeVirtualNetwork, "v")
	put(t, c, arm.Resource{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}})
	for i, name := range []string{"GatewaySubnet", "other"} {
		put(t, c, arm.Resource{ID: vnet.Child("subnets", name), Properties: arm.Object{"addressPrefix": fmt.Sprintf("10.0.%d.0/27", i)}})
	}
	gateway := func(subnet string) arm.Resource {
		return arm.Resource{ID: id("Microsoft.Network/virtualNetworkGateways", "gw"), Location: "westeurope", Properties: arm.Object{
			"gatewayType": "Vpn", "ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": arm.Object{"id": string(vnet.Child("subnets", subnet))}}}},
		}}
	}
	if _, err := c.Client().Put(t.Context(), gateway("other")); err == nil || !strings.Contains(err.Error(), "GatewaySubnet") {
		t.Errorf("a gateway in a subnet of another name: %v", err)
	}
	gw := put(t, c, gateway("GatewaySubnet"))
	site := put(t, c, arm.Resource{ID: id("Microsoft.Network/localNetworkGateways", "office"), Location: "westeurope", Properties: arm.Object{
		"localNetworkAddressSpace": arm.Object{"addressPrefixes": []any{"192.168.0.0/24"}},
	}})
	made := put(t, c, arm.Resource{ID: id("Microsoft.Network/connections", "to-office"), Location: "westeurope", Properties: arm.Object{
		"connectionType": "IPsec", "sharedKey": "s3cret",
		"virtualNetworkGateway1": arm.Object{"id": string(gw.ID)}, "localNetworkGateway2": arm.Object{"id": string(site.ID)},
	}})
	if _, shown := made.Properties["sharedKey"]; shown {
		t.Error("the shared key is shown")
	}
	if err := c.Client().Delete(t.Context(), site.ID); err == nil {
		t.Error("a local network gateway is deleted while a connection leads to it")
	}
}
