package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// notInEstate is why nothing can be said of what a network holds.
func notInEstate(vnet arm.ID) string {
	return fmt.Sprintf("virtual network %s is peered, but its documents are not in the estate (%s)", vnet.Name(), vnet)
}

// elsewherePeer is a peering of a network of the estate with one that is not in it.
type elsewherePeer struct {
	vnet    VNet
	peering Peering
}

// elsewhere are the peerings with networks outside the estate that have an address
// or, where their space is not known, may have it.
func (t *Topology) elsewhere(a netip.Addr) []elsewherePeer {
	if t.inSpace(a) {
		return nil
	}
	var out []elsewherePeer
	for _, v := range t.VNets {
		for _, p := range v.Peerings {
			if !contains(p.RemoteAddressSpace, a) && (len(p.RemoteAddressSpace) > 0 || isPublic(a)) {
				continue
			}
			_, ours := t.VNet(p.Remote)
			_, open := p.Doubts.About(aboutConnected)
			_, unnamed := p.Doubts.About(aboutRemote)
			if unnamed || p.Remote != "" && !ours && (p.Connected || open) {
				out = append(out, elsewherePeer{v, p})
			}
		}
	}
	return out
}

// fromElsewhere brings packets in from a peered network that is not in the estate.
// That they start is not certain; whether the groups at their destination let them
// in is.
func (w *walk) fromElsewhere(peers []elsewherePeer) {
	from := peers[0]
	for _, p := range peers {
		if contains(p.vnet.AddressSpace, w.to) {
			from = p
			break
		}
	}
	remote := VNet{ID: from.peering.Remote, Name: from.peering.Remote.Name(), AddressSpace: from.peering.RemoteAddressSpace}
	step := verdict.Step{At: "source " + w.from.String(), Resource: from.peering.ID, Value: verdict.Unknown,
		Reason: fmt.Sprintf("what sends from %s is not known: %s", w.from, notInEstate(remote.ID))}
	if d, unnamed := from.peering.Doubts.About(aboutRemote); unnamed {
		step.Reason = fmt.Sprintf("which network peering %s leads to is not known: %s", from.peering.ID.Name(), d.Reason)
	}
	if !contains(from.vnet.AddressSpace, w.to) || !from.peering.Connected {
		w.end(step)
		return
	}
	w.origin = place{nic: NIC{Name: w.from.String(), Addrs: []netip.Addr{w.from}}, vnet: remote}
	w.outside = false
	if w.add(step) {
		w.arrive(from.vnet.ID)
	}
}
