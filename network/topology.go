package network

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Topology is what the network documents of an estate mean.
type Topology struct {
	VNets     []VNet      // ordered by id
	Subnets   []Subnet    // ordered by id
	NICs      []NIC       // ordered by id; every address that exists or may exist
	NSGs      []NSG       // ordered by id
	Firewalls []*Firewall // ordered by id
	Balancers []*Balancer // ordered by id
	Gateways  []*Gateway  // ordered by id
	Problems  []Problem   // what Azure would refuse: overlapping space, an address outside its subnet, ...
	// unexported: the estate and indexes
	state
}

// Problem is something in the documents that cannot be deployed.
type Problem struct {
	Resource arm.ID
	Part     string // of its document, "" for the whole: properties.routes.1
	Source   arm.Source
	Message  string // what is wrong and what to do
}

// VNet is a virtual network.
type VNet struct {
	ID           arm.ID
	Name         string
	AddressSpace []netip.Prefix
	DNSServers   []netip.Addr // empty: Azure's own
	Peerings     []Peering    // the links that start here
	Doubts       Doubts
}

// Peering is one direction of a peering.
type Peering struct {
	ID                  arm.ID
	Remote              arm.ID // the other network; may be outside the estate
	Connected           bool   // both directions exist
	AllowAccess         bool   // allowVirtualNetworkAccess
	AllowForwarded      bool
	AllowGatewayTransit bool
	UseRemoteGateways   bool
	RemoteAddressSpace  []netip.Prefix
	Doubts              Doubts
}

// Subnet is a subnet of a virtual network.
type Subnet struct {
	ID               arm.ID
	Name             string
	VNet             arm.ID
	Prefixes         []netip.Prefix
	NSG              arm.ID // "" for none
	RouteTable       arm.ID
	NATGateway       arm.ID
	EndpointNSG      bool // privateEndpointNetworkPolicies applies NSGs to private endpoints
	EndpointRoutes   bool // ... and route tables
	DefaultOutbound  bool // defaultOutboundAccess, true where not said
	ServiceEndpoints []string
	Doubts           Doubts
}

// Kind says what a NIC belongs to.
type Kind string

const (
	KindVM              Kind = "virtual machine"
	KindCompute         Kind = "compute node"
	KindPrivateEndpoint Kind = "private endpoint"

	// Kinds of places that have no network interface of their own among NICs.
	KindFirewall Kind = "Azure Firewall"
	KindGateway  Kind = "virtual network gateway"
	KindBastion  Kind = "Azure Bastion"
)

// NIC is a network interface: a virtual machine's, a compute node's or a private
// endpoint's.
type NIC struct {
	ID     arm.ID // the networkInterfaces document; for a compute node {cluster id}/nodes/{n}; for a private endpoint {endpoint id}
	Owner  arm.ID // virtual machine, compute cluster, private endpoint
	Name   string // the owner's name; of a compute node {cluster}-{n}
	Kind   Kind
	Subnet arm.ID
	Addrs  []netip.Addr // of a private endpoint one for each member, in the order of service.Endpoints
	NSG    arm.ID       // of the NIC itself
	// PublicAddr is the NIC's own public address, invalid where it has none.
	PublicAddr netip.Addr
	// PublicTo is the one of Addrs that PublicAddr is translated to, invalid where
	// it is not known.
	PublicTo netip.Addr
	// PublicAddr6 and PublicTo6 are the same of IPv6: a NIC may have both.
	PublicAddr6  netip.Addr
	PublicTo6    netip.Addr
	IPForwarding bool
	// Members are a private endpoint's member names, one for each address.
	Members []string
	// Target and Group are a private endpoint's service and sub-resource; Approved
	// whether its connection is.
	Target   arm.ID
	Group    string
	Approved bool
	// ASGs are the application security groups that the NIC is a member of.
	ASGs []arm.ID
	// Via says what the owner itself has arranged to reach the internet by.
	Via    Via
	Doubts Doubts

	memberships []membership
}

// public is the NIC's public address of the version of another, and what it is
// translated to.
func (n NIC) public(version netip.Addr) (public, private netip.Addr) {
	if version.Is6() {
		return n.PublicAddr6, n.PublicTo6
	}
	return n.PublicAddr, n.PublicTo
}

// Via is how a NIC's owner is given a way to the internet, beside what its
// subnet gives.
type Via string

const (
	ViaDefault  Via = "default"       // what the subnet has: NAT gateway or default outbound access
	ViaExplicit Via = "explicit"      // only what is arranged: a compute node without a public address
	ViaCluster  Via = "cluster"       // the public address that a compute cluster's nodes share
	ViaBalancer Via = "load balancer" // a backend pool, whose outbound rules decide
	ViaNever    Via = "never"         // a private endpoint starts no connection
)

// Direction of a rule, seen from the NIC.
type Direction string

const (
	Inbound  Direction = "Inbound"
	Outbound Direction = "Outbound"
)

// NSG is a network security group with Azure's default rules already among its
// rules, each direction ordered by priority.
type NSG struct {
	ID    arm.ID
	Name  string
	Rules []Rule
}

// Rule is a security rule as written.
type Rule struct {
	Name             string
	Priority         int
	Direction        Direction
	Allow            bool
	Protocol         string   // Tcp, Udp, Icmp, Esp, Ah or *
	Sources          []string // prefixes, addresses, service tags or *
	Destinations     []string
	SourcePorts      []PortRange // empty: every port
	DestinationPorts []PortRange
	SourceASGs       []arm.ID
	DestinationASGs  []arm.ID
	Default          bool   // one of Azure's six
	Part             string // where in its group's document it stands, "" for a default rule
	// Doubts are the fields that cannot be relied on. A rule that has any may match
	// where its other fields do; it is never passed over.
	Doubts Doubts
}

// PortRange is inclusive at both ends.
type PortRange struct{ First, Last uint16 }

// Match is a rule with its tags resolved for one subnet: what the evaluator
// tests and what the fabric compiles. Unresolved names the tags that are not in
// the plan and the values that are not known: a rule that has any is unknown,
// never empty.
type Match struct {
	Rule         Rule
	Sources      []netip.Prefix // empty: none matches; 0.0.0.0/0 and ::/0: any
	Destinations []netip.Prefix
	Unresolved   []string
	// Doubts are the rule's own and those of its tags. Beside what Unresolved
	// names they hold what the evaluator answers with unknown but a compiler may
	// leave out: the prefixes of user-defined routes, which VirtualNetwork may
	// hold.
	Doubts Doubts

	from, to []term // what Sources and Destinations were made of, for the reasons
}

// Protocol numbers of a flow.
type Protocol string

const (
	TCP  Protocol = "Tcp"
	UDP  Protocol = "Udp"
	ICMP Protocol = "Icmp"
)

// Flow is one new connection. Replies follow it without a rule of their own.
type Flow struct {
	Source      netip.Addr // a NIC's private address, or a public one
	Destination netip.Addr
	Protocol    Protocol
	Port        uint16 // destination port; 0 for ICMP
	// SourcePort is 0 where the client chooses it.
	SourcePort uint16
	// Host is the name by which the client asks for the destination, for firewalls
	// that look at it; "" where it asks for none.
	Host string
}

// NextHop is where a route leads.
type NextHop string

const (
	HopVNetLocal NextHop = "VnetLocal"
	HopPeering   NextHop = "VNetPeering"
	HopInternet  NextHop = "Internet"
	HopAppliance NextHop = "VirtualAppliance"
	HopGateway   NextHop = "VirtualNetworkGateway"
	HopEndpoint  NextHop = "InterfaceEndpoint"
	HopService   NextHop = "VirtualNetworkServiceEndpoint"
	HopNone      NextHop = "None"
)

// Route is an effective route of a subnet.
type Route struct {
	Prefix  netip.Prefix
	NextHop NextHop
	Address netip.Addr // of a virtual appliance
	Peer    arm.ID     // remote network of a peering or of a peered endpoint
	Source  string     // Default, User, VirtualNetworkGateway
	Name    string     // of a user-defined route, private endpoint or service endpoint
	Table   arm.ID     // of a user-defined route
	Part    string     // where a user-defined route stands in its table's document
	Doubts  Doubts     // why the next hop is not certain
}

// Source is who asks at a service's door, for [Admit].
type Source struct {
	Addr     netip.Addr // as the service sees it
	Endpoint arm.ID     // the private endpoint it came through, or ""
	Subnet   arm.ID     // the subnet, where a service endpoint carries it
	// Trusted is the resource on whose behalf a trusted Azure service calls, or "".
	Trusted arm.ID
}

// Answer of a question about packets: its value and the steps.
type Answer = verdict.Verdict
