package floorplan

import "github.com/cloister-ml/cloister/arm"

// Plan is what a map shows. Every list has a stable order.
type Plan struct {
	Title     string
	Rooms     []Room    // virtual networks, by id; those that are only referred to come last
	Elsewhere []Tenant  // what has no subnet in the estate, as compute in a network of Azure's own
	Services  []Service // what private endpoints lead to, and other services with a door of their own
	Zones     []Zone    // private DNS zones, by name
	Peerings  []Peering
	Outside   []Outside // the internet, sites and clients beyond gateways
	Ways      []Way     // between those and the tenants that face them
	Findings  []Finding
	Tally     *Tally // of a check whose findings these are; nil where none was made
}

// Tally counts the requirements of a check.
type Tally struct {
	Holds   int `json:"holds"`
	Falls   int `json:"falls"`
	Unknown int `json:"unknown"`
	Off     int `json:"off,omitempty"`
}

// Room is a virtual network or a virtual hub.
type Room struct {
	ID       arm.ID   `json:"id"`
	Key      string   `json:"key"` // by which the map refers to it: A, B, ...
	Name     string   `json:"name"`
	Kind     string   `json:"type"` // virtual network, virtual hub
	Location string   `json:"location,omitempty"`
	Space    []string `json:"addressSpace,omitempty"`
	DNS      []string `json:"dnsServers,omitempty"` // none: Azure's own
	Outside  bool     `json:"outsideEstate,omitempty"`
	Subnets  []Subnet `json:"-"`
}

// Subnet is a part of a room.
type Subnet struct {
	ID               arm.ID   `json:"id"`
	Name             string   `json:"name"`
	Prefixes         []string `json:"addressPrefixes,omitempty"`
	NSG              arm.ID   `json:"networkSecurityGroup,omitempty"`
	Routes           arm.ID   `json:"routeTable,omitempty"`
	DefaultRoute     string   `json:"defaultRoute,omitempty"` // next hop of the table's 0.0.0.0/0
	NAT              arm.ID   `json:"natGateway,omitempty"`
	Delegations      []string `json:"delegations,omitempty"`
	ServiceEndpoints []string `json:"serviceEndpoints,omitempty"`
	DefaultOutbound  bool     `json:"defaultOutboundAccess,omitempty"`
	Outside          bool     `json:"outsideEstate,omitempty"`
	Tenants          []Tenant `json:"-"`
}

// Tenant is a resource with an address in a subnet. One with addresses in two
// subnets stands in both.
type Tenant struct {
	ID        arm.ID    `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"type"` // as people call it: virtual machine, AKS cluster, private endpoint
	Size      string    `json:"size,omitempty"`
	Addresses []string  `json:"addresses,omitempty"`
	Attached  []arm.ID  `json:"attachedAs,omitempty"` // computes of workspaces that it is attached as
	Endpoint  *Endpoint `json:"privateEndpoint,omitempty"`
}

// Endpoint is what a private endpoint leads to.
type Endpoint struct {
	Target arm.ID `json:"target,omitempty"`
	Group  string `json:"group,omitempty"` // sub-resource: blob, registry, ...
	// Approved is false where the connection waits or was refused, and carries nothing.
	Approved bool `json:"approved"`
}

// Access is how far a service is open to networks other than by private endpoint.
type Access string

const (
	AccessClosed   Access = "closed"            // only private endpoints
	AccessSelected Access = "selected networks" // rules let some in
	AccessOpen     Access = "open"              // the internet is let in
	AccessUnknown  Access = "unknown"           // not known before deployment, or not modelled
	AccessNone     Access = ""                  // of what has no door of its own, as a Monitor private link scope
)

// Service is a resource with a door outside the rooms.
type Service struct {
	ID      arm.ID   `json:"id"`
	Name    string   `json:"name"`
	Kind    string   `json:"type"`
	Family  string   `json:"family"` // storage, secrets, registry, learning, monitoring, other: the colour of its lines
	Access  Access   `json:"access,omitempty"`
	Note    string   `json:"note,omitempty"`
	Doors   []string `json:"privateLinkGroups,omitempty"` // sub-resources that endpoints lead to
	Outside bool     `json:"outsideEstate,omitempty"`
}

// Zone is a private DNS zone.
type Zone struct {
	ID        arm.ID   `json:"id"`
	Name      string   `json:"name"`
	Links     []Link   `json:"-"`
	Endpoints []arm.ID `json:"endpoints,omitempty"` // whose zone groups keep records here
	Records   int      `json:"records,omitempty"`   // record sets declared by themselves
}

// Link makes a zone answer in a room.
type Link struct {
	ID           arm.ID `json:"id"`
	Room         arm.ID `json:"room"`
	Registration bool   `json:"registration,omitempty"` // machines of the room register themselves
}

// PeeringState says whether traffic can use a peering.
type PeeringState string

const (
	PeeringConnected PeeringState = "connected"
	PeeringOneSided  PeeringState = "one-sided" // declared from one side only: nothing passes
	PeeringNoAccess  PeeringState = "no access" // both halves, but one does not let the other's network in
	PeeringUnknown   PeeringState = "unknown"   // the other half is not in the estate, or a value is not known
)

// Peering joins two rooms. A is the side that is declared, where only one is.
type Peering struct {
	A         arm.ID       `json:"from"`
	B         arm.ID       `json:"to"`
	Halves    []arm.ID     `json:"documents"`
	State     PeeringState `json:"state"`
	Forwarded bool         `json:"forwardedTraffic,omitempty"`
	Transit   bool         `json:"gatewayTransit,omitempty"` // one side uses the other's gateway
}

// Outside is something beyond the rooms that is no service.
type Outside struct {
	ID     arm.ID   `json:"id"` // of the internet: "internet"; of point-to-site clients: the gateway's id + "#clients"
	Name   string   `json:"name"`
	Kind   string   `json:"type"` // internet, site, ExpressRoute circuit, VPN clients
	Spaces []string `json:"addressSpace,omitempty"`
}

// Internet is the id of the internet in a plan.
const Internet arm.ID = "internet"

// Way leads from outside to a tenant.
type Way struct {
	From arm.ID `json:"from"`
	To   arm.ID `json:"to"`
	Kind string `json:"type"` // public address, VPN, ExpressRoute
}

// Finding is something that a check found. Its ids are of the estate; From may be
// [Internet].
type Finding struct {
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Reason   string `json:"reason,omitempty"`
	Severity string `json:"severity,omitempty"`
	Unknown  bool   `json:"unknown,omitempty"` // not known before deployment; otherwise it falls
	// Open says that the flow is there and must not be; otherwise it should be and
	// is not.
	Open     bool   `json:"open,omitempty"`
	From     arm.ID `json:"from,omitempty"`
	To       arm.ID `json:"to,omitempty"`
	Door     string `json:"door,omitempty"`     // the private link sub-resource of To that the flow is for
	Resource arm.ID `json:"resource,omitempty"` // the document that decides
	Where    string `json:"where,omitempty"`    // file:line
	Remedy   string `json:"remedy,omitempty"`
}
