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
	a, step := t.egress6(n)
	return a, answer(step)
}

// egress6 is the way out by IPv6: there is none but what is asked for, a public
// address of the NIC's own or a load balancer's.
//
// Source: Microsoft Learn, "What is IPv6 for Azure Virtual Network?" (benefits,
// capabilities).
func (t *Topology) egress6(n NIC) (netip.Addr, verdict.Step) {
	step := verdict.Step{At: "way out of " + n.Name, Resource: n.ID, Value: verdict.Unknown}
	doubt, unknown := firstDoubt(n.Doubts, aboutPublic, aboutConfigs, aboutPool)
	nat, open := t.nat6(n)
	switch {
	case n.Kind == KindPrivateEndpoint:
		step.Value, step.Reason = verdict.No, "a private endpoint starts no connection"
	case open != "":
		step.Reason = open
	case nat.six:
		step.Resource = t.natOf(n)
		step.Reason = fmt.Sprintf("NAT gateway %s has addresses of IPv6, and what it does with them is not modelled", t.natOf(n).Name())
	case n.PublicAddr6.IsValid():
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s, its own public IPv6 address", n.PublicAddr6)
	case unknown:
		step.Reason = doubt.Reason
	case n.Via == ViaBalancer:
		step.Reason = "it is in the backend pool of a load balancer, and what that lends to IPv6 is not modelled"
	default:
		step.Value, step.Reason = verdict.No, fmt.Sprintf(
			"%s has no way out by IPv6: there is no default outbound access for it; give its IPv6 configuration a public IP address", n.Name)
	}
	if step.Value != verdict.Yes {
		return netip.Addr{}, step
	}
	return n.PublicAddr6, step
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
