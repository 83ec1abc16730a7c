// Package service knows Azure's services by name: at which public host names a
// resource is served, which of them a private endpoint covers and in which
// private DNS zone, which service tag and which public address they have.
//
// It is on the ground floor beside arm: network, privatedns, check and the
// running cloud all ask it, so a name is written once. It decides nothing: it
// never says whether a name resolves or an address is reachable.
//
// # Public addresses
//
// The real addresses of Azure's services change weekly and are not for a
// laptop. Each service tag has instead a prefix of the documentation ranges of
// RFC 5737, and where it has regional forms one for each region of the range for
// benchmarks of RFC 2544; each resource has an address in its service's prefix,
// in that of its region. [TagsAsOf] dates the names. Proof and
// running cloud use the same plan, so a verdict about a tag is a verdict about
// packets.
//
// Sources: Microsoft Learn, "Azure Private Endpoint private DNS zone values",
// "How to use your workspace with a custom DNS server", "Virtual network service
// tags", "Configure your private link" (Azure Monitor); RFC 5737. RFC 2544.
package service
