// Package network is the meaning of an estate's networks: what a network
// security group, a route, a peering, a private endpoint or a service's own
// firewall lets pass, and why.
//
// It works on plain values: [FromEstate] reads the documents once into a
// [Topology], and every question is asked of that. The same topology is what
// check reasons about and what the fabric compiles into kernel state.
//
// It knows nothing of names (privatedns) or identities (access), and opens no
// socket.
//
// # A path
//
// A path is how packets between two addresses travel, in the order in which Azure
// takes them: security admin rules, then the groups of the source (NIC, then
// subnet), the route of its subnet, whatever forwards them (an Azure Firewall with
// its rules, a load balancer, a virtual appliance, a gateway) with the route of
// its own subnet, the way out where a route leads to the internet
// ([Topology.EgressAddr]), the groups of the destination (subnet, then NIC), the
// approval of a private endpoint, and the way back: a stateful firewall that sees
// only half of a connection drops it. A path is the same for every protocol and
// port but for its parts that ask about them, and ends where packets are certain
// to be dropped.
//
// It is walked once and asked in two ways. [Topology.Reach] follows one flow along
// it, with a reason for each step. [Spaces] ask the same parts for the set of all
// packets that they let pass (package space); [Matrix] does so for every pair of
// network interfaces, by classes of those that nothing tells apart, and takes a
// changed security group in place. [Topology.Seen] is who the destination sees,
// and [Admit] then says whether the service opens its door to them.
//
// # What is not certain
//
// A value that is not known before deployment, a reference out of the estate and
// a value that Azure would refuse are [Doubts] of whatever holds them. An answer
// that depends on one is unknown and says on which; an answer that is the same
// either way is given. Unknown are also: service tags that are not in the plan,
// rules on source ports where the flow names none, application rules where the
// flow names no host, what gateways and route servers learn by BGP or ExpressRoute,
// what virtual hubs hand to networks by more than their default route tables, what
// peered networks outside the estate hold, whether security admin rules are deployed
// where no document says so, and ways out by IPv6. What Azure leaves open can be
// assumed by [Settings]: whether the tag VirtualNetwork holds the prefixes of
// user-defined routes, whether virtual appliances forward, whether a peering
// without allowForwardedTraffic drops. Not modelled: health probes (the machines of a load balancer
// are all taken to be healthy), threat intelligence, the inside of a virtual hub.
//
// The managed network of a workspace has no addresses in any document, and is asked
// on its own ([ManagedNetwork]).
//
// Sources: Microsoft Learn, "Network security groups", "Virtual network traffic
// routing", "Virtual network service tags", "Manage network policies for private
// endpoints", "Default outbound access", "Virtual network peering", "Azure Firewall
// rule processing logic", "Azure Firewall SNAT private IP address ranges", "Security
// admin rules in Azure Virtual Network Manager", "About VPN Gateway settings",
// "Virtual network service endpoint policies for Azure Storage", "About virtual hub
// routing", "What is Azure Route Server?".
package network
