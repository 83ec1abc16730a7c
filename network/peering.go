package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const (
	aboutRemote    = "remoteVirtualNetwork.id"
	aboutAccess    = "allowVirtualNetworkAccess"
	aboutConnected = "connected"
	aboutForwarded = "allowForwardedTraffic"
)

// peerings reads every half, then joins the halves: a peering carries traffic
// only when both networks have declared it and their spaces are apart.
func (b *builder) peerings() {
	for _, r := range b.e.OfType(typePeering) {
		i, ok := b.t.vnetAt[r.ID.Parent().Key()]
		if !ok {
			b.problem(r, "the virtual network %s of peering %s is not in the estate; declare it", r.ID.Parent(), r.ID.Name())
			continue
		}
		b.t.VNets[i].Peerings = append(b.t.VNets[i].Peerings, b.peering(r))
	}
	for i := range b.t.VNets {
		for j := range b.t.VNets[i].Peerings {
			b.connect(b.t.VNets[i], &b.t.VNets[i].Peerings[j])
		}
	}
	for i := range b.t.VNets {
		b.separatePeers(&b.t.VNets[i])
	}
}

// separatePeers refuses a second peer whose space overlaps that of an earlier
// one: the network could not tell them apart.
func (b *builder) separatePeers(v *VNet) {
	for j := range v.Peerings {
		p := &v.Peerings[j]
		for _, q := range v.Peerings[:j] {
			if !p.Connected || !q.Connected || p.Remote.Equal(q.Remote) {
				continue
			}
			mine, theirs, ok := Overlap(p.RemoteAddressSpace, q.RemoteAddressSpace)
			if !ok {
				continue
			}
			b.problemOf(p.ID, "peering %s: %s of %s overlaps %s of %s, with which %s is peered already; renumber one",
				p.ID.Name(), mine, p.Remote.Name(), theirs, q.Remote.Name(), v.Name)
			b.disconnect(v.ID, p.Remote)
		}
	}
}

func (b *builder) disconnect(x, y arm.ID) {
	for _, pair := range [][2]arm.ID{{x, y}, {y, x}} {
		i, ok := b.t.vnetAt[pair[0].Key()]
		if !ok {
			continue
		}
		for j := range b.t.VNets[i].Peerings {
			if p := &b.t.VNets[i].Peerings[j]; p.Remote.Equal(pair[1]) {
				p.Connected = false
			}
		}
	}
}

func (b *builder) peering(r arm.Resource) Peering {
	p := Peering{ID: r.ID}
	d := b.read(r, &p.Doubts)
	p.Remote = d.ref(aboutRemote)
	p.AllowAccess = d.flag(aboutAccess, true)
	p.AllowForwarded = d.flag(aboutForwarded, false)
	p.AllowGatewayTransit = d.flag("allowGatewayTransit", false)
	p.UseRemoteGateways = d.flag("useRemoteGateways", false)
	if remote, ok := b.t.VNet(p.Remote); ok {
		p.RemoteAddressSpace = remote.AddressSpace
		if hidden, unknown := remote.Doubts.About(aboutSpace); unknown {
			p.Doubts = append(p.Doubts, Doubt{About: aboutSpace, Within: private, Reason: remote.Name + ": " + hidden.Reason})
		}
	}
	return p
}

func (b *builder) connect(v VNet, p *Peering) {
	if p.Remote == "" {
		if _, unknown := p.Doubts.About(aboutRemote); !unknown {
			b.problemOf(p.ID, "peering %s names no remote network; set remoteVirtualNetwork.id", p.ID.Name())
		}
		return
	}
	if p.Remote.Equal(v.ID) {
		b.problemOf(p.ID, "peering %s joins %s to itself; name another network", p.ID.Name(), v.Name)
		return
	}
	remote, ok := b.t.VNet(p.Remote)
	if !ok {
		b.outside(p)
		return
	}
	if mine, theirs, ok := Overlap(v.AddressSpace, remote.AddressSpace); ok {
		b.problemOf(p.ID, "peering %s: %s of %s overlaps %s of %s; networks with overlapping address space cannot be peered, so renumber one",
			p.ID.Name(), mine, v.Name, theirs, remote.Name)
		return
	}
	if slices.ContainsFunc(remote.Peerings, func(q Peering) bool { return q.Remote.Equal(v.ID) }) {
		p.Connected = true
		return
	}
	for _, q := range remote.Peerings {
		if doubt, ok := q.Doubts.About(aboutRemote); ok {
			p.Doubts = append(p.Doubts, Doubt{About: aboutConnected, Within: remote.AddressSpace,
				Reason: fmt.Sprintf("whether %s peers back is not known: peering %s: %s", remote.Name, q.ID.Name(), doubt.Reason)})
			return
		}
	}
}

// outside is a peering with a network that the estate does not hold: its own
// state, where the document has it, is all there is to go by.
func (b *builder) outside(p *Peering) {
	r, _ := b.e.Get(p.ID)
	d := b.read(r, &p.Doubts)
	p.RemoteAddressSpace = d.as(aboutSpace).prefixes("remoteVirtualNetworkAddressSpace.addressPrefixes")
	if len(p.RemoteAddressSpace) == 0 {
		p.RemoteAddressSpace = d.as(aboutSpace).prefixes("remoteAddressSpace.addressPrefixes")
	}
	p.Connected = strings.EqualFold(arm.String(r.Properties, "peeringState"), "Connected")
	if !p.Connected {
		p.Doubts = append(p.Doubts, Doubt{About: aboutConnected,
			Reason: fmt.Sprintf("the remote network %s of peering %s is not in the estate", p.Remote.Name(), p.ID.Name())})
	}
}

// link is the half that leads from v to another network.
func (v VNet) link(to arm.ID) (Peering, bool) {
	var found Peering
	for _, p := range v.Peerings {
		if !p.Remote.Equal(to) {
			continue
		}
		if p.Connected {
			return p, true
		}
		if found.ID == "" {
			found = p
		}
	}
	return found, found.ID != ""
}
