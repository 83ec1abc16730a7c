package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// EgressAddr6 is the public IPv6 address that the internet sees of a NIC's own
// connections, and by what.
func (t *Topology) EgressAddr6(nic arm.ID) (netip.Addr, Answer) {
	n, ok := t.NIC(nic)
	if !ok {
		return netip.Addr{}, answer(verdict.Step{At: "NIC " + nic.Name(), Resource: nic, Value: verdict.No, Reason: "there is no such network interface"})
	}
	a, step := t.egress6(n, TCP)
	return a, answer(step)
}

// egress6 is the way out by IPv6: there is none but what is asked for, a NAT gateway
// of the SKU StandardV2, a public address of the NIC's own or a load balancer's.
//
// Sources: Microsoft Learn, "What is IPv6 for Azure Virtual Network?" (benefits,
// capabilities), "Azure NAT Gateway SKUs" (SKU comparison, known issues), "Outbound
// rules Azure Load Balancer" (limitations).
func (t *Topology) egress6(n NIC, p Protocol) (netip.Addr, verdict.Step) {
	step := verdict.Step{At: "way out of " + n.Name, Resource: n.ID, Value: verdict.Unknown}
	doubt, unknown := firstDoubt(n.Doubts, aboutPublic, aboutConfigs, aboutPool)
	nat, open := t.nat6(n)
	switch {
	case n.Kind == KindPrivateEndpoint:
		step.Value, step.Reason = verdict.No, "a private endpoint starts no connection"
	case open != "":
		step.Reason = open
	case nat.six:
		return t.natEgress6(t.natOf(n), nat, step, p)
	case n.PublicAddr6.IsValid():
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s, its own public IPv6 address", n.PublicAddr6)
		return n.PublicAddr6, step
	case unknown:
		step.Reason = doubt.Reason
	case n.Via == ViaBalancer:
		a, step := t.balancerEgress6(n, step, p)
		if nat.second && step.Value == verdict.Yes {
			step.Value = verdict.Unknown
			step.Reason += fmt.Sprintf("; but NAT gateway %s of the SKU StandardV2 disrupts what leaves by IPv6 by outbound rules", t.natOf(n).Name())
			return netip.Addr{}, step
		}
		return a, step
	default:
		step.Value, step.Reason = verdict.No, fmt.Sprintf(
			"%s has no way out by IPv6: there is no default outbound access for it; give its IPv6 configuration a public IP address", n.Name)
	}
	return netip.Addr{}, step
}

// natEgress6 is the way out by a NAT gateway that has addresses of IPv6.
func (t *Topology) natEgress6(id arm.ID, nat natGateway, step verdict.Step, p Protocol) (netip.Addr, verdict.Step) {
	step.Resource = id
	var own netip.Addr
	for _, public := range nat.addresses {
		if a := t.PublicIP(public); a.Is6() && !own.IsValid() {
			own = a
		}
	}
	switch {
	case !nat.second:
		step.Reason = fmt.Sprintf("NAT gateway %s has addresses of IPv6, which only the SKU StandardV2 takes", id.Name())
	case p == ICMP:
		step.Value, step.Reason = verdict.No, fmt.Sprintf("NAT gateway %s takes out TCP and UDP only", id.Name())
	case !own.IsValid():
		step.Reason = fmt.Sprintf("the IPv6 address of NAT gateway %s is not known", id.Name())
	default:
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s through NAT gateway %s", own, id.Name())
		return own, step
	}
	return netip.Addr{}, step
}

// nat6 is the NAT gateway of a NIC's subnet, or why it is not known whether there is
// one with addresses of IPv6: such a one goes before the NIC's own address.
//
// Source: Microsoft Learn, "Azure NAT Gateway SKUs" (StandardV2, known issues).
func (t *Topology) nat6(n NIC) (natGateway, string) {
	s, _ := t.Subnet(n.Subnet)
	if d, unknown := s.Doubts.About(aboutNAT); unknown {
		return natGateway{}, d.Reason
	}
	nat := t.nats[s.NATGateway.Key()]
	if !nat.six && len(nat.doubts) > 0 {
		return nat, nat.doubts[0].Reason
	}
	return nat, ""
}

func (t *Topology) natOf(n NIC) arm.ID {
	s, _ := t.Subnet(n.Subnet)
	return s.NATGateway
}
