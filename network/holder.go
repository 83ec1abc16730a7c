package network

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// withoutAddress are the types that name subnets without having an address in
// them, or whose addresses are modelled.
var withoutAddress = []string{
	service.TypeNetworkInterface, service.TypePrivateEndpoint, service.TypeStorageAccount, service.TypeKeyVault,
	service.TypeRegistry, service.TypeWorkspace, service.TypeVirtualNetwork,
	typeSubnet, typePeering, typeNSG, typeRouteTable, typeNATGateway, typeCompute, typeVM, typeScaleSet, typeHub, typeHubConfig,
	typeFirewall, typeBalancer, typePrivateService,
}

// findHolders finds the resources that have addresses in subnets and are of no
// kind that is modelled.
func (b *builder) findHolders() {
	for _, r := range b.e.All() {
		if slices.ContainsFunc(withoutAddress, r.IsType) || !strings.HasPrefix(strings.ToLower(r.Type), "microsoft.") {
			continue
		}
		for _, list := range []string{aboutConfigs, "frontendIPConfigurations", "gatewayIPConfigurations"} {
			for _, o := range arm.Objects(r.Properties, list) {
				b.hold(r, o)
			}
		}
	}
}

func (b *builder) hold(r arm.Resource, o arm.Object) {
	h := holder{id: r.ID, subnet: arm.Ref(o, "properties.subnet.id")}
	if _, ok := b.t.Subnet(h.subnet); !ok {
		return
	}
	if a, err := parseAddr(arm.String(o, "properties.privateIPAddress")); err == nil {
		h.addr = a
	}
	b.t.holders = append(b.t.holders, h)
}
