package networktest

import (
	"fmt"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// Shape says what random estates may have beside networks, subnets, peerings,
// machines, private endpoints and security groups.
type Shape struct {
	Routes  bool // user-defined routes to None, Internet and VnetLocal
	Relays  bool // ... and to virtual appliances
	Public  bool // public IP addresses, NAT gateways, private subnets
	Overlap bool // networks whose spaces overlap
	// Platform makes every security rule one that names the platform's addresses:
	// among others such rules are too rare to meet.
	Platform bool
	Strange  bool // tags that are not in the plan, rules on source ports, endpoints that are not approved, service endpoints

	// What follows is beyond what packets are tried with.
	Dual      bool // IPv6 beside IPv4: spaces, subnets, addresses, rules, routes
	Forwarded bool // peerings that say whether they take forwarded traffic
	Firewall  bool // an Azure Firewall in network a, and routes to it
	Balancers bool // an internal load balancer in network b and a public one
	Fronted6  bool // with Dual: load balancers, internal in network b and public, that listen at addresses of IPv6
	Lent6     bool // ... the public one of which may lend its address, and a NAT gateway of the SKU StandardV2 its own
	Learned   bool // with Firewall: ranges to which it keeps the source that it learns
	Gateway   bool // a VPN gateway in network a, with a site, clients, and networks that use it by peering
	Admin     bool // security admin rules
	Joined    bool // ... and a gateway in network b, joined to it
	Pooled    bool // backend pools have machines of network b alone: Azure asks that they are of one
	Hubs      bool // virtual hubs of a Virtual WAN to which networks are connected, with nothing but their default route tables
	Elsewhere bool // a peer of network b that is not in the estate
}

// Everything is the shape with all there is.
var Everything = Shape{Routes: true, Relays: true, Public: true, Overlap: true, Strange: true}

// Complete is the shape with all that network knows.
var Complete = Shape{Routes: true, Relays: true, Public: true, Overlap: true, Strange: true,
	Forwarded: true, Firewall: true, Learned: true, Balancers: true, Gateway: true, Admin: true, Joined: true, Elsewhere: true}

// Random is a random estate that Azure would accept, but for overlapping peers.
func Random(t *rapid.T, s Shape) *arm.Estate {
	g := &generator{t: t, shape: s}
	g.groups()
	g.tables()
	if s.Public {
		nat := Document(NATID("nat"), Set{"publicIpAddresses", []arm.Object{{"id": string(PublicIPID("pip-nat"))}}})
		g.add(g.nat6(nat), PublicIP("pip-nat", "Standard"))
	}
	g.add(Storage("st"))
	names := g.networks()
	g.middle()
	if s.Hubs {
		g.hubs(names)
	}
	e, err := arm.NewEstate(g.docs...)
	if err != nil {
		t.Fatalf("networktest made an estate that does not hold together: %v", err)
	}
	return e
}

// nat6 is a NAT gateway of the second kind, at times with an address of IPv6.
func (g *generator) nat6(nat arm.Resource) arm.Resource {
	if !g.shape.Lent6 || !g.chance(60, "StandardV2") {
		return nat
	}
	nat.SKU = arm.Object{"name": "StandardV2"}
	if g.chance(60, "NAT of IPv6") {
		g.add(With(PublicIP("pip-nat6", "StandardV2"), Set{"publicIPAddressVersion", "IPv6"}))
		nat = With(nat, Set{"publicIpAddressesV6", []arm.Object{{"id": string(PublicIPID("pip-nat6"))}}})
	}
	return nat
}

type generator struct {
	t      *rapid.T
	shape  Shape
	docs   []arm.Resource
	nsgs   []string
	routes []string
	vms    int
}

func (g *generator) add(docs ...arm.Resource) { g.docs = append(g.docs, docs...) }

func (g *generator) chance(percent int, what string) bool {
	return rapid.IntRange(0, 99).Draw(g.t, what) < percent
}

func pick[T any](g *generator, what string, from ...T) T {
	return rapid.SampledFrom(from).Draw(g.t, what)
}

// spaces are the address spaces of random networks; the last overlaps the first.
var spaces = []string{"10.1.0.0/16", "10.2.0.0/16", "172.20.0.0/16", "10.1.0.0/17"}

func (g *generator) networks() []string {
	names := []string{"a", "b", "c"}[:rapid.IntRange(2, 3).Draw(g.t, "networks")]
	for i, name := range names {
		space := spaces[i]
		if g.shape.Overlap && i > 0 && g.chance(15, "overlap") {
			space = spaces[3]
		}
		all := []string{space}
		if g.shape.Dual {
			all = append(all, fmt.Sprintf("fd00:%d::/48", i+1))
		}
		g.add(VNet(name, all...))
		g.subnets(name, netip.MustParsePrefix(space), i+1)
	}
	for i, a := range names {
		for _, b := range names[i+1:] {
			g.peer(a, b)
		}
	}
	if g.shape.Elsewhere && g.chance(50, "a peer outside the estate") {
		g.add(Peering("b", "elsewhere", append(g.halfPeering("b"), Set{"allowVirtualNetworkAccess", g.chance(80, "access")},
			Set{"peeringState", "Connected"}, Set{"remoteAddressSpace.addressPrefixes", []string{ElsewhereSpace}})...))
	}
	return names
}

func (g *generator) peer(a, b string) {
	both := g.chance(60, "peered")
	for _, half := range [][2]string{{a, b}, {b, a}} {
		if both || g.chance(15, "half") {
			g.add(Peering(half[0], half[1], append(g.halfPeering(half[0]), Set{"allowVirtualNetworkAccess", g.chance(80, "access")})...))
		}
	}
}

func (g *generator) subnets(vnet string, space netip.Prefix, number int) {
	base := space.Addr().As4()
	for i := range rapid.IntRange(1, 2).Draw(g.t, "subnets") {
		base[2] = byte(i)
		prefix := netip.PrefixFrom(netip.AddrFrom4(base), 24)
		name := fmt.Sprintf("s%d", i)
		sets := g.associations()
		if g.shape.Dual {
			sets = append(sets, Set{"addressPrefixes", []string{fmt.Sprintf("fd00:%d:0:%d::/64", number, i)}})
		}
		g.add(Subnet(vnet, name, prefix.String(), sets...))
		for range rapid.IntRange(1, 2).Draw(g.t, "machines") {
			g.vm(vnet, name)
		}
		if g.chance(50, "endpoint") {
			g.endpoint(vnet, name)
		}
	}
}

func (g *generator) associations() []Set {
	var sets []Set
	if len(g.nsgs) > 0 && g.chance(60, "subnet nsg") {
		sets = append(sets, UseNSG(pick(g, "nsg", g.nsgs...)))
	}
	if len(g.routes) > 0 && g.chance(50, "subnet table") {
		sets = append(sets, UseTable(pick(g, "table", g.routes...)))
	}
	if g.chance(40, "policies") {
		sets = append(sets, Set{"privateEndpointNetworkPolicies", pick(g, "policy", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled", "Disabled")})
	}
	if g.shape.Public && g.chance(30, "nat") {
		sets = append(sets, UseNAT("nat"))
	}
	if g.shape.Public && g.chance(30, "private") {
		sets = append(sets, Set{"defaultOutboundAccess", false})
	}
	if g.shape.Strange && g.chance(20, "service endpoint") {
		sets = append(sets, Set{"serviceEndpoints", []arm.Object{{"service": "Microsoft.Storage"}}})
	}
	return sets
}

func (g *generator) vm(vnet, subnet string) {
	g.vms++
	name := fmt.Sprintf("vm%02d", g.vms)
	var sets []Set
	if len(g.nsgs) > 0 && g.chance(30, "nic nsg") {
		sets = append(sets, UseNSG(pick(g, "nsg", g.nsgs...)))
	}
	sets = append(sets, Set{"enableIPForwarding", g.chance(50, "forwarding")})
	configs := make([][]Set, 1)
	if g.chance(20, "second address") {
		configs = append(configs, nil)
	}
	if g.shape.Public && g.chance(25, "public") {
		g.add(PublicIP("pip-"+name, pick(g, "sku", "Standard", "Basic")))
		i := rapid.IntRange(0, len(configs)-1).Draw(g.t, "public configuration")
		configs[i] = append(configs[i], Set{"publicIPAddress.id", PublicIPID("pip-" + name)})
	}
	if g.chance(30, "asg") {
		configs[0] = append(configs[0], Set{"applicationSecurityGroups", []arm.Object{{"id": string(ASGID("web"))}}})
	}
	configs[0] = append(configs[0], g.memberships(vnet)...)
	if g.shape.Dual && g.chance(70, "second version") {
		six := []Set{{"privateIPAddressVersion", "IPv6"}}
		if g.shape.Public && g.chance(30, "public IPv6") {
			g.add(With(PublicIP("pip6-"+name, "Standard"), Set{"publicIPAddressVersion", "IPv6"}))
			six = append(six, Set{"publicIPAddress.id", PublicIPID("pip6-" + name)})
		}
		if g.shape.Fronted6 && vnet == "b" && g.chance(60, "member by IPv6") {
			pool := pick(g, "pool by IPv6", SixID, PublicSixID).Child("backendAddressPools", "pool")
			six = append(six, Set{"loadBalancerBackendAddressPools", []arm.Object{{"id": string(pool)}}})
		}
		configs = append(configs, six)
	}
	var list []arm.Object
	for _, c := range configs {
		list = append(list, Config(vnet, subnet, "", c...))
	}
	docs := VM(name, vnet, subnet, "", sets...)
	docs[0] = With(docs[0], Set{"ipConfigurations", list})
	g.add(docs...)
}

func (g *generator) endpoint(vnet, subnet string) {
	name := "pe-" + vnet + "-" + subnet
	pe := Endpoint(name, vnet, subnet, StorageID("st"), "blob")
	if g.shape.Strange && g.chance(20, "not approved") {
		pe = With(pe, Set{"privateLinkServiceConnections", []arm.Object{Connection(StorageID("st"), "blob", "Pending")}})
	}
	g.add(pe)
}

func (g *generator) groups() {
	for i := range rapid.IntRange(0, 3).Draw(g.t, "groups") {
		name := fmt.Sprintf("nsg%d", i)
		priorities := rapid.SliceOfNDistinct(rapid.IntRange(100, 4096), 0, 6, rapid.ID[int]).Draw(g.t, "priorities")
		var rules []arm.Object
		for _, p := range priorities {
			rules = append(rules, g.rule(p))
		}
		g.add(NSG(name, rules...))
		g.nsgs = append(g.nsgs, name)
	}
}

var sides = []string{
	"*", "VirtualNetwork", "Internet", "AzureLoadBalancer", "Storage", "Storage.WestEurope", "Storage.EastUS", "AzureCloud", "AzureCloud.WestEurope", "AzureMachineLearning",
	"10.1.0.0/16", "10.2.0.0/24", "10.1.0.4", "172.16.0.0/12", "10.2.0.9/24", "0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8+203.0.113.0/24",
}

func (g *generator) rule(priority int) arm.Object {
	if g.shape.Platform {
		return g.platformRule(priority)
	}
	from, to := sides, sides
	if g.shape.Dual && g.chance(50, "version of the rule") {
		from = []string{"*", "VirtualNetwork", "Internet", "::/0", "fd00:1::/48", "fd00:2:0:1::/64", "fd00:1:0:1::4", "2001:db8::/32", "10.1.0.0/16+fd00:3::/48"}
		to = from
	}
	if g.shape.Strange {
		from = append([]string{"AzureUnlisted"}, from...)
		to = append([]string{"AzurePlatformDNS", "AzurePlatformIMDS"}, from...)
	}
	o := Rule(fmt.Sprintf("rule-%d", priority), fmt.Sprintf("%d %s %s %s %s:%s -> %s:%s", priority,
		pick(g, "direction", "Inbound", "Outbound"), pick(g, "access", "Allow", "Deny"), pick(g, "protocol", "*", "Tcp", "Udp", "Icmp"),
		pick(g, "from", from...), g.sourcePorts(), pick(g, "to", to...), pick(g, "ports", "*", "443", "22", "80-443", "22,8080-9090")))
	if g.chance(15, "to asg") {
		p := o["properties"].(arm.Object)
		delete(p, "destinationAddressPrefixes")
		p["destinationApplicationSecurityGroups"] = []any{arm.Object{"id": string(ASGID("web"))}}
	}
	return o
}

func (g *generator) platformRule(priority int) arm.Object {
	return Rule(fmt.Sprintf("rule-%d", priority), fmt.Sprintf("%d Outbound %s %s %s:%s -> %s:%s", priority,
		pick(g, "access", "Allow", "Deny"), pick(g, "protocol", "*", "Tcp", "Udp"), pick(g, "from", "*", "VirtualNetwork", "10.1.0.0/16"),
		g.sourcePorts(), pick(g, "to", "AzurePlatformDNS", "AzurePlatformIMDS"), pick(g, "ports", "*", "53", "80-443")))
}

func (g *generator) sourcePorts() string {
	if g.shape.Strange && g.chance(10, "source ports") {
		return pick(g, "source port", "443", "1024-65535", "0-1023", "60000-65535")
	}
	return "*"
}

func (g *generator) tables() {
	if !g.shape.Routes {
		return
	}
	hops := []string{"None", "Internet", "VnetLocal"}
	if g.shape.Relays {
		hops = append(hops, "10.1.0.4", "10.2.0.5", "10.2.0.99")
	}
	if g.shape.Firewall {
		hops = append(hops, FirewallAddr, FirewallAddr)
	}
	if g.shape.Balancers {
		hops = append(hops, BalancerAddr)
	}
	if g.shape.Gateway || g.shape.Hubs {
		hops = append(hops, "VirtualNetworkGateway")
	}
	if g.shape.Elsewhere {
		hops = append(hops, ElsewhereAddr)
	}
	for i := range rapid.IntRange(0, 2).Draw(g.t, "tables") {
		name := fmt.Sprintf("rt%d", i)
		prefixes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/24", "10.1.0.6/32", "Storage", "AzureCloud", "192.0.2.0/24",
		}), 0, 3, rapid.ID[string]).Draw(g.t, "prefixes")
		var routes []arm.Object
		for j, p := range prefixes {
			routes = append(routes, Route(fmt.Sprintf("route%d", j), p, pick(g, "hop", hops...)))
		}
		routes = append(routes, g.sixRoutes()...)
		table := RouteTable(name, routes...)
		if (g.shape.Gateway || g.shape.Hubs) && g.chance(20, "no propagation") {
			table = With(table, Set{"disableBgpRoutePropagation", true})
		}
		g.add(table)
		g.routes = append(g.routes, name)
	}
}

// sixRoutes are routes of IPv6; a next hop is of the version of its prefix.
func (g *generator) sixRoutes() []arm.Object {
	if !g.shape.Dual {
		return nil
	}
	var out []arm.Object
	for j, p := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"::/0", "fd00::/16", "fd00:1::/48", "fd00:2:0:1::5/128", "2001:db8::/32"}), 0, 2, rapid.ID[string]).Draw(g.t, "prefixes of IPv6") {
		out = append(out, Route(fmt.Sprintf("six%d", j), p, pick(g, "hop of IPv6", "None", "Internet", "VnetLocal", "fd00:1:0:1::4", "fd00:2:0:1::5", "fd00:2::99")))
	}
	return out
}

// Pinned is an estate in which every machine and endpoint asks for the address
// that it would have been given, so that a change elsewhere moves nobody.
func Pinned(e *arm.Estate) (*arm.Estate, error) {
	top := network.FromEstate(e)
	var docs []arm.Resource
	for _, r := range e.All() {
		n, ok := top.NIC(r.ID)
		switch {
		case ok && n.Kind == network.KindVM && len(n.Addrs) == len(arm.Objects(r.Properties, "ipConfigurations")):
			r = With(r)
			for i, c := range arm.Objects(r.Properties, "ipConfigurations") {
				put(c, []string{"properties", "privateIPAddress"}, n.Addrs[i].String())
			}
		case ok && n.Kind == network.KindPrivateEndpoint && len(n.Addrs) > 0:
			r = With(r, Set{"ipConfigurations", []arm.Object{{"name": "static", "properties": arm.Object{
				"memberName": n.Members[0], "privateIPAddress": n.Addrs[0].String()}}}})
		}
		docs = append(docs, r)
	}
	return arm.NewEstate(docs...)
}

// PlatformFlows are what every NIC of a topology may ask of the platform.
func PlatformFlows(top *network.Topology) []network.Flow {
	var out []network.Flow
	for _, n := range top.NICs {
		for _, a := range n.Addrs {
			for _, s := range network.PlatformServices() {
				out = append(out, network.Flow{Source: a, Destination: s.Addr, Protocol: s.Protocol, Port: s.Port})
			}
		}
	}
	return out
}

// Flow is a random flow of a topology: between its NICs, to services, to and
// from the internet, now and then to nobody.
func Flow(t *rapid.T, top *network.Topology) network.Flow {
	addrs := []netip.Addr{
		service.Outsider, netip.MustParseAddr("198.51.100.100"), netip.MustParseAddr("198.51.100.70"),
		netip.MustParseAddr("198.18.25.70"), netip.MustParseAddr("198.18.24.5"), // Storage of two regions
		service.WireServer, service.Metadata, netip.MustParseAddr("10.1.0.77"), netip.MustParseAddr("10.9.9.9"), netip.MustParseAddr("203.0.113.200"),
	}
	var inside []netip.Addr
	six := false
	for _, n := range top.NICs {
		inside = append(inside, n.Addrs...)
		six = six || slices.ContainsFunc(n.Addrs, netip.Addr.Is6)
		if n.PublicAddr.IsValid() {
			addrs = append(addrs, n.PublicAddr)
		}
	}
	all := append(append(append([]netip.Addr{}, addrs...), inside...), inside...) // mostly inside
	f := network.Flow{
		Destination: rapid.SampledFrom(all).Draw(t, "destination"),
		Protocol:    rapid.SampledFrom([]network.Protocol{network.TCP, network.TCP, network.UDP, network.ICMP}).Draw(t, "protocol"),
		Port:        rapid.SampledFrom([]uint16{22, 53, 80, 443, 8080}).Draw(t, "port"),
	}
	f.Source = rapid.SampledFrom(append(inside, inside...)).Draw(t, "source")
	if rapid.IntRange(0, 9).Draw(t, "outside") == 0 {
		f.Source = service.Outsider
	}
	if six && (f.Source.Is6() || rapid.IntRange(0, 2).Draw(t, "version") == 0) {
		sixFlow(t, &f, top.NICs)
	}
	if f.Protocol == network.ICMP {
		f.Port = 0
	}
	return f
}

// sixFlow gives a flow two ends of IPv6.
func sixFlow(t *rapid.T, f *network.Flow, nics []network.NIC) {
	all := []netip.Addr{service.Outsider6, service.Outsider6, netip.MustParseAddr("fd00:1:0:1::77"), netip.MustParseAddr("fd00:9::9"), netip.MustParseAddr("2001:db8:0:c::77")}
	var public []netip.Addr
	for _, n := range nics {
		for _, a := range n.Addrs {
			if a.Is6() {
				all = append(all, a, a)
			}
		}
		if n.PublicAddr6.IsValid() {
			public = append(public, n.PublicAddr6)
		}
	}
	f.Source = rapid.SampledFrom(all).Draw(t, "source of IPv6")
	public = append(public, netip.MustParseAddr(BalancerAddr6), netip.MustParseAddr(BalancerPublic6))
	f.Destination = rapid.SampledFrom(append(all, public...)).Draw(t, "destination of IPv6")
}
