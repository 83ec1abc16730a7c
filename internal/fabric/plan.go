package fabric

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/bgp"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// Plan is what the kernel should hold, as plain values. The names in it are
// without the cloud's prefix.
type Plan struct {
	Spaces []Space // the internet, the outsider, routers, machines; each ordered by id
	Links  []Link
	// Notes say what is not built as the documents say, and why; always on the
	// closed side.
	Notes []string
}

// Role is what a namespace is for.
type Role string

// Roles.
const (
	RoleInternet Role = "internet"
	RoleOutsider Role = "outsider"
	RoleRouter   Role = "router"
	RoleMachine  Role = "machine"  // a virtual machine or compute node
	RoleEndpoint Role = "endpoint" // a private endpoint
	RoleFirewall Role = "firewall" // an Azure Firewall
)

// Space is a network namespace.
type Space struct {
	Name     string
	Role     Role
	Forward  bool         // packets may pass through
	Loopback []netip.Addr // addresses of lo beside 127.0.0.1
	Routes   []Route
	Rules    []Rule
	Filter   *nft.Table
	Filter6  *nft.Table // of IPv6, where there is any

	VNet   arm.ID  // of a router
	Tunnel *Tunnel // of a gateway and of a site
	// Speaker is the BGP speaker of a gateway, an edge or a site; nil for none.
	Speaker *bgp.Speaker
	Guard   *Guard        // of a firewall
	Checks  []HealthCheck // of a router: what load balancers ask its machines
	Owner   arm.ID        // of a machine or endpoint
	Guests  []network.NIC // of a machine its own, of a router those of its network

	gates   []gate                     // of a router: the groups of its guests
	gates6  []gate                     // ... for IPv6
	origins map[netip.Addr]network.NIC // of a router: who a service endpoint's callers are
}

// Link is a veth pair.
type Link struct{ A, B End }

// End is one end of a veth pair.
type End struct {
	Space string
	Name  string
	Addrs []netip.Addr
}

// RouteType is what a route does.
type RouteType string

// Route types.
const (
	Unicast     RouteType = "unicast"
	Unreachable RouteType = "unreachable"
	Throw       RouteType = "throw" // look in the next table
	Local       RouteType = "local" // every address of the prefix is this namespace's own
)

// Numbers of routing tables.
const (
	mainTable  = 254
	localTable = 255
)

// Route is an entry of a routing table.
type Route struct {
	Table  int
	Dst    netip.Prefix
	Type   RouteType
	Dev    string
	Via    netip.Addr // reached over Dev directly, whatever the other routes say
	Src    netip.Addr // preferred source
	Metric int
}

// Rule chooses a routing table.
type Rule struct {
	Priority int
	Mark     int          // of the packet, or
	From     netip.Prefix // its source
	Table    int
	Six      bool // of IPv6, where there is no From to tell
}
