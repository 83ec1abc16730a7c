package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
)

const bastionSubnet = "AzureBastionSubnet"

// need is one flow that Azure Bastion's subnet must let pass.
type need struct {
	direction network.Direction
	from, to  string // a service tag, or * for any
	port      uint16
}

// bastionNeeds are what Azure asks of a security group on the subnet, all or
// nothing. Source: Microsoft Learn, "Working with NSG access and Azure Bastion".
var bastionNeeds = []need{
	{network.Inbound, "GatewayManager", "*", 443},
	{network.Inbound, "AzureLoadBalancer", "*", 443},
	{network.Inbound, "VirtualNetwork", "VirtualNetwork", 8080},
	{network.Inbound, "VirtualNetwork", "VirtualNetwork", 5701},
	{network.Outbound, "*", "VirtualNetwork", 22},
	{network.Outbound, "*", "VirtualNetwork", 3389},
	{network.Outbound, "*", "AzureCloud", 443},
	{network.Outbound, "VirtualNetwork", "VirtualNetwork", 8080},
	{network.Outbound, "VirtualNetwork", "VirtualNetwork", 5701},
	{network.Outbound, "*", "Internet", 80},
}

// checkBastionSubnet refuses a security group on AzureBastionSubnet that lacks
// what Azure Bastion needs, and a route table there.
func checkBastionSubnet(e *arm.Estate, subnet arm.ID) error {
	if !strings.EqualFold(subnet.Type(), typeSubnet) || !strings.EqualFold(subnet.Name(), bastionSubnet) {
		return nil
	}
	t := network.FromEstate(e)
	s, _ := t.Subnet(subnet)
	if s.RouteTable != "" {
		return refuse("RouteTableCannotBeAttachedForAzureBastionSubnet", "Route table %s cannot be attached to the subnet %s.", s.RouteTable, bastionSubnet)
	}
	g, ok := t.NSG(s.NSG)
	if !ok {
		return nil
	}
	for _, n := range bastionNeeds {
		if !n.met(g) {
			return refuse("NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
				"Network security group %s does not have necessary rules for Azure Bastion Subnet %s: nothing lets %s traffic from %s to %s pass to port %d.",
				g.ID, bastionSubnet, strings.ToLower(string(n.direction)), n.from, n.to, n.port)
		}
	}
	return nil
}

// met reports whether the first rule that covers the need lets it pass.
func (n need) met(g network.NSG) bool {
	for _, r := range g.Rules {
		if r.Direction == n.direction && covers(r.Sources, n.from) && covers(r.Destinations, n.to) && n.byPort(r) {
			return r.Allow
		}
	}
	return false
}

func (n need) byPort(r network.Rule) bool {
	if r.Protocol != "*" && !strings.EqualFold(r.Protocol, string(network.TCP)) {
		return false
	}
	if len(r.DestinationPorts) == 0 {
		return true
	}
	for _, p := range r.DestinationPorts {
		if p.First <= n.port && n.port <= p.Last {
			return true
		}
	}
	return false
}

// covers reports whether one of a rule's terms is the tag, or anything at all.
// Where anybody will do, a rule may name whom it likes.
func covers(terms []string, tag string) bool {
	for _, t := range terms {
		switch {
		case tag == "*", t == "*", t == "0.0.0.0/0", strings.EqualFold(t, "Any"), strings.EqualFold(t, tag):
			return true
		}
	}
	return len(terms) == 0
}

func prepareBastion(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	remove(r.Properties, "dnsName")
	configs := arm.Objects(r.Properties, "ipConfigurations")
	if len(configs) != 1 {
		if strings.EqualFold(arm.String(r.SKU, "name"), "Developer") {
			return r, nil
		}
		return r, refuse("InvalidRequestFormat", "Bastion host %s must have exactly one IP configuration; it has %d.", r.Name, len(configs))
	}
	subnet, err := required(view, r, configs[0], "properties.subnet.id", typeSubnet)
	if err != nil {
		return r, err
	}
	if subnet.Name != bastionSubnet {
		return r, refuse("BastionHostSubnetNameInvalid", "The subnet of Bastion host %s must be named %s, and is %s.", r.Name, bastionSubnet, subnet.Name)
	}
	space, err := prefixes(subnet.Properties, "addressPrefix", "addressPrefixes")
	if err != nil {
		return r, err
	}
	if len(space) == 0 || space[0].Bits() > 26 {
		return r, refuse("BastionHostSubnetSizeInvalid", "The subnet %s must be a /26 or larger.", subnet.ID)
	}
	if err := inRegion(view, r, subnet); err != nil {
		return r, err
	}
	_, err = required(view, r, configs[0], "properties.publicIPAddress.id", typePublicIP)
	return r, err
}

func presentBastion(_ cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "dnsName", "bst-"+arm.StableGUID(r.ID, "dnsName")+".bastion.azure.com")
	fill(r.Properties, "scaleUnits", 2.0)
	withIDs(r, "ipConfigurations", "bastionHostIpConfigurations")
	return r
}
