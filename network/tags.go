package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Tags whose meaning depends on the network that asks.
const (
	tagVirtualNetwork = "VirtualNetwork"
	tagInternet       = "Internet"
	tagLoadBalancer   = "AzureLoadBalancer"
	tagPlatformDNS    = "AzurePlatformDNS"
	tagPlatformIMDS   = "AzurePlatformIMDS"
)

// special are the addresses that are nobody's on the internet. Azure gives the
// first four a route to nowhere.
var special = prefixList(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
	"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", service.WireServer.String()+"/32",
)

// worldwide is where public addresses are: all of IPv4 without special, and
// what of IPv6 is given out.
var worldwide = subtract(prefixList("0.0.0.0/0", "2000::/3"), special)

// private is every address that is not one of the internet's. The space of a
// network that the estate does not show is taken to be somewhere in it.
var private = subtract([]netip.Prefix{any4, any6}, worldwide)

func prefixList(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// isPublic reports whether an address is one of the internet's.
func isPublic(a netip.Addr) bool { return contains(worldwide, a) }

// view is how the tags look from one subnet.
type view struct {
	network  []netip.Prefix // VirtualNetwork
	internet []netip.Prefix
	maybe    []Doubt // prefixes that VirtualNetwork may hold as well
	unknown  []Doubt // why nothing certain can be said of VirtualNetwork
}

// viewOf makes the view of a subnet: its network's space, the spaces of
// connected peers that allow access, and the platform's own address. Azure says
// that prefixes of user-defined routes are in the tag too, default routes
// perhaps: those are not certain.
func (t *Topology) viewOf(subnet arm.ID) view {
	v, ok := t.VNetOf(subnet)
	if !ok {
		why := Doubt{Reason: fmt.Sprintf("the virtual network of subnet %s is not in the estate", subnet.Name()), Within: private}
		return view{internet: worldwide, unknown: []Doubt{why}}
	}
	w := view{network: append([]netip.Prefix{}, v.AddressSpace...)}
	if d, ok := v.Doubts.About(aboutSpace); ok {
		w.unknown = append(w.unknown, Doubt{Reason: d.Reason, Within: private})
	}
	for _, p := range v.Peerings {
		w.addPeer(p)
	}
	w.network = append(w.network, single(service.WireServer))
	w.internet = subtract(worldwide, w.network)
	w.addGateways(t, v)
	w.addRoutes(t, subnet)
	return w
}

func (w *view) addPeer(p Peering) {
	access, accessUnknown := p.Doubts.About(aboutAccess)
	state, stateUnknown := p.Doubts.About(aboutConnected)
	remote, remoteUnknown := p.Doubts.About(aboutRemote)
	space, spaceUnknown := p.Doubts.About(aboutSpace)
	connected, allowed := p.Connected || stateUnknown, p.AllowAccess || accessUnknown
	switch {
	case remoteUnknown:
		w.maybe = append(w.maybe, Doubt{Reason: remote.Reason, Within: private})
		return
	case !connected || !allowed:
		return
	case stateUnknown:
		w.maybe = append(w.maybe, Doubt{Reason: state.Reason, Within: orPrivate(p.RemoteAddressSpace)})
	case accessUnknown:
		w.maybe = append(w.maybe, Doubt{Reason: access.Reason, Within: p.RemoteAddressSpace})
	default:
		w.network = append(w.network, p.RemoteAddressSpace...)
	}
	if spaceUnknown {
		w.maybe = append(w.maybe, Doubt{Reason: space.Reason, Within: private})
	}
}

func orPrivate(space []netip.Prefix) []netip.Prefix {
	if len(space) == 0 {
		return private
	}
	return space
}

// addGateways counts what lies behind the gateways that the network uses.
func (w *view) addGateways(t *Topology, v VNet) {
	for _, g := range t.gatewaysOf(v) {
		w.network = append(w.network, g.known...)
		for _, s := range g.Sites {
			w.addSite(t, g, s)
		}
		if g.Learns != "" {
			w.maybe = append(w.maybe, Doubt{Within: private, Reason: "VirtualNetwork holds what lies behind gateway " + g.Name + ": " + g.Learns})
		}
	}
}

// addSite counts a site of a gateway. The aggregates of a virtual hub are routes.
func (w *view) addSite(t *Topology, g *Gateway, s Site) {
	if !s.aggregate && s.doubt == "" {
		w.network = append(w.network, s.Prefixes...)
		return
	}
	extra := subtract(s.Prefixes, w.network)
	switch {
	case len(extra) == 0 || t.settings.RoutesInTag == NotSo:
	case s.doubt == "" && t.settings.RoutesInTag == IsSo:
		w.network = append(w.network, extra...)
	case s.doubt != "":
		w.maybe = append(w.maybe, Doubt{Within: extra, Reason: "VirtualNetwork holds what virtual hub " + g.Name + " leads to: " + s.doubt})
	default:
		w.maybe = append(w.maybe, Doubt{Within: extra, Reason: fmt.Sprintf("Azure counts what routes lead to to VirtualNetwork, and virtual hub %s has a route to %s", g.Name, join(s.Prefixes))})
	}
}

func (w *view) addRoutes(t *Topology, subnet arm.ID) {
	table := t.table(subnet)
	for _, d := range table.doubts {
		w.maybe = append(w.maybe, Doubt{Reason: "Azure counts the prefixes of user-defined routes to VirtualNetwork, and " + d.Reason})
	}
	for _, u := range table.routes {
		if d, unknown := u.doubts.About(aboutPrefix); unknown {
			w.maybe = append(w.maybe, Doubt{Within: d.Within, Reason: "Azure counts the prefixes of user-defined routes to VirtualNetwork, and " + d.Reason})
		}
		extra := subtract(u.prefixes, w.network)
		if len(extra) == 0 || t.settings.RoutesInTag == NotSo {
			continue
		}
		if t.settings.RoutesInTag == IsSo {
			w.network = append(w.network, extra...)
			continue
		}
		w.maybe = append(w.maybe, Doubt{Within: extra, Reason: fmt.Sprintf(
			"Azure counts the prefixes of user-defined routes to VirtualNetwork, and route %s has %s", u.name, u.destination)})
	}
}

// resolved is one side of a rule.
type resolved struct {
	terms      []term
	doubts     Doubts
	unresolved []string
}

func (r *resolved) add(name string, prefixes []netip.Prefix) {
	r.terms = append(r.terms, term{name, prefixes})
}

func (r *resolved) prefixes() []netip.Prefix {
	if len(r.terms) == 1 {
		return slices.Clip(r.terms[0].prefixes)
	}
	var out []netip.Prefix
	for _, t := range r.terms {
		out = append(out, t.prefixes...)
	}
	return out
}

// resolve turns one side of a rule into addresses.
func (t *Topology) resolve(about string, terms []string, asgs []arm.ID, w view) resolved {
	var r resolved
	for _, s := range terms {
		t.resolveTerm(&r, about, s, w)
	}
	for _, id := range asgs {
		var members []netip.Prefix
		for _, a := range t.asgs[id.Key()] {
			members = append(members, single(a))
		}
		r.add("application security group "+id.Name(), members)
		for _, d := range t.asgDoubts {
			d.About = about
			r.doubts = append(r.doubts, d)
			r.unresolved = append(r.unresolved, d.Reason)
		}
	}
	return r
}

func (t *Topology) resolveTerm(r *resolved, about, s string, w view) {
	switch {
	case s == "*":
		r.add(s, []netip.Prefix{any4, any6})
	case strings.EqualFold(s, tagVirtualNetwork):
		r.add(tagVirtualNetwork, w.network)
		for _, d := range w.maybe {
			d.About = about
			r.doubts = append(r.doubts, d)
		}
		for _, d := range w.unknown {
			d.About = about
			r.doubts = append(r.doubts, d)
			r.unresolved = append(r.unresolved, tagVirtualNetwork)
		}
	case strings.EqualFold(s, tagInternet):
		r.add(tagInternet, w.internet)
	case strings.EqualFold(s, tagLoadBalancer):
		r.add(tagLoadBalancer, []netip.Prefix{single(service.WireServer)})
	case strings.EqualFold(s, tagPlatformDNS):
		r.add(tagPlatformDNS, []netip.Prefix{single(service.WireServer)})
	case strings.EqualFold(s, tagPlatformIMDS):
		r.add(tagPlatformIMDS, []netip.Prefix{single(service.Metadata)})
	default:
		r.addNamed(about, s, w)
	}
}

// addNamed adds a prefix, an address or a service tag. A tag that is not in the
// plan may hold any public address, and no other: service tags list what
// Azure's services have on the internet.
func (r *resolved) addNamed(about, s string, w view) {
	if p, err := parseTerm(s); err == nil {
		r.add(s, []netip.Prefix{p})
		return
	}
	if prefixes, ok := service.Tag(s); ok {
		r.add(s, prefixes)
		return
	}
	r.unresolved = append(r.unresolved, s)
	d := Doubt{About: about, Reason: unlisted(s), Within: w.internet}
	if !looksLikeTag(s) {
		d = Doubt{About: about, Reason: fmt.Sprintf("%q is not an address prefix", s)}
	}
	r.doubts = append(r.doubts, d)
}

// unlisted says why nothing is known of a service tag.
func unlisted(tag string) string {
	return fmt.Sprintf("the addresses of service tag %s are not known: it is not among those of %s", tag, service.TagsAsOf)
}
