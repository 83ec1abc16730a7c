// Package bgp speaks the Border Gateway Protocol (RFC 4271) for the ends of
// ExpressRoute circuits and of VPN connections with BGP, on osrg/gobgp.
//
// [Run] is a whole speaker as a process of its own: it reads what it is to be from
// its standard input and writes what it knows to its standard output, both as lines
// of JSON, and ends when its input does. [Start] is the other side of that: it starts
// the process with no right but to listen at port 179, starts it again when it ends,
// and says each time that the state has changed.
//
// It never touches a routing table: who starts a speaker decides what of the learned
// routes is made real. It speaks to the peers that it is told of and to nobody else.
package bgp
