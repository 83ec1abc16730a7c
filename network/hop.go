package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

func lower(d Direction) string { return strings.ToLower(string(d)) }

// appliance is the step to a virtual appliance. What the appliance forwards is
// decided on it and not in the documents; whether it can is.
func (t *Topology) appliance(from place, r Route) verdict.Step {
	step := verdict.Step{At: "virtual appliance " + r.Address.String(), Resource: r.Table, Value: verdict.Unknown}
	home, ok := t.directly(from.vnet, r.Address)
	if !ok {
		step.Reason = fmt.Sprintf("neither %s nor a network peered with it holds %s: Azure takes no notice of such a next hop; name one that is directly reachable", from.vnet.Name, r.Address)
		return step
	}
	to, ok := t.occupant(home, r.Address)
	if !ok {
		return t.unlessHidden(verdict.Step{At: step.At, Resource: r.Table, Value: verdict.No,
			Reason: fmt.Sprintf("route %s sends the packets to %s, which nothing in %s has", r.Name, r.Address, home.Name())}, r.Address)
	}
	step.Resource = to.nic.ID
	forwarding, unknown := to.nic.Doubts.About(aboutForward)
	switch {
	case unknown:
		step.Reason = forwarding.Reason
	case !to.nic.IPForwarding:
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("network interface %s of %s drops what is not for itself: enable IP forwarding on it", to.nic.ID.Name(), to.nic.Name)
	default:
		step.Reason = fmt.Sprintf("what %s forwards is decided by its own configuration, which no document holds", to.nic.Name)
	}
	return step
}

// directly is the network, of v and its connected peers, that holds an address.
func (t *Topology) directly(v VNet, a netip.Addr) (arm.ID, bool) {
	if contains(v.AddressSpace, a) {
		return v.ID, true
	}
	for _, p := range v.Peerings {
		if p.Connected && contains(p.RemoteAddressSpace, a) {
			return p.Remote, true
		}
	}
	return "", false
}

// gateway is the step to a virtual network gateway.
func (t *Topology) gateway(from place) verdict.Step {
	step := verdict.Step{At: "virtual network gateway", Resource: from.vnet.ID, Value: verdict.No,
		Reason: fmt.Sprintf("%s has no virtual network gateway, neither its own nor a peer's: the packets are dropped", from.vnet.Name)}
	if t.hasGateway(from.vnet) {
		step.Value, step.Reason = verdict.Unknown, "what lies behind the gateway is not in the documents"
	}
	return step
}

// hasGateway reports whether a network has a gateway, or uses that of a peer.
func (t *Topology) hasGateway(v VNet) bool {
	if t.gateways[v.ID.Key()] {
		return true
	}
	for _, p := range v.Peerings {
		remote, _ := t.VNet(p.Remote)
		back, _ := remote.link(v.ID)
		if p.Connected && p.UseRemoteGateways && back.AllowGatewayTransit && t.gateways[remote.ID.Key()] {
			return true
		}
	}
	return false
}

// nowhere is the end of a path that has no route, with the reason why the
// destination's network, if it is known, is out of reach.
func (t *Topology) nowhere(from place, r Route, step verdict.Step, to netip.Addr) verdict.Step {
	step.Value = verdict.No
	switch {
	case r.Source == sourceUser:
		step.Reason = fmt.Sprintf("%s drops the packets", r)
		return step
	case !r.Prefix.IsValid():
		step.At = "routes of subnet " + from.subnet.Name
		step.Reason = fmt.Sprintf("no route of subnet %s leads to %s", from.subnet.Name, to)
	default:
		step.Reason = fmt.Sprintf("%s has no route to %s (%s)", from.vnet.Name, to, r)
	}
	return t.apart(from, step, to)
}

// apart adds to a No why the network of the destination cannot be reached, and
// makes it unknown where a gateway may know a way.
func (t *Topology) apart(from place, step verdict.Step, to netip.Addr) verdict.Step {
	if t.hasGateway(from.vnet) {
		step.Value = verdict.Unknown
		step.Reason += fmt.Sprintf("; but the gateway of %s may have learnt one", from.vnet.Name)
		return step
	}
	for _, p := range t.places(to) {
		if p.vnet.ID == "" || p.vnet.ID.Equal(from.vnet.ID) {
			continue
		}
		_, declared := from.vnet.link(p.vnet.ID)
		step.Reason += ": " + whyApart(from.vnet, p.vnet, declared)
		break
	}
	return step
}

func whyApart(v, other VNet, declared bool) string {
	_, reverse := other.link(v.ID)
	switch {
	case declared && reverse:
		return fmt.Sprintf("the peering of %s and %s is refused, because address spaces overlap", v.Name, other.Name)
	case declared:
		return fmt.Sprintf("%s is peered to %s but not back; add the peering from %s to %s", v.Name, other.Name, other.Name, v.Name)
	case reverse:
		return fmt.Sprintf("%s is peered to %s but not back; add the peering from %s to %s", other.Name, v.Name, v.Name, other.Name)
	}
	return fmt.Sprintf("%s and %s are not peered, and peering is not transitive", v.Name, other.Name)
}
