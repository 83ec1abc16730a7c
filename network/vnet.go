package network

import (
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Resource types that this package reads, beside those of package service.
const (
	typeSubnet     = "Microsoft.Network/virtualNetworks/subnets"
	typePeering    = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
	typeNSG        = "Microsoft.Network/networkSecurityGroups"
	typeRouteTable = "Microsoft.Network/routeTables"
	typeNATGateway = "Microsoft.Network/natGateways"
	typePublicIP   = "Microsoft.Network/publicIPAddresses"
	typeIPPrefix   = "Microsoft.Network/publicIPPrefixes"
	typeGateway    = "Microsoft.Network/virtualNetworkGateways"
	typeVM         = "Microsoft.Compute/virtualMachines"
	typeCompute    = "Microsoft.MachineLearningServices/workspaces/computes"
)

// What doubts are about.
const (
	aboutSpace    = "addressSpace"
	aboutPrefix   = "addressPrefix"
	aboutNSG      = "networkSecurityGroup.id"
	aboutTable    = "routeTable.id"
	aboutNAT      = "natGateway.id"
	aboutPolicies = "privateEndpointNetworkPolicies"
	aboutOutbound = "defaultOutboundAccess"
	aboutServices = "serviceEndpoints"
)

func (b *builder) vnets() {
	for _, r := range b.e.OfType(service.TypeVirtualNetwork) {
		v := VNet{ID: r.ID, Name: r.ID.Name()}
		d := b.read(r, &v.Doubts)
		v.AddressSpace = d.as(aboutSpace).prefixes("addressSpace.addressPrefixes")
		for _, s := range d.texts("dhcpOptions.dnsServers") {
			a, err := parseAddr(s)
			if err != nil {
				d.malformed("dhcpOptions.dnsServers", "DNS server %v", err)
				continue
			}
			v.DNSServers = append(v.DNSServers, a)
		}
		b.t.vnetAt[r.ID.Key()] = len(b.t.VNets)
		b.t.VNets = append(b.t.VNets, v)
	}
}

func (b *builder) subnets() {
	for _, r := range b.e.OfType(typeSubnet) {
		s := Subnet{ID: r.ID, Name: r.ID.Name(), VNet: r.ID.Parent()}
		d := b.read(r, &s.Doubts)
		s.Prefixes = d.as(aboutPrefix).prefixes("addressPrefix", "addressPrefixes")
		s.NSG = b.association(d, aboutNSG)
		s.RouteTable = b.association(d, aboutTable)
		s.NATGateway = b.association(d, aboutNAT)
		s.EndpointNSG, s.EndpointRoutes = d.endpointPolicies()
		// Missing means true up to API version 2025-05-01. From 2025-07-01 on Azure
		// makes the subnets of new networks private; Terraform's provider still asks for
		// true. Source: Azure Networking Blog, "Private subnets by default in Azure
		// virtual networks".
		s.DefaultOutbound = d.flag(aboutOutbound, true)
		for _, o := range d.objects(aboutServices, "service endpoint") {
			if name := o.as(aboutServices).text("service"); name != "" {
				s.ServiceEndpoints = append(s.ServiceEndpoints, name)
			}
		}
		b.t.subnetAt[r.ID.Key()] = len(b.t.Subnets)
		b.t.Subnets = append(b.t.Subnets, s)
	}
}

// association is a reference to a document that decides about traffic: when it
// is not in the estate, what it decides is not known.
func (b *builder) association(d document, path string) arm.ID {
	id := d.ref(path)
	if id == "" {
		return ""
	}
	if _, ok := b.e.Get(id); !ok {
		b.dangling(d.r, path, id)
		d.doubt(path, id.Name()+" is not in the estate, so what it says is not known")
	}
	return id
}

func (d document) endpointPolicies() (nsg, routes bool) {
	switch p := d.text(aboutPolicies); strings.ToLower(p) {
	case "", "disabled":
	case "networksecuritygroupenabled":
		nsg = true
	case "routetableenabled":
		routes = true
	case "enabled":
		nsg, routes = true, true
	default:
		d.malformed(aboutPolicies, "privateEndpointNetworkPolicies %q is none of Disabled, NetworkSecurityGroupEnabled, RouteTableEnabled, Enabled", p)
	}
	return nsg, routes
}

// prefixes are the address prefixes at several paths, each once.
func (d document) prefixes(paths ...string) []netip.Prefix {
	var out []netip.Prefix
	seen := map[netip.Prefix]bool{}
	for _, s := range d.texts(paths...) {
		p, err := parsePrefix(s)
		if err != nil {
			d.malformed(paths[0], "%v; write it as in 10.0.0.0/16", err)
			continue
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}
