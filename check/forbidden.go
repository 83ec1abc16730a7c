package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// servicesClosed requires of each service that private link can cover that it
// refuses an outsider at every host.
func servicesClosed(w *world) []Requirement {
	var out []Requirement
	for _, ep := range w.endpoints {
		if ep.Group == "" {
			continue
		}
		c := w.cell(outsider(), ep)
		r := Requirement{
			ID:    slug("service-closed-to-internet", endpointSlug(ep)),
			Title: fmt.Sprintf("The internet is refused by %s", serviceLabel(ep)),
			From:  c.From, To: target(ep, c),
			Stages: []Stage{{StageResolve, c.Resolve.Verdict}, {StageConnect, c.Connect}, {StageAdmit, c.Admit}},
		}
		w.settle(&r, ep.Resource)
		if r.Outcome != Holds {
			r.Resource, r.Source = w.declared(ep.Resource)
		}
		r.faults = []fault{openFault(ep.Resource)}
		if r.Outcome == Violated {
			r.Remedy = publicAccessRemedy(ep.Resource)
		}
		out = append(out, r)
	}
	return out
}

func (w *world) declared(id arm.ID) (arm.ID, arm.Source) {
	doc, _ := w.nearest(id)
	return doc.ID, doc.Source
}

// shellPorts are those that lead to a command line, a desktop or a service.
var shellPorts = []uint16{22, 3389, 443, 80, 8080}

// machinesClosed requires that no address of a machine answers an outsider.
func machinesClosed(w *world) []Requirement {
	var out []Requirement
	for _, nic := range w.net.NICs {
		r := Requirement{
			ID:    slug("network-closed-to-internet", nic.Subnet.Parent().Name(), nic.Name),
			Title: fmt.Sprintf("The internet does not reach %s %s", nic.Kind, nic.Name),
			From:  outsider(), To: Target{Name: nic.Name, Resource: nic.Owner},
		}
		addrs := append([]netip.Addr(nil), nic.Addrs...)
		if nic.PublicAddr.IsValid() {
			addrs = append(addrs, nic.PublicAddr)
		}
		asked := flows(service.Outsider, addrs, network.TCP, shellPorts)
		if nic.PublicAddr6.IsValid() {
			asked = append(asked, flows(service.Outsider6, []netip.Addr{nic.PublicAddr6}, network.TCP, shellPorts)...)
		}
		worst := w.worstFlow(asked)
		r.To.Addr, r.To.Port = worst.flow.Destination, worst.flow.Port
		r.Stages = []Stage{{StageConnect, worst.answer}}
		w.settle(&r, nic.ID, nic.Owner)
		for _, g := range []arm.ID{nic.NSG, w.subnetGroup(nic.Subnet)} {
			if g != "" {
				r.faults = append(r.faults, openFault(g))
			}
		}
		if r.Outcome == Violated {
			r.Reason = fmt.Sprintf("TCP %d of %s can be reached: %s", worst.flow.Port, worst.flow.Destination, r.Reason)
			r.Remedy = fmt.Sprintf("take the public address off %s (azurerm_network_interface, public_ip_address_id) and come in by Bastion", nic.Name)
		}
		out = append(out, r)
	}
	return out
}

// flowAnswer is the answer about one flow of several.
type flowAnswer struct {
	flow   network.Flow
	answer verdict.Verdict
}

// flows are those from one address to each of several, at each port.
func flows(from netip.Addr, to []netip.Addr, protocol network.Protocol, ports []uint16) []network.Flow {
	var out []network.Flow
	for _, addr := range to {
		for _, port := range ports {
			out = append(out, network.Flow{Source: from, Destination: addr, Protocol: protocol, Port: port})
		}
	}
	return out
}

// worstFlow asks about each flow, and keeps the answer that is worst for one that
// must not be: yes, then unknown, then no.
func (w *world) worstFlow(list []network.Flow) flowAnswer {
	worst := flowAnswer{answer: single(verdict.No, "", "", "it has no address")}
	rank := map[verdict.Value]int{verdict.No: 0, verdict.Unknown: 1, verdict.Yes: 2}
	for i, f := range list {
		a := w.net.Reach(f)
		if i == 0 || rank[a.Value] > rank[worst.answer.Value] {
			worst = flowAnswer{f, a}
		}
	}
	return worst
}

// trainingOpensNoShell requires that no machine's SSH is open from compute.
func trainingOpensNoShell(w *world) []Requirement {
	var out []Requirement
	for _, p := range w.withRole(RoleCompute) {
		if !p.Addr.IsValid() {
			continue
		}
		for _, to := range w.places {
			if to.Kind != KindMachine || !to.Addr.IsValid() {
				continue
			}
			r := Requirement{
				ID:    slug("training-opens-no-shell", p.Name, to.Name),
				Title: fmt.Sprintf("%s %s opens no SSH to %s", p.label(), p.Name, to.Name),
				From:  p, To: Target{Name: to.Name, Resource: to.Resource, Addr: to.Addr, Port: 22},
				Stages: []Stage{{StageConnect, w.connect(p, to.Addr, 22)}},
			}
			w.settle(&r, p.Resource)
			if r.Outcome == Violated {
				r.Reason = "nothing on the way denies TCP 22: " + r.Reason
				r.Remedy = fmt.Sprintf("deny TCP 22 outbound in %s, or inbound from there in the one of %s: azurerm_network_security_rule",
					w.nsgOf(p.Subnet), to.Name)
			}
			out = append(out, r)
		}
	}
	return out
}

// trainingDataStays requires that compute cannot open a connection to an address
// of the internet that belongs to no service.
func trainingDataStays(w *world) []Requirement {
	var out []Requirement
	for _, p := range w.withRole(RoleCompute) {
		if !p.Addr.IsValid() {
			continue
		}
		worst := w.worstFlow(w.toInternet(p))
		r := Requirement{
			ID:    slug("training-data-stays", p.Name),
			Title: fmt.Sprintf("%s %s sends nothing to the internet at large", p.label(), p.Name),
			From:  p, To: Target{Name: "any address on the internet", Addr: worst.flow.Destination, Port: worst.flow.Port},
			Stages: []Stage{{StageConnect, worst.answer}},
		}
		w.settle(&r, p.Subnet, p.Resource)
		if r.Outcome == Violated {
			r.Reason = fmt.Sprintf("%s %d to any address is open: %s", strings.ToUpper(string(worst.flow.Protocol)), worst.flow.Port, r.Reason)
			r.Remedy = fmt.Sprintf("deny the destination tag Internet outbound in %s, below rules that allow the service tags which compute needs: azurerm_network_security_rule", w.nsgOf(p.Subnet))
		}
		out = append(out, r)
	}
	return out
}

// toInternet are flows from a place to the internet, by each version of IP that it has.
func (w *world) toInternet(p Place) []network.Flow {
	from := []netip.Addr{p.Addr}
	if nic, ok := w.net.NIC(p.NIC); ok {
		from = append(from, slices.DeleteFunc(slices.Clone(nic.Addrs), func(a netip.Addr) bool { return a.Is6() == p.Addr.Is6() })...)
	}
	var out []network.Flow
	for _, a := range from {
		outside := []netip.Addr{outsiderFor(a)}
		out = append(out, flows(a, outside, network.TCP, []uint16{443, 80, 22, 8443})...)
		out = append(out, flows(a, outside, network.UDP, []uint16{53, 443})...)
	}
	return out
}

// outsiderFor is a stranger on the internet who speaks an address's version of IP.
func outsiderFor(a netip.Addr) netip.Addr {
	if a.Is6() {
		return service.Outsider6
	}
	return service.Outsider
}

// nsgOf names the NSG of a subnet for a remedy.
func (w *world) nsgOf(subnet arm.ID) string {
	if s, ok := w.net.Subnet(subnet); ok && s.NSG != "" {
		return "NSG " + s.NSG.Name()
	}
	return fmt.Sprintf("an NSG of subnet %s (it has none: azurerm_subnet_network_security_group_association)", subnet.Name())
}

// privateNamesStayInside requires of each network that is not connected to a
// private endpoint's that the endpoint's name does not lead there.
func privateNamesStayInside(w *world) []Requirement {
	var out []Requirement
	for _, v := range w.net.VNets {
		for _, ep := range w.endpoints {
			if ep.Group == "" {
				continue
			}
			answer := w.names.Resolve(v.ID, ep.Host)
			if !answer.Private() {
				continue
			}
			pe, ok := w.endpointAt(v.ID, answer.Addrs[0])
			home, _ := w.net.VNetOf(pe.Subnet)
			if !ok || home.ID.Equal(v.ID) || declaresPeering(v, home.ID) || w.leads(v.ID, answer.Addrs[0]) {
				continue
			}
			r := Requirement{
				ID:     slug("private-names-stay-inside", v.Name, endpointSlug(ep)),
				Title:  fmt.Sprintf("Network %s does not resolve %s to an endpoint that it cannot reach", v.Name, ep.Host),
				From:   Place{Name: v.Name, Kind: KindNetwork, Resource: v.ID, VNet: v.ID},
				To:     Target{Name: ep.Host, Service: ep.Service, Resource: ep.Resource, Addr: answer.Addrs[0], Endpoint: ep},
				Stages: []Stage{{StageResolve, answer.Verdict}},
			}
			w.settle(&r, answer.Zone)
			if r.Outcome == Violated {
				r.Remedy = fmt.Sprintf("%s, or take the link of zone %s to %s away", w.peeringRemedy(v.ID, home.ID), ep.Zone, v.Name)
			}
			out = append(out, r)
		}
	}
	return out
}

// leads reports whether routes of a network lead to an address by a gateway, a
// virtual hub or an appliance: it needs no peering with the address's own network. A
// default route is for what nothing else is for, and says nothing of the address.
func (w *world) leads(vnet arm.ID, a netip.Addr) bool {
	return slices.ContainsFunc(w.net.Subnets, func(s network.Subnet) bool {
		if !s.VNet.Equal(vnet) {
			return false
		}
		for _, r := range w.net.EffectiveRoutes(s.ID) {
			if r.Prefix.Contains(a) { // the longest first
				return r.Prefix.Bits() > 0 && (r.NextHop == network.HopGateway || r.NextHop == network.HopAppliance)
			}
		}
		return false
	})
}

// declaresPeering reports whether a link leads from a network to another; whether
// it is complete is peering-connected's to say.
func declaresPeering(v network.VNet, remote arm.ID) bool {
	for _, p := range v.Peerings {
		if p.Remote.Equal(remote) {
			return true
		}
	}
	return false
}

func (w *world) subnetGroup(subnet arm.ID) arm.ID {
	s, _ := w.net.Subnet(subnet)
	return s.NSG
}
