package fabric

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// meaning is what the fabric asks of a topology beside its lists.
type meaning interface {
	EffectiveRoutes(subnet arm.ID) []network.Route
	Filters(nic arm.ID, d network.Direction) []network.Filter
	AdminRules(nic arm.ID, d network.Direction) []network.AdminMatch
	EgressAddr(nic arm.ID) (netip.Addr, network.Answer)
	EgressAddr6(nic arm.ID) (netip.Addr, network.Answer)
	Carries(n network.NIC, six bool, p network.Protocol) bool
}

// Compile turns a topology into the plan of its kernel state. Of the compute
// nodes only those are built for which running is true; with a nil running, all.
func Compile(t *network.Topology, running func(network.NIC) bool) Plan {
	return CompileWith(t, Choices{Running: running})
}

// Choices are what a plan depends on beside the topology.
type Choices struct {
	// Running says of a compute node whether it runs; nil for all.
	Running func(network.NIC) bool
	// Resolve gives the addresses of a name as a firewall in a network finds them, for
	// its network rules that are for names; nil for none.
	Resolve func(fw *network.Firewall, vnet arm.ID, name string) []netip.Addr
	// Heard are the prefixes that the BGP speaker of a namespace has learned, with the
	// peer that they lead to: others are not built. Nil where all that is declared is
	// to be built, whether speakers run or not.
	Heard func(space string) map[netip.Prefix]netip.Addr
	// Memory is of the plan before; nil for none. Plans that share one are made one
	// after the other.
	Memory *Memory
	// Healthy says what a load balancer's probe has found, as [Fabric.Healthy] does;
	// nil where every machine is taken for healthy.
	Healthy func(HealthCheck) bool
}

// CompileWith is [Compile] with all that may be chosen.
func CompileWith(t *network.Topology, choose Choices) Plan {
	if choose.Resolve == nil {
		choose.Resolve = func(*network.Firewall, arm.ID, string) []netip.Addr { return nil }
	}
	if choose.Healthy == nil {
		choose.Healthy = func(HealthCheck) bool { return true }
	}
	return compile(t.VNets, t.Subnets, slices.Concat(t.NICs, t.Hosts()), t, middleOf(t), choose)
}

// middle is what stands between networks.
type middle struct {
	gateways  []*network.Gateway
	firewalls []firewallSight
	frontends []network.Frontend
}

func middleOf(t *network.Topology) middle {
	m := middle{gateways: t.Gateways, frontends: t.Frontends()}
	for _, fw := range t.Firewalls {
		m.firewalls = append(m.firewalls, firewallSight{fw, t.FirewallNIC(fw), t.FirewallPublic(fw)})
	}
	return m
}

// compiler gathers a plan.
type compiler struct {
	ask     meaning
	vnets   map[string]*vnetPlan // by key
	order   []*vnetPlan
	pool    pool
	plan    Plan
	publics []publicRoute // what the internet sends to which router

	gateways  []gatewayPlan
	firewalls []firewallPlan
	relays    []relay
	balancers []balancerPlan
	choose    Choices
}

// vnetPlan is a virtual network on its way to a router.
type vnetPlan struct {
	network.VNet
	space   string
	transit netip.Addr // its address towards other routers
	// transit6 is that of IPv6; six says that this is the network's part of IPv6.
	transit6 netip.Addr
	six      bool
	subnets  []network.Subnet
	guests   []guest
	peers    map[string]bool // keys of the networks that it has a link to
}

// guest is a network interface and where it is plugged in.
type guest struct {
	network.NIC
	link   string // the router's end
	space  string // the machine's namespace
	dev    string // the machine's end
	addrs  []netip.Addr
	subnet network.Subnet
	egress netip.Addr // its public source address, invalid for none
	// mute are the protocols that do not leave under that address, and muteSix those that
	// do not under the one of IPv6; ICMP stands for all without ports.
	mute, muteSix []network.Protocol
	// addrs6 and egress6 are those of IPv6.
	addrs6  []netip.Addr
	egress6 netip.Addr
	// fronts are public addresses of which the machine itself sees what is for them,
	// at an address that stands for each.
	fronts []translation
}

func (g guest) endpoint() bool { return g.Kind == network.KindPrivateEndpoint }

func compile(vnets []network.VNet, subnets []network.Subnet, nics []network.NIC, ask meaning, between middle, choose Choices) Plan {
	c := &compiler{ask: ask, vnets: map[string]*vnetPlan{}, pool: pool{}, choose: choose}
	for _, v := range vnets {
		p := &vnetPlan{VNet: v, space: spaceName("vnet", v.Name, v.ID), transit: c.pool.address("router " + v.ID.Key()), transit6: transit6("router " + v.ID.Key()), peers: map[string]bool{}}
		c.vnets[v.ID.Key()] = p
		c.order = append(c.order, p)
	}
	choose.Memory.next()
	bySubnet := map[string]network.Subnet{}
	for _, s := range subnets {
		bySubnet[s.ID.Key()] = s
		if v, ok := c.vnets[s.VNet.Key()]; ok {
			v.subnets = append(v.subnets, s)
		}
	}
	for _, n := range nics {
		if n.Kind == network.KindCompute && choose.Running != nil && !choose.Running(n) {
			continue
		}
		c.place(n, bySubnet)
	}
	c.built(between.gateways)
	c.placeFirewalls(between.firewalls, bySubnet)
	c.peer()
	c.balance(between.frontends)
	c.relay()
	c.internet()
	for _, v := range c.order {
		c.router(v)
	}
	c.finishInternet()
	c.machines()
	return c.plan
}

func (c *compiler) note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	if !slices.Contains(c.plan.Notes, n) {
		c.plan.Notes = append(c.plan.Notes, n)
	}
}

// place plugs a network interface into its network's router.
func (c *compiler) place(n network.NIC, subnets map[string]network.Subnet) {
	subnet, ok := subnets[n.Subnet.Key()]
	if !ok {
		c.note("%s has no cable: its subnet %s is not in the estate", n.ID, n.Subnet)
		return
	}
	v, ok := c.vnets[subnet.VNet.Key()]
	if !ok {
		c.note("%s has no cable: its virtual network %s is not in the estate", n.ID, subnet.VNet)
		return
	}
	g := guest{NIC: n, link: linkName(guestPrefix, n.ID), subnet: subnet}
	for _, a := range n.Addrs {
		if a.Is4() {
			g.addrs = append(g.addrs, a)
		}
	}
	if len(g.addrs) == 0 {
		c.note("%s has no cable: it has no IPv4 address", n.ID)
		return
	}
	g.space, g.dev = machineSpace(n), fmt.Sprintf("%s%d", machineLink, c.cables(machineSpace(n)))
	if !g.endpoint() {
		if a, way := c.ask.EgressAddr(n.ID); a.Is4() && way.Value == verdict.Yes {
			g.egress, g.mute = a, c.muted(n, false)
		}
	}
	c.addresses6(&g, v)
	v.guests = append(v.guests, g)
}

// muted are the protocols for which a network interface has no way out under the
// address that its others leave by.
func (c *compiler) muted(n network.NIC, six bool) []network.Protocol {
	return slices.DeleteFunc([]network.Protocol{network.TCP, network.UDP, network.ICMP}, func(p network.Protocol) bool { return c.ask.Carries(n, six, p) })
}

// cables is the number of interfaces that a machine has so far.
func (c *compiler) cables(space string) int {
	n := 0
	for _, v := range c.order {
		for _, g := range v.guests {
			if g.space == space {
				n++
			}
		}
	}
	return n
}

// machineSpace is the namespace of a network interface: a virtual machine has one
// for all of its interfaces, a compute cluster one for each node.
func machineSpace(n network.NIC) string {
	switch n.Kind {
	case network.KindVM:
		if n.Owner != "" {
			return spaceName("vm", n.Name, n.Owner)
		}
		return spaceName("vm", n.Name, n.ID)
	case network.KindCompute:
		return spaceName("node", n.Name, n.ID)
	case network.KindBastion:
		return spaceName("bastion", n.Name, n.ID)
	case network.KindGateway:
		return spaceName("gateway", n.Name, n.ID)
	case network.KindFirewall:
		return spaceName("firewall", n.ID.Name(), n.ID)
	}
	return spaceName("pe", n.Name, n.ID)
}

// peer joins the routers whose peering is connected, once for each pair.
func (c *compiler) peer() {
	for _, v := range c.order {
		for _, p := range v.Peerings {
			remote, ok := c.vnets[p.Remote.Key()]
			if !ok || !p.Connected || v.peers[p.Remote.Key()] || remote == v {
				continue
			}
			v.peers[remote.ID.Key()], remote.peers[v.ID.Key()] = true, true
			near, far := transits(v, remote)
			c.plan.Links = append(c.plan.Links, Link{
				A: End{Space: v.space, Name: linkName(peeringPrefix, remote.ID), Addrs: near},
				B: End{Space: remote.space, Name: linkName(peeringPrefix, v.ID), Addrs: far},
			})
		}
	}
}

// gateway is the first usable address of a prefix, which Azure keeps for itself.
func gateway(p netip.Prefix) netip.Addr {
	if next := p.Masked().Addr().Next(); p.Contains(next) {
		return next
	}
	return p.Addr()
}

func gatewayOf(s network.Subnet, a netip.Addr) netip.Addr {
	for _, p := range s.Prefixes {
		if p.Contains(a) {
			return gateway(p)
		}
	}
	return netip.Addr{}
}

func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// machines adds the namespaces behind the routers' interfaces.
func (c *compiler) machines() {
	spaces := map[string]*Space{}
	var names []string
	for _, v := range c.order {
		for _, g := range v.guests {
			s := spaces[g.space]
			if s == nil {
				s = &Space{Name: g.space, Role: RoleMachine, Owner: g.Owner}
				if g.endpoint() {
					s.Role = RoleEndpoint
				}
				spaces[g.space], names = s, append(names, g.space)
			}
			s.Forward = s.Forward || g.IPForwarding
			s.Guests = append(s.Guests, g.NIC)
			c.plug(s, v, g, len(s.Guests)-1)
		}
	}
	c.firewallSpaces(spaces)
	sites := c.sites(spaces)
	c.ownInternet(sites)
	for _, name := range names {
		c.plan.Spaces = append(c.plan.Spaces, *spaces[name])
	}
	c.plan.Spaces = append(c.plan.Spaces, sites...)
	slices.SortStableFunc(c.plan.Links, func(a, b Link) int { return cmp.Compare(a.A.Space+a.A.Name, b.A.Space+b.A.Name) })
}

// secondTable is the routing table of a machine's second interface; the others follow.
const secondTable = 1001

// plug adds an interface to a machine: its addresses, the gateway, and a default
// route; beyond the first interface one for its own addresses only.
func (c *compiler) plug(s *Space, v *vnetPlan, g guest, n int) {
	cable := Link{
		A: End{Space: v.space, Name: g.link},
		B: End{Space: g.space, Name: g.dev, Addrs: slices.Concat(g.addrs, g.addrs6)},
	}
	if len(g.addrs6) > 0 {
		cable.A.Addrs = []netip.Addr{gateway6}
	}
	c.plan.Links = append(c.plan.Links, cable)
	gw := gatewayOf(g.subnet, g.addrs[0])
	if !gw.IsValid() {
		c.note("%s has no gateway: its address %s is outside its subnet", g.ID, g.addrs[0])
		return
	}
	table := mainTable
	if n > 0 {
		table = secondTable + n - 1
		for _, a := range g.addrs {
			s.Rules = append(s.Rules, Rule{Priority: firstRule + n, From: single(a), Table: table})
		}
	}
	s.Routes = append(s.Routes,
		Route{Table: table, Dst: single(gw), Type: Unicast, Dev: g.dev, Src: g.addrs[0]},
		Route{Table: table, Dst: all4, Type: Unicast, Dev: g.dev, Via: gw, Src: g.addrs[0]})
	if len(g.addrs6) > 0 {
		g.plug6(s, table, firstRule+n)
	}
}

// platform are the addresses that every router answers at.
func platform() []netip.Addr { return []netip.Addr{service.WireServer, service.Metadata} }
