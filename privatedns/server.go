package privatedns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeFirewall = "Microsoft.Network/azureFirewalls"
	typePolicy   = "Microsoft.Network/firewallPolicies"
	typeResolver = "Microsoft.Network/dnsResolvers"
	typeInbound  = "Microsoft.Network/dnsResolvers/inboundEndpoints"
	typeOutbound = "Microsoft.Network/dnsResolvers/outboundEndpoints"
)

// serverRef is one DNS server that a client or a forwarder is told to ask.
type serverRef struct {
	addr    netip.Addr
	unknown *arm.Unknown
	bad     string // what stands there in place of an address
}

func (s serverRef) String() string {
	switch {
	case s.unknown != nil:
		return s.unknown.Expression
	case s.bad != "":
		return fmt.Sprintf("%q", s.bad)
	}
	return s.addr.String()
}

// serverList are DNS servers in order; an empty one means Azure's own.
type serverList []serverRef

func (l serverList) String() string {
	parts := make([]string, len(l))
	for i, s := range l {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}

// readServers reads a list of DNS servers.
func readServers(o arm.Object, at string) serverList {
	var out serverList
	if u, ok := arm.UnknownAt(o, at); ok {
		return serverList{{unknown: &u}}
	}
	for _, v := range arm.List(o, at) {
		out = append(out, readServer(v))
	}
	return out
}

func readServer(v any) serverRef {
	switch v := v.(type) {
	case arm.Unknown:
		return serverRef{unknown: &v}
	case string:
		if strings.EqualFold(v, "AzureProvidedDNS") {
			return serverRef{addr: service.WireServer}
		}
		if a, err := netip.ParseAddr(v); err == nil {
			return serverRef{addr: a.Unmap()}
		}
		return serverRef{bad: v}
	}
	return serverRef{bad: fmt.Sprint(v)}
}

// server is something in the estate that has an address and may answer DNS.
type server struct {
	id   arm.ID
	what string // "Azure Firewall fw"
	vnet arm.ID // where it stands
	// off and unknown say why it answers nothing, or why what it answers is not known.
	off, unknown string
	forward      serverList // whom it asks; empty: Azure's own server, in its network
}

// namedServer is a server by what the reader's language calls it, for addresses
// that Azure has yet to choose.
type namedServer struct {
	source arm.Source
	server server
}

// public resolvers that answer what everyone sees.
var publicResolvers = map[netip.Addr]string{
	netip.MustParseAddr("8.8.8.8"):         "Google Public DNS",
	netip.MustParseAddr("8.8.4.4"):         "Google Public DNS",
	netip.MustParseAddr("1.1.1.1"):         "Cloudflare's resolver",
	netip.MustParseAddr("1.0.0.1"):         "Cloudflare's resolver",
	netip.MustParseAddr("9.9.9.9"):         "Quad9",
	netip.MustParseAddr("149.112.112.112"): "Quad9",
	netip.MustParseAddr("208.67.222.222"):  "OpenDNS",
	netip.MustParseAddr("208.67.220.220"):  "OpenDNS",
}

// findServers notes the firewalls, resolver endpoints and machines of the estate
// by address.
func (r *reader) findServers() {
	for _, doc := range r.e.OfType(typeFirewall) {
		s := r.firewall(doc)
		for _, c := range arm.Objects(doc.Properties, "ipConfigurations") {
			if subnet := arm.Ref(c, "properties.subnet.id"); subnet != "" {
				s.vnet = subnet.Parent()
			}
			r.serve(s, arm.String(c, "properties.privateIPAddress"))
		}
		if a := r.addr(doc.ID, ""); a.IsValid() {
			r.serve(s, a.String())
		}
		r.named = append(r.named, namedServer{doc.Source, s})
	}
	for _, doc := range r.e.OfType(typeInbound) {
		s := server{id: doc.ID, what: "DNS private resolver " + doc.ID.Parent().Name() + " (inbound endpoint " + doc.Name + ")", vnet: r.resolverNetwork(doc)}
		if s.vnet == "" {
			s.unknown = "the network of the resolver is not known"
		}
		for _, c := range arm.Objects(doc.Properties, "ipConfigurations") {
			r.serve(s, arm.String(c, "privateIpAddress"))
		}
		r.named = append(r.named, namedServer{doc.Source, s})
	}
	for _, doc := range r.e.OfType(service.TypeNetworkInterface) {
		if a := r.nicAddr(doc); a.IsValid() {
			s := server{id: doc.ID, what: "network interface " + doc.Name, vnet: vnetOfNIC(doc)}
			s.unknown = "the estate does not say which names the machine behind it answers or to whom it forwards"
			r.serve(s, a.String())
		}
	}
}

func (r *reader) serve(s server, addr string) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return
	}
	a = a.Unmap()
	for _, have := range r.servers[a] {
		if have.id.Equal(s.id) {
			return
		}
	}
	r.servers[a] = append(r.servers[a], s)
}

// resolverNetwork is the network of the resolver that an endpoint belongs to.
func (r *reader) resolverNetwork(endpoint arm.Resource) arm.ID {
	if doc, ok := r.e.Get(endpoint.ID.Parent()); ok {
		if id := arm.Ref(doc.Properties, "virtualNetwork.id"); id != "" {
			return id
		}
	}
	for _, path := range []string{"subnet.id", "ipConfigurations.0.subnet.id"} {
		if subnet := arm.Ref(endpoint.Properties, path); subnet != "" {
			return subnet.Parent()
		}
	}
	return ""
}

// firewall is an Azure Firewall as a DNS server: it answers where its DNS proxy is
// on, and asks the servers of its policy, or of the nearest policy above that names
// any, or Azure's.
//
// Source: Microsoft Learn, "Azure Firewall DNS settings".
func (r *reader) firewall(doc arm.Resource) server {
	s := server{id: doc.ID, what: "Azure Firewall " + doc.Name}
	settings := []arm.Object{}
	policy, ok := arm.UnknownAt(doc.Properties, "firewallPolicy.id")
	if ok {
		s.unknown = "its policy is " + policy.String()
	}
	id := arm.Ref(doc.Properties, "firewallPolicy.id")
	for seen := map[string]bool{}; id != "" && !seen[id.Key()]; {
		seen[id.Key()] = true
		p, ok := r.e.Get(id)
		if !ok {
			s.unknown = "its policy " + id.Name() + " is not in the estate"
			break
		}
		if dns, ok := arm.Lookup(p.Properties, "dnsSettings"); ok {
			if u, hidden := dns.(arm.Unknown); hidden {
				s.unknown = "the DNS settings of policy " + p.Name + " are " + u.String()
			}
			if o, ok := dns.(map[string]any); ok {
				settings = append(settings, o)
			}
		}
		id = arm.Ref(p.Properties, "basePolicy.id")
	}
	if len(settings) == 0 {
		settings = append(settings, classicDNS(doc))
	}
	if u, ok := arm.UnknownAt(settings[0], "enableProxy"); ok {
		s.unknown = "whether its DNS proxy is on is " + u.String()
	} else if !arm.Bool(settings[0], "enableProxy", false) && s.unknown == "" {
		s.off = "its DNS proxy is off, so it answers no name"
	}
	s.forward = readServers(settings[0], "servers")
	return s
}

// classicDNS are the DNS settings that a firewall without a policy keeps as text.
func classicDNS(doc arm.Resource) arm.Object {
	v, _ := arm.Lookup(doc.Properties, "additionalProperties")
	extra, _ := v.(map[string]any)
	out := arm.Object{}
	switch proxy := extra["Network.DNS.EnableProxy"].(type) {
	case string:
		out["enableProxy"] = strings.EqualFold(proxy, "true")
	case arm.Unknown:
		out["enableProxy"] = proxy
	}
	switch list := extra["Network.DNS.Servers"].(type) {
	case string:
		servers := []any{}
		for s := range strings.SplitSeq(list, ",") {
			if s = strings.TrimSpace(s); s != "" {
				servers = append(servers, s)
			}
		}
		out["servers"] = servers
	case arm.Unknown:
		out["servers"] = list
	}
	return out
}

// serverNamed finds the one server whose address an unknown value is: an address
// that Azure chooses, read from the resource that has it.
func (r *Records) serverNamed(u arm.Unknown) (server, bool) {
	var found []server
	for _, n := range r.named {
		if refersTo(u, n.source) {
			found = append(found, n.server)
		}
	}
	if len(found) != 1 {
		return server{}, false
	}
	return found[0], true
}

// serversAt are the servers with an address that a network may mean: its own, else
// those of the networks that peerings lead to, the nearest first. From no network
// of the estate it may be any.
func (r *Records) serversAt(a netip.Addr, from arm.ID) []server {
	all := r.servers[a]
	if from == "" {
		return all
	}
	seen, ring := map[string]bool{from.Key(): true}, []string{from.Key()}
	for len(ring) > 0 && len(all) > 0 {
		var found []server
		var next []string
		for _, key := range ring {
			for _, s := range all {
				if s.vnet.Key() == key {
					found = append(found, s)
				}
			}
			if v, ok := r.vnets[key]; ok {
				for _, p := range v.peers {
					if !seen[p] {
						seen[p] = true
						next = append(next, p)
					}
				}
			}
		}
		if len(found) > 0 {
			return found
		}
		ring = next
	}
	return nil
}
