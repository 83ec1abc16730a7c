package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// smallestBastion is the longest prefix that Azure accepts for Bastion's subnet.
//
// Source: Microsoft Learn, "About Azure Bastion configuration settings".
const smallestBastion = 26

// bastionSubnets requires of each AzureBastionSubnet that Bastion can live in it.
func bastionSubnets(w *world) []Requirement {
	var out []Requirement
	for _, s := range w.net.Subnets {
		if !strings.EqualFold(s.Name, bastionSubnet) {
			continue
		}
		doc, ok := w.estate.Get(s.ID)
		if !ok {
			continue
		}
		value, reason := verdict.Yes, "it is large enough"
		for _, p := range s.Prefixes {
			if p.Addr().Is4() && p.Bits() > smallestBastion {
				value, reason = verdict.No, fmt.Sprintf("AzureBastionSubnet is %s, and Bastion needs a /%d or larger", p, smallestBastion)
			}
		}
		remedy := fmt.Sprintf("give it a /%d: azurerm_subnet, address_prefixes", smallestBastion)
		if s.RouteTable != "" && value == verdict.Yes {
			value, reason = verdict.No, fmt.Sprintf("AzureBastionSubnet has the route table %s, and Azure supports none there", s.RouteTable.Name())
			remedy = "take the route table off the subnet: azurerm_subnet_route_table_association"
		}
		if len(s.Prefixes) == 0 {
			value, reason = verdict.Unknown, "its prefix is known only after deployment"
		}
		r := w.configured("bastion-subnet", doc, "AzureBastionSubnet of "+s.VNet.Name()+" fits Bastion", value, reason, remedy)
		r.ID = slug("bastion-subnet", s.VNet.Name())
		out = append(out, r)
	}
	return out
}

// bastionNeed is traffic that Azure asks a security group on Bastion's subnet to
// let through.
type bastionNeed struct {
	name string
	rule network.Rule
}

// bastionNeeds are all of them.
//
// Source: Microsoft Learn, "Working with NSG access and Azure Bastion".
func bastionNeeds() []bastionNeed {
	rule := func(dir network.Direction, from, to string, ports ...uint16) network.Rule {
		r := network.Rule{Direction: dir, Allow: true, Protocol: "Tcp", Sources: []string{from}, Destinations: []string{to}}
		for _, p := range ports {
			r.DestinationPorts = append(r.DestinationPorts, network.PortRange{First: p, Last: p})
		}
		return r
	}
	in, out := network.Inbound, network.Outbound
	return []bastionNeed{
		{"TCP 443 from Internet, or from the addresses that may", rule(in, "Internet", "*", 443)},
		{"TCP 443 from GatewayManager", rule(in, "GatewayManager", "*", 443)},
		{"TCP 443 from AzureLoadBalancer", rule(in, "AzureLoadBalancer", "*", 443)},
		{"TCP 8080 and 5701 from VirtualNetwork to VirtualNetwork, inbound", rule(in, "VirtualNetwork", "VirtualNetwork", 8080, 5701)},
		{"TCP 22 and 3389 to VirtualNetwork", rule(out, "*", "VirtualNetwork", 22, 3389)},
		{"TCP 443 to AzureCloud", rule(out, "*", "AzureCloud", 443)},
		{"TCP 8080 and 5701 from VirtualNetwork to VirtualNetwork, outbound", rule(out, "VirtualNetwork", "VirtualNetwork", 8080, 5701)},
		{"TCP 80 to Internet", rule(out, "*", "Internet", 80)},
	}
}

// bastionRules requires of a security group on AzureBastionSubnet all that Azure
// asks for.
func bastionRules(w *world) []Requirement {
	var out []Requirement
	for _, s := range w.net.Subnets {
		g, ok := w.net.NSG(s.NSG)
		doc, known := w.estate.Get(s.NSG)
		if !strings.EqualFold(s.Name, bastionSubnet) || !ok || !known {
			continue
		}
		var missing []string
		doubt := ""
		for _, n := range bastionNeeds() {
			allowed, why := lets(g, n.rule)
			if why != "" {
				doubt = why
			} else if !allowed {
				missing = append(missing, n.name)
			}
		}
		value, reason := verdict.Yes, "it lets through all that Azure asks for"
		switch {
		case len(missing) > 0:
			value, reason = verdict.No, fmt.Sprintf("%s lacks: %s; Azure refuses the group there, and Bastion does not work", g.Name, strings.Join(missing, "; "))
		case doubt != "":
			value, reason = verdict.Unknown, doubt
		}
		out = append(out, w.configured("bastion-rules", doc, "Security group "+g.Name+" lets Bastion work", value, reason,
			"add the rules that are missing, before any that denies: azurerm_network_security_rule of "+g.Name))
	}
	return out
}

// lets reports whether a group lets wanted traffic through: whether the first rules
// that concern it allow all of it. Port by port, as rules often divide them.
func lets(g network.NSG, want network.Rule) (bool, string) {
	for _, p := range want.DestinationPorts {
		one := want
		one.DestinationPorts = []network.PortRange{p}
		if allowed, why := letsPort(g, one); !allowed || why != "" {
			return allowed, why
		}
	}
	return true, ""
}

func letsPort(g network.NSG, want network.Rule) (bool, string) {
	for _, r := range g.Rules {
		if r.Direction != want.Direction || disjoint(r, want) {
			continue
		}
		if len(r.Doubts) > 0 {
			return false, fmt.Sprintf("rule %s of %s: %s", r.Name, g.Name, r.Doubts[0].Reason)
		}
		switch {
		case r.Allow && coversHow(r, want) && concerns(r, want):
			return true, ""
		case !r.Allow && coversHow(r, want) && termsCover(r.Sources, want.Sources) && termsCover(r.Destinations, want.Destinations):
			return false, ""
		}
	}
	return false, ""
}

// concerns reports whether the far side of a rule is the wanted one, or one that is
// chosen in its place; the near side is Bastion's own subnet.
func concerns(r, want network.Rule) bool {
	have, need := r.Sources, want.Sources[0]
	if want.Direction == network.Outbound {
		have, need = r.Destinations, want.Destinations[0]
	}
	for _, s := range have {
		_, isPrefix := prefixOf(s)
		switch {
		case termCovers(s, need):
			return true
		case isPrefix && (need == "Internet" || need == "VirtualNetwork"):
			return true
		case need == "AzureCloud" && strings.EqualFold(s, "Internet"):
			return true
		}
	}
	return false
}
