// Package fabric makes the estate's networks real on this machine: network
// namespaces, veth pairs, routes and packet filters, DNS at 168.63.129.16 and
// instance metadata at 169.254.169.254.
//
// [Compile] turns a topology into a [Plan] of plain values, without a kernel.
// [Fabric.Apply] brings the kernel to a plan by the difference between the two,
// so that it may be called again at any time, also after a process was killed
// half-way; [Fabric.Remove] takes everything away.
//
// # How a network looks
//
// Each virtual network is a router: a namespace that forwards. Each virtual
// machine, running compute node and private endpoint is a namespace with one
// veth pair for each of its network interfaces into its network's router; there
// is no bridge, so packets between two machines of one subnet pass the router
// and its filter too, as they do on Azure. The router marks a packet by the
// interface that it came from, the mark chooses the subnet's effective routes,
// and network security groups are chains of the forward hook. Peered routers are
// joined by a veth pair of their own; what arrives there is looked up among the
// router's own machines only, so a peering is never transitive. Every router has
// a way to the internet, one more namespace, in which public services listen.
//
// A dual-stack network has the same once more for IPv6: a router's second filter and
// tables, on the same cables. A cable has IPv6 only where the estate gives an address
// of it; a machine's gateway is fe80::1234:5678:9abc, as on Azure, and the platform
// is reached by IPv4 alone. No end of a cable makes up an address or listens to
// router advertisements, and neighbours are only a machine and its router.
//
// A packet whose source is not an address of the interface that it came from is
// dropped before anything else looks at it; so a source address says who asks.
//
// # What it never does
//
// It never decides what a rule, a route or a name means: network and privatedns
// do. It never connects the machine's own network to the estate's: nothing made
// here has a way out. It never opens what it could not establish: a rule that
// cannot be known lets nothing through.
package fabric
