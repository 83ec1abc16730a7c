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
package network
