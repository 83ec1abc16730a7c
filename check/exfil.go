package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// WayKind is by what means data can leave.
type WayKind string

const (
	WayInternet    WayKind = "internet"     // any public address
	WayTag         WayKind = "service tag"  // a service that many tenants share
	WayNetwork     WayKind = "network"      // another network, or the premises
	WayPrivateLink WayKind = "private link" // a private endpoint of a service that is not the estate's
	WayDNS         WayKind = "dns"          // questions for names that someone else answers
	WayService     WayKind = "own service"  // a service of the estate that outsiders reach too
	WayInbound     WayKind = "inbound"      // answers to connections from outside
	WayBastion     WayKind = "bastion"      // the clipboard or files of a session
	WayUndescribed WayKind = "undescribed"  // the place is in a network that is not in the estate
)

// Way is a way by which data can leave.
type Way struct {
	Kind         WayKind       `json:"kind"`
	To           string        `json:"to"`
	Destinations []string      `json:"destinations,omitempty"` // prefixes and ranges, where they are not all that To names
	Tags         []string      `json:"tags,omitempty"`         // of the internet: service tags that it goes for as well
	Traffic      Traffic       `json:"traffic,omitzero"`
	Value        verdict.Value `json:"value"`           // yes, or unknown
	Means        string        `json:"means,omitempty"` // what can be done with it
	From         []Door        `json:"from"`
}

// Door is where a way begins: places that the same thing lets out.
type Door struct {
	Places   []string   `json:"places"`
	Reason   string     `json:"reason"`
	Resource arm.ID     `json:"resource,omitempty"`
	Source   arm.Source `json:"source,omitzero"`
}

// Exfiltration is every way by which data can leave an estate.
type Exfiltration struct {
	Places []Place `json:"places"` // from which was looked
	Ways   []Way   `json:"ways"`   // certain ones first
}

// Exfil finds every way by which data can leave from the places that hold it or
// read it: machines, computes and the node pools of Kubernetes clusters. What
// packets can do is worked out with sets of all packets, not with samples.
//
// An outside is every address that is not in the estate's networks: services by
// the tag that holds them, other networks, the internet. The estate's own public
// addresses are not outside.
func Exfil(e *arm.Estate) *Exfiltration {
	w := newWorld(e)
	x := &exfil{world: w, spaces: w.net.Spaces(""), Exfiltration: &Exfiltration{}, packed: map[int][]found{}}
	x.regions, x.away = w.outside(x.spaces.Algebra()), w.away()
	x.Places = slices.DeleteFunc(slices.Clone(w.places), func(p Place) bool { return p.Kind == KindCluster })
	x.Places = append(x.Places, w.nodePools()...)
	x.open = w.openServices()
	for _, p := range x.Places {
		x.leave(p)
	}
	x.order()
	return x.Exfiltration
}

type exfil struct {
	*world
	*Exfiltration
	spaces  *network.Spaces
	regions []region
	away    []space.Interval // destinations outside
	open    []Cell           // what an outsider may get into
	packed  map[int][]found  // the ways of packets, by what is alike of a place
	noted   *[]found         // where ways are noted, while they are found
}

// found is a way that packets take from all places that are alike.
type found struct {
	way  Way
	door Door
}

// leave finds the ways of one place.
func (x *exfil) leave(p Place) {
	if m, isolated := x.isolated(p); isolated {
		x.leaveManaged(p, m)
		return
	}
	if !p.Addr.IsValid() {
		x.add(p, Way{Kind: WayUndescribed, To: "anywhere", Value: verdict.Unknown,
			Means: "no rule of this estate is on its way; give it a subnet, or an isolated managed network"},
			Door{Reason: x.whyNoAddr(p), Resource: p.Resource})
		return
	}
	for _, f := range x.byPackets(p) {
		x.add(p, f.way, f.door)
	}
	x.services(p)
	x.inbound(p)
	x.bastion(p)
}

// byPackets are the ways that packets take from a place. They are found once for
// all network interfaces that are treated alike.
func (x *exfil) byPackets(p Place) []found {
	kind, known := x.alike().Kind(p.NIC, p.Addr)
	if list, done := x.packed[kind]; known && done {
		return list
	}
	var list []found
	x.noted = &list
	for _, answer := range certainties(x.spaces.Toward(p.Addr, x.away)) {
		x.packets(p, answer.set, answer.value)
		x.questions(p, answer.set, answer.value)
	}
	x.beyond(p)
	if known {
		x.packed[kind] = list
	}
	return list
}

func (x *exfil) note(way Way, door Door) { *x.noted = append(*x.noted, found{way, door}) }

// certainty is what passes for certain, or perhaps.
type certainty struct {
	set   space.Set
	value verdict.Value
}

func certainties(v network.Verdicts) []certainty {
	return []certainty{{v.Passes, verdict.Yes}, {v.Unknown, verdict.Unknown}}
}

// packets are the ways that packets take to the regions outside. A service tag to
// which the same traffic goes as to the internet at large is said with that.
func (x *exfil) packets(p Place, set space.Set, value verdict.Value) {
	var wide *Way
	var wideDoor Door
	for _, r := range x.regions {
		for _, b := range bundles(set.And(r.set)) {
			whole := x.spaces.Algebra().Where(space.Destination, b.to...).Equal(r.set)
			way := Way{Kind: r.kind, To: r.name, Traffic: b.traffic, Value: value, Means: r.means}
			if !whole {
				for _, i := range b.to {
					way.Destinations = append(way.Destinations, rangeText(i))
				}
			}
			switch {
			case r.kind == WayInternet && whole && wide == nil:
				wide, wideDoor = &way, x.because(p, b, r)
			case r.kind == WayTag && whole && wide != nil && wide.Traffic.String() == way.Traffic.String():
				wide.Tags = append(wide.Tags, r.name)
			default:
				x.note(way, x.because(p, b, r))
			}
		}
	}
	if wide != nil {
		x.note(*wide, wideDoor)
	}
}

// beyond are networks at the other end of a peering that are not in the estate.
// What is there is not known, so no set of packets arrives for certain: that
// nothing on this side drops HTTPS is said.
func (x *exfil) beyond(p Place) {
	v, _ := x.net.VNet(p.VNet)
	for _, link := range v.Peerings {
		if _, inside := x.net.VNet(link.Remote); inside || !link.Connected {
			continue
		}
		for _, prefix := range link.RemoteAddressSpace {
			a := x.net.Reach(network.Flow{Source: p.Addr, Destination: prefix.Addr().Next(), Protocol: network.TCP, Port: httpsPort})
			if a.Value == verdict.No && !strings.HasPrefix(a.Decisive().At, "destination ") {
				continue
			}
			x.note(Way{Kind: WayNetwork, To: "virtual network " + link.Remote.Name(), Value: verdict.Unknown, Means: "the network is not in this estate: what is there, and what it lets out, is not known"},
				Door{Resource: link.ID, Reason: "TCP 443 to " + prefix.String() + " leaves over peering " + link.ID.Name()})
		}
	}
}

// because says what lets the first flow of a way pass.
func (x *exfil) because(p Place, b bundle, r region) Door {
	f, ok := b.traffic.flow(p.Addr, b.to[0].First.Addr())
	if !ok {
		return Door{Reason: "nothing on the way drops it", Resource: r.resource}
	}
	a := x.net.Reach(f)
	step := a.Decisive()
	if a.Value == verdict.Yes {
		for _, s := range a.Steps {
			if strings.HasPrefix(s.At, "NSG") || strings.HasPrefix(s.At, "Azure Firewall") {
				step = s
			}
		}
	}
	return Door{Reason: said(step), Resource: cmp.Or(step.Resource, r.resource)}
}

// said is a step in words.
func said(s verdict.Step) string {
	if s.At == "" {
		return s.Reason
	}
	return s.At + ": " + s.Reason
}

// add joins a way to the same one of another place.
func (x *exfil) add(p Place, way Way, door Door) {
	if doc, ok := x.nearest(door.Resource); ok {
		door.Source = doc.Source
	}
	door.Places = []string{p.Name}
	for i := range x.Ways {
		if have := &x.Ways[i]; have.same(way) {
			have.join(door)
			return
		}
	}
	way.From = []Door{door}
	x.Ways = append(x.Ways, way)
}

func (w Way) same(other Way) bool {
	return w.Kind == other.Kind && w.To == other.To && w.Value == other.Value && w.Means == other.Means &&
		w.Traffic.String() == other.Traffic.String() && slices.Equal(w.Destinations, other.Destinations) && slices.Equal(w.Tags, other.Tags)
}

func (w *Way) join(door Door) {
	for i := range w.From {
		if have := &w.From[i]; have.Resource == door.Resource {
			if !slices.Contains(have.Places, door.Places[0]) {
				have.Places = append(have.Places, door.Places...)
			}
			return
		}
	}
	w.From = append(w.From, door)
}

func (x *exfil) order() {
	kinds := []WayKind{WayInternet, WayNetwork, WayPrivateLink, WayService, WayInbound, WayTag, WayDNS, WayBastion, WayUndescribed}
	slices.SortStableFunc(x.Ways, func(a, b Way) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.To, b.To))
	})
	if x.Ways == nil {
		x.Ways = []Way{}
	}
}

// questions is DNS: a name can carry data to whoever answers for its domain.
func (x *exfil) questions(p Place, set space.Set, value verdict.Value) {
	v, ok := x.net.VNet(p.VNet)
	if !ok {
		return
	}
	servers := v.DNSServers
	if len(servers) == 0 {
		servers = []netip.Addr{wireServer}
	}
	for _, server := range servers {
		a := x.spaces.Algebra()
		asked := set.And(a.Where(space.Destination, oneAddr(server)).And(a.Where(space.Port, space.Numbers(53, 53))))
		for _, b := range bundles(asked.And(a.Where(space.Protocol, space.Numbers(numberTCP, numberTCP), space.Numbers(numberUDP, numberUDP)))) {
			way := Way{Kind: WayDNS, To: "any domain, asked of " + server.String(), Traffic: b.traffic, Value: value,
				Means: "a name that is asked for can carry data to whoever answers for its domain: some hundred bytes a question"}
			door := Door{Resource: v.ID, Reason: "the DNS server of " + v.Name + " asks the servers of any public domain"}
			if len(v.DNSServers) > 0 && !x.forwardsNames(server) {
				way.Value = verdict.Unknown
				door.Reason = fmt.Sprintf("%s is a DNS server of %s, and what it passes on is its own to say", server, v.Name)
			}
			if len(x.estate.OfType(typeResolverPolicy)) > 0 {
				way.Value, door.Reason = verdict.Unknown, "a DNS security policy may hold back questions, and its lists are not looked at"
			}
			x.note(way, door)
		}
	}
}

// forwardsNames reports whether an address is an Azure Firewall's that is a DNS proxy.
func (x *exfil) forwardsNames(server netip.Addr) bool {
	return slices.ContainsFunc(x.net.Firewalls, func(f *network.Firewall) bool { return f.Private == server && f.DNSProxy })
}

// openServices are the services of the estate that may let an outsider in.
func (w *world) openServices() []Cell {
	var out []Cell
	for _, ep := range w.endpoints {
		if ep.Resource == "" || ep.Group == "" {
			continue
		}
		if c := w.cell(outsider(), ep); c.Admit.Value != verdict.No && c.Connect.Value != verdict.No {
			out = append(out, c)
		}
	}
	return out
}

// services are those that a place can write to and an outsider can read from.
func (x *exfil) services(p Place) {
	for _, open := range x.open {
		c := x.cell(p, open.To)
		value := verdict.And(verdict.And(c.Connect.Value, c.Admit.Value), verdict.And(open.Connect.Value, open.Admit.Value))
		if value == verdict.No || len(c.Resolve.Addrs) == 0 && p.Managed == "" {
			continue
		}
		x.add(p, Way{Kind: WayService, To: endpointSlug(open.To), Value: value,
			Traffic: Traffic{TCP: []network.PortRange{{First: httpsPort, Last: httpsPort}}},
			Means:   "what is written there can be fetched from the internet with a key, a shared access signature or a token"},
			Door{Reason: said(open.Admit.Decisive()), Resource: open.To.Resource})
	}
}

// inbound are connections from outside to a machine's own public address.
func (x *exfil) inbound(p Place) {
	nic, ok := x.net.NIC(p.NIC)
	if !ok {
		return
	}
	for _, public := range []netip.Addr{nic.PublicAddr, nic.PublicAddr6} {
		if !public.IsValid() {
			continue
		}
		from := service.Outsider
		if public.Is6() {
			from = service.Outsider6
		}
		for _, answer := range certainties(x.spaces.Between(from, public)) {
			for _, b := range bundles(answer.set) {
				x.add(p, Way{Kind: WayInbound, To: "whoever connects to " + public.String(), Traffic: b.traffic, Value: answer.value, Means: "data leaves in the answers"},
					Door{Resource: nic.ID, Reason: nic.Name + " has a public address, and nothing denies connections to it"})
			}
		}
	}
}

// bastion is a session on a machine: its clipboard, and files where the host lets
// native clients in.
func (x *exfil) bastion(p Place) {
	if p.Kind != KindMachine {
		return
	}
	for _, host := range x.estate.OfType(typeBastion) {
		if !x.served(host, p) {
			continue
		}
		by := "the clipboard"
		switch {
		case arm.Bool(host.Properties, "enableTunneling", false) || arm.Bool(host.Properties, "enableFileCopy", false):
			by = "files that a native client copies, and the clipboard"
		case arm.Bool(host.Properties, "disableCopyPaste", false):
			continue
		}
		x.add(p, Way{Kind: WayBastion, To: "the computer of whoever has a session by " + host.Name, Value: verdict.Yes, Means: "a person takes data out by " + by},
			Door{Resource: host.ID, Reason: host.Name + " serves " + p.VNet.Name()})
	}
}

// served reports whether SSH or Remote Desktop may arrive at a machine from a
// bastion host in its network.
func (x *exfil) served(host arm.Resource, p Place) bool {
	subnet, ok := x.bastionHome(host)
	if !ok || !subnet.VNet.Equal(p.VNet) {
		return false
	}
	var list []network.Flow
	for _, port := range []uint16{22, 3389} {
		list = append(list, network.Flow{Source: subnet.FirstHost(), Destination: p.Addr, Protocol: network.TCP, Port: port})
	}
	return x.worstFlow(list).answer.Value != verdict.No
}
