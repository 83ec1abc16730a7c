package network

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// state is what a topology keeps for itself: the estate and its indexes. Nothing
// in it changes after FromEstate; what is made on first use is made once.
type state struct {
	estate   *arm.Estate
	settings Settings

	vnetAt   map[string]int
	subnetAt map[string]int
	nicAt    map[string]int
	nsgAt    map[string]int
	byAddr   map[netip.Addr][]int
	// endpointsIn are the private endpoints of each network.
	endpointsIn map[string][]int
	asgs        map[string][]netip.Addr
	// asgDoubts are NICs of which it is not known to which groups they belong.
	asgDoubts Doubts

	tables map[string]routeTable
	nats   map[string]natGateway
	routes map[string]func() []Route
	seen   map[sighting]func() []Match
	views  map[string]func() view

	public       map[string]netip.Addr    // by id key
	publicUse    map[netip.Addr]publicUse // whose a public address is
	skus         map[string]bool          // public IP address -> Standard
	standard     map[string]arm.ID        // NIC -> its Standard public IP address
	byPublic     map[netip.Addr]int       // public address -> NIC
	holders      []holder
	firewallAt   map[string]*Firewall
	admin        []adminCollection
	hubs         []hub           // virtual hubs, once for each network that is connected
	hubNets      map[string]VNet // a virtual hub with a firewall -> what stands for it
	hubSubnets   map[string]Subnet
	pooled       map[int][]membership // NIC -> its memberships of load balancers
	poolDoubts   []Doubt              // NICs of which it is not known to which pools they belong
	publicDoubts []Doubt              // machines of which it is not known what public address they have
	nodes        map[string]int       // cluster -> a NIC of it that leaves by the cluster's address
	interfaces   map[string]int       // machine -> how many network interfaces it has
	unplaced     []Doubt              // NICs and subnets whose addresses are not known
	// hiddenEndpoints are those of unplaced that are private endpoints: each may have a route.
	hiddenEndpoints []Doubt
	modelless       []Doubt // addresses of resources of kinds that are not modelled
}

func newState(e *arm.Estate) state {
	return state{
		estate: e,
		vnetAt: map[string]int{}, subnetAt: map[string]int{}, nicAt: map[string]int{}, nsgAt: map[string]int{},
		byAddr: map[netip.Addr][]int{}, endpointsIn: map[string][]int{}, asgs: map[string][]netip.Addr{},
		tables: map[string]routeTable{}, nats: map[string]natGateway{},
		hubNets: map[string]VNet{}, hubSubnets: map[string]Subnet{},
		routes: map[string]func() []Route{}, seen: map[sighting]func() []Match{}, views: map[string]func() view{},
		public: map[string]netip.Addr{}, publicUse: map[netip.Addr]publicUse{},
		skus: map[string]bool{}, standard: map[string]arm.ID{}, byPublic: map[netip.Addr]int{},
		firewallAt: map[string]*Firewall{}, pooled: map[int][]membership{}, nodes: map[string]int{}, interfaces: map[string]int{},
	}
}

// FromEstate reads the network documents of an estate under the settings.
func (s Settings) FromEstate(e *arm.Estate) *Topology {
	if e == nil {
		e, _ = arm.NewEstate()
	}
	t := &Topology{state: newState(e)}
	t.settings = s
	b := &builder{t: t, e: e, endpoint: map[string]arm.ID{}, endpointDocs: map[string][]arm.Resource{}}
	b.vnets()
	b.peerings()
	b.subnets()
	b.nsgs()
	b.routeTables()
	b.natGateways()
	b.firewalls()
	b.balancers()
	b.virtualGateways()
	b.hubs()
	b.adminRules()
	b.findHolders()
	b.endpointNICs()
	b.vmNICs()
	b.scaleSets()
	b.privateEndpoints()
	b.computeNodes()
	b.serverlessNodes()
	b.publicAddresses()
	b.allocate()
	b.resolveHops()
	b.index()
	b.see()
	b.prepareRoutes()
	b.checkAddressing()
	b.checkFirewalls()
	t.Problems = sortProblems(t.Problems)
	return t
}

// index orders the NICs and finds them by what they have.
func (b *builder) index() {
	t := b.t
	slices.SortStableFunc(t.NICs, func(x, y NIC) int { return strings.Compare(x.ID.Key(), y.ID.Key()) })
	b.listedMembers()
	for i, n := range t.NICs {
		t.nicAt[n.ID.Key()] = i
		for _, a := range n.Addrs {
			t.byAddr[a] = append(t.byAddr[a], i)
		}
		for _, id := range n.ASGs {
			t.asgs[id.Key()] = append(t.asgs[id.Key()], n.Addrs...)
		}
		for _, a := range []netip.Addr{n.PublicAddr, n.PublicAddr6} {
			if a.IsValid() {
				b.publicNIC(i, a)
			}
		}
		if s, ok := t.Subnet(n.Subnet); ok && n.Kind == KindPrivateEndpoint {
			t.endpointsIn[s.VNet.Key()] = append(t.endpointsIn[s.VNet.Key()], i)
		}
		t.doubtsOf(n)
		t.join(i, n)
	}
	for _, s := range t.Subnets {
		if d, ok := s.Doubts.About(aboutPrefix); ok {
			t.unplaced = append(t.unplaced, Doubt{Reason: "subnet " + s.Name + ": " + d.Reason})
		}
	}
	t.hiddenShared()
	for _, h := range t.holders {
		if s, ok := t.Subnet(h.subnet); ok {
			t.modelless = append(t.modelless, Doubt{Within: h.within(s), Reason: h.id.Name() + " (" + h.id.Type() + ") has an address there, and what it does with traffic is not modelled"})
		}
	}
}

func (b *builder) publicNIC(i int, a netip.Addr) {
	n := b.t.NICs[i]
	if other, taken := b.t.byPublic[a]; taken {
		b.problemOf(n.ID, "the public IP address of %s belongs to %s already; give each its own", n.Name, b.t.NICs[other].Name)
		return
	}
	b.t.byPublic[a] = i
}

func (h holder) within(s Subnet) []netip.Prefix {
	if h.addr.IsValid() {
		return []netip.Prefix{single(h.addr)}
	}
	return s.Prefixes
}

// doubtsOf keeps why a NIC may have addresses or memberships that are not known.
func (t *Topology) doubtsOf(n NIC) {
	s, _ := t.Subnet(n.Subnet)
	for _, about := range []string{aboutAddr, aboutSubnet, aboutConfigs, aboutTarget} {
		d, ok := n.Doubts.About(about)
		if !ok {
			continue
		}
		d = Doubt{Within: orPrivate(s.Prefixes), Reason: n.Name + ": " + d.Reason}
		t.unplaced = append(t.unplaced, d)
		if n.Kind == KindPrivateEndpoint {
			t.hiddenEndpoints = append(t.hiddenEndpoints, d)
		}
	}
	if d, ok := firstDoubt(n.Doubts, aboutASGs, aboutConfigs); ok && len(n.Addrs) > 0 {
		var within []netip.Prefix
		for _, a := range n.Addrs {
			within = append(within, single(a))
		}
		t.asgDoubts = append(t.asgDoubts, Doubt{Within: within, Reason: n.Name + ": " + d.Reason})
	}
}

// VNet finds a virtual network.
func (t *Topology) VNet(id arm.ID) (VNet, bool) {
	v, ok := find(t.VNets, t.vnetAt, id)
	if !ok && len(t.hubNets) > 0 {
		v, ok = t.hubNets[id.Key()]
	}
	return v, ok
}

// Subnet finds a subnet.
func (t *Topology) Subnet(id arm.ID) (Subnet, bool) {
	s, ok := find(t.Subnets, t.subnetAt, id)
	if !ok && len(t.hubSubnets) > 0 {
		s, ok = t.hubSubnets[id.Key()]
	}
	return s, ok
}

// NIC finds a network interface, a compute node or a private endpoint.
func (t *Topology) NIC(id arm.ID) (NIC, bool) { return find(t.NICs, t.nicAt, id) }

// NSG finds a network security group.
func (t *Topology) NSG(id arm.ID) (NSG, bool) { return find(t.NSGs, t.nsgAt, id) }

func find[T any](list []T, at map[string]int, id arm.ID) (T, bool) {
	var key [256]byte
	i, ok := at[string(id.AppendKey(key[:0]))]
	if !ok {
		var none T
		return none, false
	}
	return list[i], true
}

// VNetOf is the network that holds a subnet.
func (t *Topology) VNetOf(subnet arm.ID) (VNet, bool) {
	s, ok := t.Subnet(subnet)
	if !ok {
		return VNet{}, false
	}
	return t.VNet(s.VNet)
}

// NICByAddr finds who has a private address. Networks that are not connected
// may use one address twice: then it is the first by id.
func (t *Topology) NICByAddr(a netip.Addr) (NIC, bool) {
	at := t.byAddr[a.Unmap()]
	if len(at) == 0 {
		return NIC{}, false
	}
	return t.NICs[at[0]], true
}
