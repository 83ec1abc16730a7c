package cloud

import (
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// A service is told of a caller's subnet only where the subnet has a service
// endpoint for it.
func TestServiceSubnet(t *testing.T) {
	id := func(typ, name string) arm.ID { return arm.ResourceID(testSub, "rg", typ, name) }
	vnet, nic := id(service.TypeVirtualNetwork, "v"), id(service.TypeNetworkInterface, "nic")
	subnet := vnet.Child("subnets", "s")
	e, err := arm.NewEstate(
		arm.Resource{ID: vnet, Name: "v", Type: vnet.Type(), Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}},
		arm.Resource{ID: subnet, Name: "s", Type: subnet.Type(), Properties: arm.Object{
			"addressPrefix": "10.0.0.0/24", "serviceEndpoints": []any{arm.Object{"service": "Microsoft.Storage"}},
		}},
		arm.Resource{ID: nic, Name: "nic", Type: nic.Type(), Properties: arm.Object{"ipConfigurations": []any{arm.Object{
			"name": "d", "properties": arm.Object{"subnet": arm.Object{"id": string(subnet)}, "privateIPAddress": "10.0.0.4"},
		}}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	topology := network.FromEstate(e)
	address := func(typ, name string) netip.Addr {
		return service.PublicAddr(service.Endpoints(arm.Resource{ID: id(typ, name), Name: name, Type: typ})[0])
	}
	inside := netip.MustParseAddr("10.0.0.4")
	for _, tt := range []struct {
		name     string
		from, to netip.Addr
		want     arm.ID
	}{
		{"storage, which the subnet has an endpoint for", inside, address(service.TypeStorageAccount, "st"), subnet},
		{"a vault, which it has none for", inside, address(service.TypeKeyVault, "kv"), ""},
		{"storage from the internet", service.Outsider, address(service.TypeStorageAccount, "st"), ""},
	} {
		if got := serviceSubnet(topology, tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
