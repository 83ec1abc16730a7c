// Package privatedns is the meaning of names: what a machine of a virtual
// network is told when it asks Azure's DNS server at 168.63.129.16, and why.
//
// There is one function for it, [Records.Resolve]. The DNS server of a running
// cloud answers with it and check proves with it.
//
// # How a name is resolved
//
// The public name of a service becomes a CNAME into a privatelink zone once the
// service has an approved private endpoint. Each name of the chain is looked up
// first in the private zones that are linked to the asking network, of which the
// longest that covers the name is the only one asked, and then in public. A
// linked zone that lacks the record therefore ends the search, unless the link
// falls back to the internet (NxDomainRedirect). Zone links are not shared by
// peering.
//
// The package opens no socket, and does not know whether an address can be
// reached (network) or who may use what is there (access).
//
// Sources: Microsoft Learn, "Azure Private Endpoint DNS configuration", "What is
// a virtual network link", "Fallback to internet for Azure Private DNS zones";
// RFC 1034 and RFC 4592 for wildcards and names that exist without data.
package privatedns
