// Package privatedns is the meaning of names: what a machine of a virtual
// network is told when it asks Azure's DNS server at 168.63.129.16, and why.
//
// There is one function for it, [Records.Resolve]. The DNS server of a running
// cloud answers with it and check proves with it.
//
// # How a name is resolved
//
// A machine asks the DNS servers of its network interface, else of its network,
// else Azure's at 168.63.129.16. A server of the estate is followed to whom it
// asks: an Azure Firewall with DNS proxy and the inbound endpoint of a resolver ask
// Azure's server from the network that they stand in, so that its links decide. A
// server that the estate does not explain makes the answer unknown, as do several
// servers that would not say the same.
//
// The public name of a service becomes a CNAME into a privatelink zone once the
// service has an approved private endpoint. Azure's server looks each name of the
// chain up in the private zones that are linked to the asking network, of which the
// longest that covers the name is the only one asked, then in the forwarding rules
// that the network is linked to, then among the machines of the network, and then
// in public. A linked zone that lacks the record therefore ends the search, unless
// the link falls back to the internet (NxDomainRedirect). Zone links are not shared
// by peering.
//
// Where two writers keep one record set (two private endpoints of one service in
// one zone), Azure keeps what was written last; the answer is unknown.
//
// The package opens no socket, and does not know whether an address or a DNS server
// can be reached (network) or who may use what is there (access). Names between the
// public name and the privatelink name are left out of a chain.
//
// Sources: Microsoft Learn, "Azure Private Endpoint DNS configuration", "What is
// a virtual network link", "Fallback to internet for Azure Private DNS zones",
// "What is Azure DNS Private Resolver?", "Azure Firewall DNS settings", "Name
// resolution for resources in Azure virtual networks"; RFC 1034 and RFC 4592 for
// wildcards and names that exist without data.
package privatedns
