package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// The oracle walks tables of names step by step. It is written from the facts
// (reference section "Resolution algorithm"; RFC 1034, RFC 4592) and knows nothing
// of Records: no suffix is cut off, every row of every table is tried.

type plainZone struct {
	name   string
	group  string
	links  map[string]bool // network -> falls back
	unsure bool            // a link whose network nobody knows
	rows   []row
}

// row is a record: an address or a CNAME, by one writer.
type row struct {
	name, value, writer string
	alias               bool
}

type plainRule struct {
	suffix, target string
	off            bool
}

type plainNet struct {
	name    string
	servers []string
	rules   []plainRule
	peers   map[string]bool
	vm      string // one machine
}

type plainNames struct {
	nets    map[string]*plainNet
	zones   []*plainZone
	public  []row
	servers map[string]plainServer // by address
	asked   string
}

type plainServer struct {
	net, forward string
	off          bool
}

// reply is what the oracle expects.
type reply struct {
	code  string // "" is unknown
	addrs []string
	chain []string
}

func (p plainNames) ask(network, name string) reply {
	p.asked = name
	if network == "" {
		return p.walk("", name, nil, 0)
	}
	return p.askServers(p.nets[network].servers, network, name, nil, 0)
}

func (p plainNames) askServers(servers []string, network, name string, chain []string, depth int) reply {
	if len(servers) == 0 {
		return p.walk(network, name, chain, depth)
	}
	var first reply
	for i, s := range servers {
		got := p.askServer(s, network, name, chain, depth+1)
		if got.code == "" {
			return reply{}
		}
		if i == 0 {
			first = got
		} else if fmt.Sprint(first) != fmt.Sprint(got) {
			return reply{}
		}
	}
	return first
}

func (p plainNames) askServer(addr, network, name string, chain []string, depth int) reply {
	if depth > 30 {
		return reply{code: ServFail}
	}
	if addr == service.WireServer.String() {
		return p.walk(network, name, chain, depth)
	}
	s, ok := p.servers[addr]
	switch {
	case !ok || !p.connected(network, s.net):
		return reply{}
	case s.off:
		return reply{code: ServFail}
	case s.forward != "":
		return p.askServer(s.forward, s.net, name, chain, depth+1)
	}
	return p.walk(s.net, name, chain, depth)
}

// connected grows the set of networks until it grows no more.
func (p plainNames) connected(a, b string) bool {
	in := map[string]bool{a: true}
	for range p.nets {
		for n := range in {
			for m := range p.nets {
				if p.nets[n].peers[m] || p.nets[m].peers[n] {
					in[m] = true
				}
			}
		}
	}
	return in[b]
}

func (p plainNames) walk(network, name string, chain []string, depth int) reply {
	if network != "" {
		z, unsure, twice := p.longest(network, name)
		switch {
		case unsure || twice:
			return reply{}
		case z != nil:
			rows, exists := z.look(name)
			if len(rows) > 0 {
				return p.take(rows, network, chain, depth)
			}
			if exists {
				return reply{code: NoError, chain: chain}
			}
			if !z.links[network] {
				return reply{code: NXDomain, chain: chain}
			}
		default:
			if target, ok := p.rule(network, name); ok {
				return p.askServers([]string{target}, "rules", name, chain, depth+1)
			}
			if label, ok := strings.CutSuffix(name, ".internal.cloudapp.net"); ok {
				if label == p.nets[network].vm {
					return reply{NoError, []string{vmAddr(network)}, chain}
				}
				return reply{code: NXDomain, chain: chain}
			}
		}
	}
	var rows []row
	for _, r := range p.public {
		if r.name == name {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return reply{code: NXDomain, chain: chain}
	}
	return p.take(rows, network, chain, depth)
}

// take answers with rows of one name.
func (p plainNames) take(rows []row, network string, chain []string, depth int) reply {
	var addrs []string
	for _, r := range rows {
		if r.alias != rows[0].alias || r.writer != rows[0].writer && r.value != rows[0].value {
			return reply{} // Azure takes one of them
		}
	}
	for _, r := range rows {
		if r.alias {
			if len(chain) >= maxChain || slices.Contains(chain, r.value) || r.value == p.asked {
				return reply{code: ServFail}
			}
			return p.walk(network, r.value, append(slices.Clone(chain), r.value), depth)
		}
		if !slices.Contains(addrs, r.value) {
			addrs = append(addrs, r.value)
		}
	}
	slices.Sort(addrs)
	return reply{NoError, addrs, chain}
}

func (p plainNames) longest(network, name string) (found *plainZone, unsure, twice bool) {
	best := -1
	for _, z := range p.zones {
		if name != z.name && !strings.HasSuffix(name, "."+z.name) || len(z.name) < best {
			continue
		}
		_, linked := z.links[network]
		if !linked && !z.unsure {
			continue
		}
		if len(z.name) > best {
			best, found, unsure, twice = len(z.name), nil, false, false
		}
		switch {
		case linked && found != nil:
			twice = true
		case linked:
			found = z
		default:
			unsure = true
		}
	}
	return found, unsure && found == nil, twice
}

// look finds the rows of a name as RFC 4592 has it: itself, else the wildcard below
// the closest name that exists.
func (z *plainZone) look(name string) (rows []row, exists bool) {
	is := func(n string) bool {
		return n == z.name || slices.ContainsFunc(z.rows, func(r row) bool { return r.name == n || strings.HasSuffix(r.name, "."+n) })
	}
	at := func(n string) (out []row) {
		for _, r := range z.rows {
			if r.name == n {
				out = append(out, r)
			}
		}
		return out
	}
	if is(name) {
		return at(name), true
	}
	labels := strings.Split(name, ".")
	for i := 1; i < len(labels); i++ {
		if above := strings.Join(labels[i:], "."); is(above) {
			return at("*." + above), false
		}
	}
	return nil, false
}

func (p plainNames) rule(network, name string) (target string, ok bool) {
	best := -1
	for _, r := range p.nets[network].rules {
		if r.off || r.suffix != "" && name != r.suffix && !strings.HasSuffix(name, "."+r.suffix) || len(r.suffix) <= best {
			continue
		}
		best, target, ok = len(r.suffix), r.target, true
	}
	return target, ok
}

var netNames = []string{"hub", "one", "two"}

func vmAddr(network string) string {
	return fmt.Sprintf("10.%d.0.9", slices.Index(netNames, network)+1)
}

const (
	firewallAddr = "10.1.0.4"
	inboundAddr  = "10.2.0.5"
	elsewhere    = "172.31.0.53"
)

var (
	zoneNames  = []string{"privatelink.blob.core.windows.net", "a.privatelink.blob.core.windows.net", "corp.example", "x.corp.example", "blob.core.windows.net"}
	labels     = []string{"a", "b.a", "*", "*.a", "@", "x"}
	askedNames = []string{
		"a.blob.core.windows.net", "a.privatelink.blob.core.windows.net", "b.blob.core.windows.net", "b.privatelink.blob.core.windows.net", "b.a.privatelink.blob.core.windows.net",
		"corp.example", "a.corp.example", "b.a.corp.example", "x.corp.example", "c.x.corp.example", "q.w.corp.example", "nobody.example", "vm.internal.cloudapp.net", "other.internal.cloudapp.net",
	}
)

func vnetID(name string) arm.ID { return id(service.TypeVirtualNetwork, name) }

// drawNames makes tables and the documents that say the same.
func drawNames(t *rapid.T) (plainNames, []arm.Resource) {
	chance := func(percent int, what string) bool { return rapid.IntRange(1, 100).Draw(t, what) <= percent }
	p := plainNames{nets: map[string]*plainNet{}, servers: map[string]plainServer{}}
	var docs []arm.Resource
	drawServers := func(list ...string) []string {
		if chance(50, "default DNS") {
			return nil
		}
		return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 1, 2, rapid.ID[string]).Draw(t, "servers")
	}
	for _, n := range append(netNames, "rules") {
		net := &plainNet{name: n, peers: map[string]bool{}}
		p.nets[n] = net
		if n != "rules" {
			net.servers = drawServers(firewallAddr, inboundAddr, elsewhere, service.WireServer.String())
		}
		docs = append(docs, doc(vnetID(n), arm.Object{"dhcpOptions": arm.Object{"dnsServers": texts(net.servers)}}))
	}
	for _, pair := range [][2]string{{"hub", "one"}, {"hub", "two"}, {"rules", "hub"}, {"rules", "one"}} {
		if chance(70, "peered") {
			p.nets[pair[0]].peers[pair[1]] = true
			docs = append(docs, doc(vnetID(pair[0]).Child("virtualNetworkPeerings", "to-"+pair[1]), arm.Object{"remoteVirtualNetwork": ref(vnetID(pair[1]))}))
		}
	}
	fw := plainServer{net: "hub", off: chance(20, "proxy off")}
	if chance(30, "firewall forwards") {
		fw.forward = rapid.SampledFrom([]string{inboundAddr, elsewhere, service.WireServer.String(), firewallAddr}).Draw(t, "forward")
	}
	p.servers[firewallAddr], p.servers[inboundAddr] = fw, plainServer{net: "one"}
	docs = append(docs, serverDocs(fw)...)
	for i, n := range netNames {
		if !chance(40, "ruleset") {
			continue
		}
		set := id(typeRuleset, "set-"+n)
		docs = append(docs, doc(set, arm.Object{"dnsResolverOutboundEndpoints": []any{ref(id(typeResolver, "out").Child("outboundEndpoints", "o"))}}),
			doc(set.Child("virtualNetworkLinks", "l"), arm.Object{"virtualNetwork": ref(vnetID(n))}))
		for j := range rapid.IntRange(1, 3).Draw(t, "rules") {
			r := plainRule{
				suffix: []string{"", "corp.example", "x.corp.example", "blob.core.windows.net"}[(i+j)%4], off: chance(15, "off"),
				target: rapid.SampledFrom([]string{firewallAddr, inboundAddr, elsewhere}).Draw(t, "target"),
			}
			p.nets[n].rules = append(p.nets[n].rules, r)
			docs = append(docs, ruleDoc(set, j, r))
		}
	}
	for _, n := range netNames {
		p.nets[n].vm = "vm"
		docs = append(docs, vmDocs(n)...)
	}
	docs = append(docs, drawZones(t, &p, chance)...)
	return p, docs
}

func texts(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func serverDocs(fw plainServer) []arm.Resource {
	policy := arm.Object{"dnsSettings": arm.Object{"enableProxy": !fw.off}}
	if fw.forward != "" {
		policy["dnsSettings"].(map[string]any)["servers"] = []any{fw.forward}
	}
	resolver, out := id(typeResolver, "in"), id(typeResolver, "out")
	return []arm.Resource{
		doc(id(typePolicy, "p"), policy),
		doc(id(typeFirewall, "fw"), arm.Object{"firewallPolicy": ref(id(typePolicy, "p")), "ipConfigurations": []any{arm.Object{"properties": arm.Object{
			"privateIPAddress": firewallAddr, "subnet": ref(vnetID("hub").Child("subnets", "AzureFirewallSubnet")),
		}}}}),
		doc(resolver, arm.Object{"virtualNetwork": ref(vnetID("one"))}),
		doc(resolver.Child("inboundEndpoints", "i"), arm.Object{"ipConfigurations": []any{arm.Object{"privateIpAddress": inboundAddr}}}),
		doc(out, arm.Object{"virtualNetwork": ref(vnetID("rules"))}), doc(out.Child("outboundEndpoints", "o"), nil),
	}
}

func ruleDoc(set arm.ID, i int, r plainRule) arm.Resource {
	state := "Enabled"
	if r.off {
		state = "Disabled"
	}
	return doc(set.Child("forwardingRules", fmt.Sprint("r", i)), arm.Object{
		"domainName": strings.ToUpper(r.suffix) + ".", "forwardingRuleState": state, "targetDnsServers": []any{arm.Object{"ipAddress": r.target, "port": 53.0}},
	})
}

func vmDocs(n string) []arm.Resource {
	nic := id(service.TypeNetworkInterface, "nic-"+n)
	vm := arm.ResourceID(sub, "rg-"+n, typeVM, "vm")
	return []arm.Resource{
		doc(nic, arm.Object{"ipConfigurations": []any{arm.Object{"properties": arm.Object{"privateIPAddress": vmAddr(n), "subnet": ref(vnetID(n).Child("subnets", "s"))}}}}),
		doc(vm, arm.Object{"networkProfile": arm.Object{"networkInterfaces": []any{ref(nic)}}}),
	}
}

func drawZones(t *rapid.T, p *plainNames, chance func(int, string) bool) []arm.Resource {
	var docs []arm.Resource
	for i := range rapid.IntRange(1, 5).Draw(t, "zones") {
		z := &plainZone{name: rapid.SampledFrom(zoneNames).Draw(t, "zone"), group: fmt.Sprint("rg", i), links: map[string]bool{}, unsure: chance(8, "unsure")}
		zid := arm.ResourceID(sub, z.group, service.TypePrivateDNSZone, z.name)
		docs = append(docs, doc(zid, nil))
		if z.unsure {
			docs = append(docs, doc(zid.Child("virtualNetworkLinks", "some"), arm.Object{"virtualNetwork": arm.Object{"id": arm.Unknown{Expression: "var.network"}}}))
		}
		for _, n := range netNames {
			if chance(45, "linked") {
				z.links[n] = chance(30, "falls back")
				policy := map[bool]string{true: "NxDomainRedirect", false: "Default"}[z.links[n]]
				docs = append(docs, doc(zid.Child("virtualNetworkLinks", "to-"+n), arm.Object{"virtualNetwork": ref(vnetID(n)), "resolutionPolicy": policy}))
			}
		}
		for _, label := range rapid.SliceOfNDistinct(rapid.SampledFrom(labels), 0, 3, rapid.ID[string]).Draw(t, "records") {
			name := strings.TrimPrefix(label+"."+z.name, "@.")
			if chance(25, "alias") && label != "@" {
				target := rapid.SampledFrom(askedNames).Draw(t, "alias of")
				z.rows = append(z.rows, row{name, target, "cname", true})
				docs = append(docs, doc(zid.Child("CNAME", label), arm.Object{"cnameRecord": arm.Object{"cname": target + "."}}))
				continue
			}
			addrs := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"10.9.0.1", "10.9.0.2", "10.9.0.3"}), 1, 2, rapid.ID[string]).Draw(t, "addresses")
			for _, a := range addrs {
				z.rows = append(z.rows, row{name, a, "manual", false})
			}
			docs = append(docs, aRecord(zid, label, addrs...))
		}
		p.zones = append(p.zones, z)
	}
	for _, name := range []string{"a", "b"} {
		acct := doc(id(service.TypeStorageAccount, name), nil)
		docs = append(docs, acct)
		docs = append(docs, drawEndpoints(t, p, acct, chance)...)
	}
	for _, ep := range service.Names(mustEstate(docs)) {
		if ep.Group == "" && !ep.Always && ep.Host != "" {
			p.public = append(p.public, row{ep.Host, service.PublicAddr(ep).String(), "public", false})
		}
	}
	return docs
}

// drawEndpoints gives an account up to two private endpoints with zone groups.
func drawEndpoints(t *rapid.T, p *plainNames, acct arm.Resource, chance func(int, string) bool) []arm.Resource {
	var docs []arm.Resource
	approved := false
	for i := range rapid.IntRange(0, 2).Draw(t, "endpoints") {
		pe := id(service.TypePrivateEndpoint, fmt.Sprint("pe-", acct.Name, i))
		status := map[bool]string{true: "Approved", false: "Pending"}[chance(80, "approved")]
		docs = append(docs, endpoint(pe, acct.ID, "blob", status))
		approved = approved || status == "Approved"
		for j, z := range p.zones {
			if !chance(40, "zone group") {
				continue
			}
			g := zoneGroup(pe, arm.ResourceID(sub, z.group, service.TypePrivateDNSZone, z.name))
			g.ID = pe.Child("privateDnsZoneGroups", fmt.Sprint("g", j))
			g.Name = g.ID.Name()
			docs = append(docs, g)
			if z.name == zoneNames[0] && status == "Approved" {
				z.rows = append(z.rows, row{acct.Name + "." + z.name, peAddress(pe), string(pe), false})
			}
		}
	}
	for _, ep := range service.Endpoints(acct) {
		public := service.PublicAddr(ep).String()
		if ep.Group == "blob" && approved {
			p.public = append(p.public, row{ep.Host, ep.Private, "public", true}, row{ep.Private, public, "public", false})
			continue
		}
		p.public = append(p.public, row{ep.Host, public, "public", false})
	}
	return docs
}

func peAddress(pe arm.ID) string {
	return fmt.Sprintf("10.3.0.%d", 10+int(pe.Name()[3]-'a')*2+int(pe.Name()[4]-'0'))
}

func mustEstate(docs []arm.Resource) *arm.Estate {
	var others []arm.Resource
	for _, d := range docs {
		if !d.IsType(service.TypeStorageAccount) {
			others = append(others, d)
		}
	}
	e, err := arm.NewEstate(others...)
	if err != nil {
		panic(err) // the generator names no document twice
	}
	return e
}

func TestAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, docs := drawNames(t)
		e, err := arm.NewEstate(docs...)
		if err != nil {
			t.Fatal(err)
		}
		r := FromEstate(e, func(i arm.ID, member string) netip.Addr {
			if member == "" {
				return netip.Addr{}
			}
			return netip.MustParseAddr(peAddress(i))
		})
		for _, n := range append(netNames, "") {
			for _, name := range askedNames {
				var from arm.ID
				if n != "" {
					from = vnetID(n)
				}
				compare(t, r.Resolve(from, strings.ToUpper(name)+"."), p.ask(n, name), n)
			}
		}
	})
}

func compare(t *rapid.T, got Answer, want reply, from string) {
	checkAnswer(t, got)
	if want.code == "" || got.Code == "" {
		if want.code != got.Code || got.Verdict.Value != verdict.Unknown {
			t.Fatalf("%s from %q: got %q, want %q: %+v", got.Name, from, got.Code, want.code, got.Verdict.Steps)
		}
		return
	}
	var addrs []string
	for _, a := range got.Addrs {
		addrs = append(addrs, a.String())
	}
	chain := !slices.Equal(got.CNAMEs, want.chain) && want.code != ServFail
	if got.Code != want.code || !slices.Equal(addrs, want.addrs) || chain {
		t.Fatalf("%s from %q: got %s %v by %v, want %+v\n%+v", got.Name, from, got.Code, addrs, got.CNAMEs, want, got.Verdict.Steps)
	}
}
