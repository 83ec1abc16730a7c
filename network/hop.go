package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

func lower(d Direction) string { return strings.ToLower(string(d)) }

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
	if d, may := t.mayLearn(from.subnet, from.vnet, to); may {
		step.Value = verdict.Unknown
		step.Reason += fmt.Sprintf("; but the gateway of %s may have learnt one: %s", from.vnet.Name, d.Reason)
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
