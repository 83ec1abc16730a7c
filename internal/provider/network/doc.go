// Package network is the Microsoft.Network resource provider: it checks virtual
// networks, subnets, peerings, security groups, interfaces, private endpoints,
// private DNS zones and the rest as Azure does when they are written, records
// the addresses that it gives out, and shows what follows from them.
//
// What the documents mean is package network's (this module's) to say: this
// package asks it, and refuses what it calls a problem in Azure's words. It makes
// nothing real itself: [Fabric] does, for the whole estate at once.
package network
