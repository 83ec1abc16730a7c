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
// [Topology.Reach] follows a new connection in the order in which Azure does:
// the groups of the source (NIC, then subnet), the route of its subnet, the way
// out where the route leads to the internet ([Topology.EgressAddr]), the groups
// of the destination (subnet, then NIC), the approval of a private endpoint,
// and the way back. The path ends at the first place where packets are certain
// to be dropped. [Admit] then says whether the service opens its door.
//
// # What is not certain
//
// A value that is not known before deployment, a reference out of the estate and
// a value that Azure would refuse are [Doubts] of whatever holds them. An answer
// that depends on one is unknown and says on which; an answer that is the same
// either way is given. Unknown are also: service tags that are not in the plan,
// rules on source ports, what a virtual appliance or a gateway forwards, and
// whether the tag VirtualNetwork holds the prefixes of user-defined routes, which
// Azure documents without saying when.
//
// Sources: Microsoft Learn, "Network security groups", "Virtual network traffic
// routing", "Virtual network service tags", "Manage network policies for private
// endpoints", "Default outbound access", "Virtual network peering".
package network
