package network_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// inHub: a network is connected to a hub of the one Virtual WAN.
func (o oracle) inHub(vnet arm.ID) bool {
	for _, c := range o.e.OfType("Microsoft.Network/virtualHubs/hubVirtualNetworkConnections") {
		if arm.Ref(c.Properties, "remoteVirtualNetwork.id").Equal(vnet) {
			return true
		}
	}
	return false
}

// hubPeers are the networks to which hubs take the packets of a network: all that are
// connected to a hub of the same Virtual WAN, whichever.
func (o oracle) hubPeers(vnet arm.ID) []arm.ID {
	var out []arm.ID
	for _, v := range o.e.OfType("Microsoft.Network/virtualNetworks") {
		if o.inHub(vnet) && o.inHub(v.ID) && !v.ID.Equal(vnet) {
			out = append(out, v.ID)
		}
	}
	return out
}

// byHub is the network behind a hub that has an address.
func (o oracle) byHub(vnet arm.ID, a netip.Addr) (arm.ID, bool) {
	for _, v := range o.hubPeers(vnet) {
		if anyContains(o.space(v), a) {
			return v, true
		}
	}
	return "", false
}

// The engine and the oracle agree about networks that virtual hubs connect.
func TestPlainHubsAgreeWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		shape := nt.Complete
		shape.Hubs = true
		shape.Overlap, shape.Gateway, shape.Joined, shape.Elsewhere = false, false, false, false
		e := nt.Random(t, shape)
		o := oracle{e: e, top: network.FromEstate(e)}
		spaces := o.top.Spaces("")
		for range 30 {
			f := nt.Flow(t, o.top)
			f.SourcePort = 50000
			o.check(t, f)
			got, err := in(spaces.Between(f.Source, f.Destination), packet(f))
			if want := o.reach(f); err != nil || got != want {
				t.Fatalf("%+v: the sets say %v (%v), the oracle %v\n%s", f, got, err, want, dump(e))
			}
		}
	})
}
