package check

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
)

const typeResolverPolicy = "Microsoft.Network/dnsResolverPolicies"

var wireServer = service.WireServer

// region is a set of destinations outside with a name.
type region struct {
	kind     WayKind
	name     string
	means    string
	resource arm.ID
	set      space.Set
}

// sharedTags are service tags whose addresses many tenants share, and what can be
// done by reaching them (Microsoft Learn, "Virtual network service tags").
var sharedTags = []struct{ name, means string }{
	{"Storage", "any storage account of any tenant can be written to, with a key or signature that code brings along; a service endpoint policy or private endpoints narrow it"},
	{"AzureContainerRegistry", "any registry of any tenant can be pushed to"},
	{"AzureKeyVault", "secrets can be written into a vault of another tenant"},
	{"AzureMachineLearning", "a workspace of another tenant can be written to"},
	{"AzureDevOps", "any organization's repositories and pipelines can be written to, with a token that code brings along"},
	{"AzureMonitor", "telemetry can be sent to any tenant's Application Insights or Log Analytics; an Azure Monitor private link scope narrows it"},
	{"AzureResourceManager", "deployments, tags and names in any subscription can carry data, with another tenant's token; a private link for resource management narrows it"},
	{"AzureActiveDirectory", "requests for tokens of any tenant carry little data"},
	{"MicrosoftContainerRegistry", "images are fetched; nothing is written there but what requests carry"},
	{"AzureFrontDoor.FirstParty", "Microsoft's own hosts are behind it; requests carry little data"},
	{"AzureFrontDoor.FrontEnd", "any tenant's Front Door can take data in"},
	{"BatchNodeManagement", "Azure Batch's own service; any tenant's Batch account is managed there"},
	{"GatewayManager", "Microsoft's management of gateways"},
	{"AzureCloud", "everything that anyone runs in Azure"},
}

func tagName(tag string) string { return "service tag " + tag }

const internetMeans = "anything can be sent to any machine outside"

// outside divides every destination outside the estate into regions: no address
// is in two of them. The internet comes before the tags.
func (w *world) outside(a space.Algebra) []region {
	rest := a.All()
	take := func(prefixes []netip.Prefix) space.Set {
		s := a.Where(space.Destination, space.Prefixes(prefixes)...).And(rest)
		rest = rest.Minus(s)
		return s
	}
	var out []region
	for _, n := range w.net.NICs {
		if w.foreign(n) {
			out = append(out, region{kind: WayPrivateLink, name: "private endpoint " + n.Name + " of " + foreignName(n), resource: n.ID,
				means: "the service is not in this estate: whoever owns it has what is sent there", set: take(hosts(n.Addrs))})
		}
	}
	for _, v := range w.net.VNets {
		take(v.AddressSpace)
	}
	for _, s := range w.net.Subnets {
		take(s.Prefixes)
	}
	take(append(hosts([]netip.Addr{service.WireServer, service.Metadata}), service.Customer, service.Customer6))
	out = append(out, w.networks(take)...)
	var tags []region
	for _, t := range sharedTags {
		prefixes, _ := service.Tag(t.name)
		tags = append(tags, region{kind: WayTag, name: tagName(t.name), means: t.means, set: take(prefixes)})
	}
	out = append(out, region{kind: WayInternet, name: "the internet at large", means: internetMeans, set: take(internetPrefixes())})
	out = append(out, region{kind: WayInternet, name: "the internet by IPv6", means: internetMeans, set: take([]netip.Prefix{given6})})
	out = append(out, tags...)
	return append(out, region{kind: WayNetwork, name: "private addresses of no network of the estate", means: "what is there, and who, is not known", set: rest})
}

// away are the destinations that matter to what leaves an estate, in order: those
// that are not in its networks, private endpoints of services that are not its
// own, and the servers that answer names.
func (w *world) away() []space.Interval {
	var inside, also []netip.Prefix
	for _, v := range w.net.VNets {
		inside = append(inside, v.AddressSpace...)
		also = append(also, hosts(v.DNSServers)...)
	}
	for _, s := range w.net.Subnets {
		inside = append(inside, s.Prefixes...)
	}
	for _, n := range w.net.NICs {
		if w.foreign(n) {
			also = append(also, hosts(n.Addrs)...)
		}
	}
	out := space.Prefixes(also)
	next := space.Whole(space.Destination)[0]
	for _, i := range space.Union(space.Prefixes(inside)) {
		if next.First.Less(i.First) {
			out = append(out, space.Interval{First: next.First, Last: i.First.Previous()})
		}
		if next.First = i.Last.Next(); i.Last == next.Last {
			return space.Union(out)
		}
	}
	return space.Union(append(out, next))
}

// networks are other networks: those beyond a peering, and those behind gateways.
func (w *world) networks(take func([]netip.Prefix) space.Set) []region {
	var out []region
	for _, v := range w.net.VNets {
		for _, p := range v.Peerings {
			if _, inside := w.net.VNet(p.Remote); !inside && len(p.RemoteAddressSpace) > 0 {
				out = append(out, region{kind: WayNetwork, name: "virtual network " + p.Remote.Name(), resource: p.ID,
					means: "the network is not in this estate: what it lets out is not known", set: take(p.RemoteAddressSpace)})
			}
		}
	}
	for _, g := range w.net.Gateways {
		for _, s := range g.Sites {
			if s.Network != "" {
				continue
			}
			out = append(out, region{kind: WayNetwork, name: fmt.Sprintf("%s behind gateway %s", s.Name, g.Name), resource: s.ID,
				means: "what the network there lets out is not known", set: take(s.Prefixes)})
		}
	}
	return out
}

// foreign reports whether a private endpoint leads to what is not in the estate.
func (w *world) foreign(n network.NIC) bool {
	if n.Kind != network.KindPrivateEndpoint {
		return false
	}
	_, ours := w.estate.Get(n.Target)
	return !ours
}

func foreignName(n network.NIC) string {
	if n.Target == "" {
		return "a service that is not known"
	}
	return n.Target.Name()
}

func hosts(addrs []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(addrs))
	for i, a := range addrs {
		out[i] = netip.PrefixFrom(a, a.BitLen())
	}
	return out
}

func oneAddr(a netip.Addr) space.Interval { return space.Prefixes(hosts([]netip.Addr{a}))[0] }

// given6 is what of IPv6 is given out (RFC 4291, section 2.4).
var given6 = netip.MustParsePrefix("2000::/3")

// internetPrefixes are public addresses: all of IPv4 but what is kept for private
// and special use (RFC 6890).
func internetPrefixes() []netip.Prefix {
	var out []netip.Prefix
	special := []netip.Prefix{}
	for _, s := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"} {
		special = append(special, netip.MustParsePrefix(s))
	}
	var split func(p netip.Prefix)
	split = func(p netip.Prefix) {
		if slices.ContainsFunc(special, func(s netip.Prefix) bool { return s.Bits() <= p.Bits() && s.Contains(p.Addr()) }) {
			return
		}
		if !slices.ContainsFunc(special, p.Overlaps) {
			out = append(out, p)
			return
		}
		low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
		high := p.Addr().As4()
		high[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
		split(low)
		split(netip.PrefixFrom(netip.AddrFrom4(high), p.Bits()+1))
	}
	split(netip.MustParsePrefix("0.0.0.0/0"))
	return out
}

// nodePools are the machines of Kubernetes clusters, which run what is deployed to
// them: each pool by a machine that could be in its subnet.
func (w *world) nodePools() []Place {
	var out []Place
	for _, c := range w.estate.OfType(typeCluster) {
		for _, pool := range arm.Objects(c.Properties, "agentPoolProfiles") {
			p := Place{Name: c.Name + "/" + arm.String(pool, "name"), Kind: KindCluster, Role: RoleServing, Resource: c.ID}
			if subnet := arm.Ref(pool, "vnetSubnetID"); subnet != "" {
				p = w.inSubnet(p, subnet)
			}
			out = append(out, p)
		}
	}
	return out
}
