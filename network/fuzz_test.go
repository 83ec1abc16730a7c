package network_test

import (
	"bytes"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

// Whatever the documents say, reading them and asking about them ends in an
// answer and not in a panic.
func FuzzFromEstate(f *testing.F) {
	for seed := range 8 {
		e := rapid.Custom(func(t *rapid.T) *arm.Estate { return nt.Random(t, nt.Everything) }).Example(seed)
		data, err := e.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"resources":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v","type":"Microsoft.Network/virtualNetworks","properties":{"addressSpace":{"addressPrefixes":[1,null,"::/0","0.0.0.0/0",{"$unknown":{"expression":"x"}}]}}}]}`))
	f.Add([]byte(`{"resources":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/c","type":"Microsoft.MachineLearningServices/workspaces/computes","properties":{"computeType":"AmlCompute","properties":{"scaleSettings":{"maxNodeCount":1e300},"subnet":{"id":"/subscriptions/s/resourceGroups/g"}}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := arm.ReadEstate(bytes.NewReader(data))
		if err != nil {
			t.Skip()
		}
		askEverything(e)
	})
}

func askEverything(e *arm.Estate) {
	top := network.FromEstate(e)
	addrs := []netip.Addr{{}, service.Outsider, service.WireServer, netip.MustParseAddr("198.51.100.70"), netip.MustParseAddr("fd00::1"), netip.MustParseAddr("::ffff:10.1.0.4")}
	for i, n := range top.NICs {
		if i < 6 {
			addrs = append(addrs, n.Addrs...)
			addrs = append(addrs, n.PublicAddr)
		}
		top.EgressAddr(n.ID)
		top.Filters(n.ID, network.Inbound)
	}
	for i, s := range top.Subnets {
		top.EffectiveRoutes(s.ID)
		if i < 4 && len(s.Prefixes) > 0 {
			addrs = append(addrs, s.Prefixes[0].Addr())
		}
	}
	for _, from := range addrs {
		for _, to := range addrs {
			top.Reach(network.Flow{Source: from, Destination: to, Protocol: network.TCP, Port: 443})
		}
	}
	for _, r := range e.All() {
		network.Admit(e, r, network.Source{Addr: service.Outsider})
		for _, pe := range e.OfType(service.TypePrivateEndpoint) {
			network.Admit(e, r, network.Source{Endpoint: pe.ID, Trusted: r.ID})
		}
	}
}
