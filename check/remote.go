package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Kinds of places behind gateways.
const (
	KindPremises  Kind = "network on the premises"
	KindVPNClient Kind = "VPN client"
)

const typeCircuit = "Microsoft.Network/expressRouteCircuits"

// Names of places behind gateways begin with what they are.
const (
	premisesName  = "on-premises-"
	vpnClientName = "vpn-client-"
)

// Remote reports a place that is behind a gateway: on the premises, or a client of a
// point-to-site pool.
func (p Place) Remote() bool { return p.Kind == KindPremises || p.Kind == KindVPNClient }

// findRemotes are the places behind gateways: each network on the premises and each
// pool of point-to-site clients, by an address of it. A circuit of which no document
// says what it leads to has no address. They have no role, and nothing of the profile
// is required of them.
func (w *world) findRemotes() []Place {
	var out []Place
	add := func(p Place) {
		if !slices.ContainsFunc(out, func(q Place) bool { return q.Name == p.Name }) {
			out = append(out, p)
		}
	}
	for _, g := range w.net.Gateways {
		for _, s := range g.Sites {
			if s.Network != "" {
				continue
			}
			p := Place{Name: premisesName + s.Name, Kind: KindPremises, Resource: s.ID, Addr: w.firstOutside(s.Prefixes)}
			if s.ID.Equal(g.ID) {
				p.Name, p.Kind = vpnClientName+g.Name, KindVPNClient
			}
			add(p)
		}
	}
	for _, c := range w.estate.OfType(typeCircuit) {
		add(Place{Name: premisesName + c.Name, Kind: KindPremises, Resource: c.ID})
	}
	slices.SortFunc(out, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// firstOutside is the first address for a machine in one of several ranges that is in
// no network of the estate.
func (w *world) firstOutside(ranges []netip.Prefix) netip.Addr {
	for _, p := range ranges {
		a := p.Masked().Addr()
		if !p.IsSingleIP() {
			a = a.Next()
		}
		inside := slices.ContainsFunc(w.net.VNets, func(v network.VNet) bool {
			return slices.ContainsFunc(v.AddressSpace, func(s netip.Prefix) bool { return s.Contains(a) })
		})
		if !inside {
			return a
		}
	}
	return netip.Addr{}
}

// remoteAt is the place behind a gateway that has an address.
func (w *world) remoteAt(a netip.Addr) (Place, bool) {
	for _, g := range w.net.Gateways {
		for _, s := range g.Sites {
			if s.Network != "" || !slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
				continue
			}
			for _, p := range w.remotes {
				if p.Resource.Equal(s.ID) {
					p.Addr = a
					return p, true
				}
			}
		}
	}
	return Place{}, false
}

// resolveRemote answers a name as a client behind a gateway gets it. Azure DNS cannot
// be asked from there. A client of a point-to-site pool asks the DNS servers of the
// gateway's network, where it has any of its own, and else those that it had before;
// whom the premises ask is in no document.
//
// Sources: Microsoft Learn, "About Point-to-Site VPN", "Azure Private Endpoint DNS
// integration" (on-premises workloads).
func (w *world) resolveRemote(p Place, host string) privatedns.Answer {
	public := w.names.Resolve("", host)
	if p.Kind == KindVPNClient {
		if home, ok := w.gatewayHome(p.Resource); ok && len(home.DNSServers) > 0 {
			return w.names.Resolve(home.ID, host)
		}
		return public
	}
	if len(public.CNAMEs) == 0 {
		return public
	}
	public.Addrs, public.Code = nil, ""
	public.Verdict.Add(verdict.Step{At: "DNS servers of " + p.Name, Resource: p.Resource, Value: verdict.Unknown, Reason: fmt.Sprintf(
		"which servers are asked on the premises is in no document: %s leads to its private endpoint from there only where they forward it to a DNS server or a resolver's inbound endpoint in Azure", host)})
	return public
}

// gatewayHome is the network that a gateway is in.
func (w *world) gatewayHome(gateway arm.ID) (network.VNet, bool) {
	for _, g := range w.net.Gateways {
		if g.ID.Equal(gateway) {
			return w.net.VNet(g.Subnet.Parent())
		}
	}
	return network.VNet{}, false
}

// sender is the address that a place calls from. What is behind a gateway calls
// public addresses by its own way to the internet.
func (p Place) sender(to netip.Addr) netip.Addr {
	if p.Remote() && p.Addr.IsValid() && !to.IsPrivate() && !p.Addr.Is6() {
		return service.Outsider
	}
	return p.Addr
}

// admitRemote asks a service's firewall about a call from behind a gateway to its
// public address. From which address that comes is in no document, so a rule may be
// for it.
func (w *world) admitRemote(p Place, doc arm.Resource) verdict.Verdict {
	v := network.Admit(w.estate, doc, network.Source{Addr: service.Outsider})
	if v.Value != verdict.No || !namesAddresses(doc.Properties) {
		return v
	}
	return single(verdict.Unknown, "firewall of "+doc.Name, doc.ID, fmt.Sprintf(
		"it lets some addresses in, and from which %s calls public addresses is in no document", p.Name))
}

// namesAddresses reports whether a document lists addresses that it lets in.
func namesAddresses(v any) bool {
	m, _ := v.(map[string]any)
	for k, e := range m {
		switch k = strings.ToLower(k); {
		case strings.Contains(k, "iprules"), strings.Contains(k, "authorizedipranges"), strings.Contains(k, "ipallowlist"):
			if list, ok := e.([]any); !ok || len(list) > 0 {
				return true
			}
		case namesAddresses(e):
			return true
		}
	}
	return false
}
