package network_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// oracle answers the same questions as the topology, from the documents, one
// address at a time: no prefix lists, no compiled rules, no caches. It takes
// from the topology only who has which address. It knows estates of
// networktest.Random, in which nothing is unknown.
type oracle struct {
	e   *arm.Estate
	top *network.Topology
	// forwards is what is taken for granted of appliances.
	forwards network.Assumption
}

func mustPrefix(s string) netip.Prefix {
	if !strings.Contains(s, "/") {
		s += map[bool]string{true: "/128", false: "/32"}[strings.Contains(s, ":")]
	}
	return netip.MustParsePrefix(s).Masked()
}

func anyContains(list []string, a netip.Addr) bool {
	for _, s := range list {
		if mustPrefix(s).Contains(a) {
			return true
		}
	}
	return false
}

func (o oracle) doc(id arm.ID) arm.Resource { r, _ := o.e.Get(id); return r }

func (o oracle) space(vnet arm.ID) []string {
	return arm.Strings(o.doc(vnet).Properties, "addressSpace.addressPrefixes")
}

func (o oracle) half(from, to arm.ID) (arm.Resource, bool) {
	for _, p := range o.e.Children(from, "Microsoft.Network/virtualNetworks/virtualNetworkPeerings") {
		if arm.Ref(p.Properties, "remoteVirtualNetwork.id").Equal(to) {
			return p, true
		}
	}
	return arm.Resource{}, false
}

// elsewhere is the network outside the estate with which a network is peered.
func (o oracle) elsewhere(vnet arm.ID) (arm.ID, bool) {
	id := nt.VNetID("elsewhere")
	_, ok := o.half(vnet, id)
	return id, ok
}

func (o oracle) connected(a, b arm.ID) bool {
	_, there := o.half(a, b)
	_, back := o.half(b, a)
	if !there || !back {
		return false
	}
	for _, p := range o.space(a) {
		for _, q := range o.space(b) {
			if mustPrefix(p).Overlaps(mustPrefix(q)) {
				return false
			}
		}
	}
	return !o.displaced(a, b) && !o.displaced(b, a)
}

// displaced: a has an earlier peer whose space overlaps that of b.
func (o oracle) displaced(a, b arm.ID) bool {
	for _, v := range o.e.OfType(service.TypeVirtualNetwork) {
		if v.ID.Equal(b) {
			return false
		}
		if v.ID.Equal(a) || !o.connected(a, v.ID) {
			continue
		}
		for _, p := range o.space(v.ID) {
			for _, q := range o.space(b) {
				if mustPrefix(p).Overlaps(mustPrefix(q)) {
					return true
				}
			}
		}
	}
	return false
}

func (o oracle) routes(subnet arm.ID) []arm.Object {
	table := o.doc(arm.Ref(o.doc(subnet).Properties, "routeTable.id"))
	return arm.Objects(table.Properties, "routes")
}

// destinationContains reports whether a prefix or tag of a route holds a, and how long
// the prefix is.
func destinationContains(dest string, a netip.Addr) (bits, rank int, ok bool) {
	if tag, isTag := service.Tag(dest); isTag {
		rank = 2
		if dest == "AzureCloud" {
			rank = 4
		}
		for _, p := range tag {
			if p.Contains(a) && p.Bits() > bits {
				bits, ok = p.Bits(), true
			}
		}
		return bits, rank, ok
	}
	p := mustPrefix(dest)
	return p.Bits(), 0, p.Contains(a)
}

func (o oracle) public(a netip.Addr) bool {
	if a.Is6() {
		return a.As16()[0]&0xe0 == 0x20 // 2000::/3 is all that is given out
	}
	b := a.As4()
	switch {
	case b[0] == 0, b[0] == 10, b[0] == 127, b[0] >= 224, a == service.WireServer:
		return false
	case b[0] == 172 && b[1]&0xf0 == 16, b[0] == 192 && b[1] == 168, b[0] == 100 && b[1]&0xc0 == 64, b[0] == 169 && b[1] == 254:
		return false
	}
	return true
}

// inVirtualNetwork answers for the tag: unknown where only a user-defined route
// has the address.
func (o oracle) inVirtualNetwork(subnet arm.ID, a netip.Addr) verdict.Value {
	vnet := subnet.Parent()
	if a == service.WireServer || anyContains(o.space(vnet), a) {
		return verdict.Yes
	}
	for _, v := range o.e.OfType(service.TypeVirtualNetwork) {
		p, ok := o.half(vnet, v.ID)
		if ok && o.connected(vnet, v.ID) && arm.Bool(p.Properties, "allowVirtualNetworkAccess", true) && anyContains(o.space(v.ID), a) {
			return verdict.Yes
		}
	}
	if far, ok := o.elsewhere(vnet); ok && mustPrefix(nt.ElsewhereSpace).Contains(a) {
		if p, _ := o.half(vnet, far); arm.Bool(p.Properties, "allowVirtualNetworkAccess", true) {
			return verdict.Yes
		}
	}
	if o.usesGateway(vnet) && (mustPrefix("192.168.0.0/16").Contains(a) || mustPrefix("172.30.0.0/24").Contains(a)) {
		return verdict.Yes
	}
	if other, ok := o.joined(vnet); ok && anyContains(o.space(other), a) {
		return verdict.Yes
	}
	if _, ok := o.byHub(vnet, a); ok {
		return verdict.Yes
	}
	if o.learns(vnet) && !o.public(a) {
		return verdict.Unknown
	}
	for _, r := range o.routes(subnet) {
		if _, _, ok := destinationContains(arm.String(r, "properties.addressPrefix"), a); ok {
			return verdict.Unknown
		}
	}
	return verdict.No
}

func (o oracle) matchTerm(term string, subnet arm.ID, a netip.Addr) verdict.Value {
	inside := o.inVirtualNetwork(subnet, a)
	switch term {
	case "*":
		return verdict.Yes
	case "VirtualNetwork":
		return inside
	case "Internet":
		return yes(o.public(a) && inside != verdict.Yes)
	case "AzurePlatformIMDS":
		return yes(a == service.Metadata)
	case "AzureLoadBalancer", "AzurePlatformDNS":
		return yes(a == service.WireServer)
	case "AzureUnlisted":
		if o.public(a) && inside != verdict.Yes {
			return verdict.Unknown
		}
		return verdict.No
	}
	if tag, ok := service.Tag(term); ok {
		return yes(slices.ContainsFunc(tag, func(p netip.Prefix) bool { return p.Contains(a) }))
	}
	return yes(mustPrefix(term).Contains(a))
}

func or(list ...verdict.Value) verdict.Value {
	out := verdict.No
	for _, v := range list {
		if v == verdict.Yes {
			return v
		}
		if v == verdict.Unknown {
			out = v
		}
	}
	return out
}

func (o oracle) matchSide(rule arm.Object, side string, subnet arm.ID, a netip.Addr) verdict.Value {
	out := verdict.No
	for _, term := range arm.Strings(rule, "properties."+side+"AddressPrefixes") {
		out = or(out, o.matchTerm(term, subnet, a))
	}
	for _, g := range arm.Objects(rule, "properties."+side+"ApplicationSecurityGroups") {
		for _, nic := range o.e.OfType(service.TypeNetworkInterface) {
			config := arm.Objects(nic.Properties, "ipConfigurations")[0]
			for _, member := range arm.Objects(config, "properties.applicationSecurityGroups") {
				n, _ := o.top.NIC(nic.ID)
				if arm.String(member, "id") == arm.String(g, "id") && slices.Contains(n.Addrs, a) {
					return verdict.Yes
				}
			}
		}
	}
	return out
}

func (o oracle) matchPorts(rule arm.Object, f network.Flow) verdict.Value {
	source := verdict.Unknown
	for _, s := range arm.Strings(rule, "properties.sourcePortRanges") {
		if s == "*" || s == "1024-65535" && (f.SourcePort == 0 || f.Protocol == network.ICMP) {
			source = verdict.Yes
		} else if f.SourcePort != 0 && f.Protocol != network.ICMP {
			source = yes(portIn([]string{s}, network.Flow{Protocol: f.Protocol, Port: f.SourcePort}))
		}
	}
	destination := verdict.No
	for _, s := range arm.Strings(rule, "properties.destinationPortRanges") {
		low, high, isRange := strings.Cut(s, "-")
		if !isRange {
			high = low
		}
		first, _ := strconv.Atoi(low)
		last, _ := strconv.Atoi(high)
		if s == "*" || f.Protocol != network.ICMP && first <= int(f.Port) && int(f.Port) <= last {
			destination = verdict.Yes
		}
	}
	return verdict.And(source, destination)
}

// group walks the rules of a group for a flow; every rule that may match is
// followed both ways.
func (o oracle) group(id, subnet arm.ID, d network.Direction, f network.Flow) verdict.Value {
	return o.walk(o.rules(id), subnet, d, f)
}

func (o oracle) rules(nsg arm.ID) []arm.Object {
	rules := slices.Clone(arm.Objects(o.doc(nsg).Properties, "securityRules"))
	slices.SortFunc(rules, func(a, b arm.Object) int {
		return arm.Int(a, "properties.priority", 0) - arm.Int(b, "properties.priority", 0)
	})
	return rules
}

// platform passes what the platform answers through the rules of both groups
// that name it, as if an allowing rule came after them.
func (o oracle) platform(n network.NIC, f network.Flow) verdict.Value {
	tag, answered := "AzurePlatformDNS", f.Protocol == network.TCP && f.Port == 80
	if f.Destination == service.Metadata {
		tag = "AzurePlatformIMDS"
	} else {
		answered = answered || f.Protocol != network.ICMP && f.Port == 53
	}
	if !answered {
		return verdict.No
	}
	out := verdict.Yes
	for _, doc := range []arm.ID{n.ID, n.Subnet} {
		rules := slices.DeleteFunc(o.rules(arm.Ref(o.doc(doc).Properties, "networkSecurityGroup.id")), func(r arm.Object) bool {
			return !slices.Contains(arm.Strings(r, "properties.destinationAddressPrefixes"), tag)
		})
		rules = append(rules, nt.Rule("exempt", "5000 Outbound Allow * *:* -> *:*"))
		out = verdict.And(out, o.walk(rules, n.Subnet, network.Outbound, f))
	}
	return out
}

func (o oracle) walk(rules []arm.Object, subnet arm.ID, d network.Direction, f network.Flow) verdict.Value {
	if len(rules) == 0 {
		return o.defaults(subnet, d, f)
	}
	r := rules[0]
	protocol := arm.String(r, "properties.protocol")
	if arm.String(r, "properties.direction") != string(d) || protocol != "*" && protocol != string(f.Protocol) {
		return o.walk(rules[1:], subnet, d, f)
	}
	does := verdict.No
	if arm.String(r, "properties.access") == "Allow" {
		does = verdict.Yes
	}
	match := verdict.And(o.matchPorts(r, f), verdict.And(o.matchSide(r, "source", subnet, f.Source), o.matchSide(r, "destination", subnet, f.Destination)))
	if protocol == "Icmp" && f.Source.Is6() {
		match = verdict.And(match, verdict.Unknown)
	}
	switch match {
	case verdict.Yes:
		return does
	case verdict.No:
		return o.walk(rules[1:], subnet, d, f)
	}
	if rest := o.walk(rules[1:], subnet, d, f); rest != does {
		return verdict.Unknown
	}
	return does
}

func (o oracle) defaults(subnet arm.ID, d network.Direction, f network.Flow) verdict.Value {
	inside := verdict.And(o.inVirtualNetwork(subnet, f.Source), o.inVirtualNetwork(subnet, f.Destination))
	after := verdict.No
	if d == network.Inbound && f.Source == service.WireServer || d == network.Outbound && o.matchTerm("Internet", subnet, f.Destination) == verdict.Yes {
		after = verdict.Yes
	}
	if inside == verdict.Unknown && after == verdict.Yes {
		return verdict.Yes
	}
	return or(inside, after)
}

// groups passes both levels in one direction.
func (o oracle) groups(n network.NIC, d network.Direction, f network.Flow) verdict.Value {
	subnet := o.doc(n.Subnet)
	own := arm.Ref(o.doc(n.ID).Properties, "networkSecurityGroup.id")
	its := arm.Ref(subnet.Properties, "networkSecurityGroup.id")
	policy := arm.String(subnet.Properties, "privateEndpointNetworkPolicies")
	if n.Kind == network.KindPrivateEndpoint && policy != "Enabled" && policy != "NetworkSecurityGroupEnabled" {
		its = ""
	}
	ends := o.adminEnds(n, d, f)
	out := verdict.Yes
	for _, id := range []arm.ID{own, its} {
		if id != "" {
			out = verdict.And(out, o.group(id, n.Subnet, d, f))
		}
	}
	if own == "" && its == "" && d == network.Inbound && o.standard(n) && o.matchTerm("Internet", n.Subnet, f.Source) == verdict.Yes {
		out = verdict.No
	}
	values := map[verdict.Value]bool{}
	for end := range ends {
		values[map[string]verdict.Value{"deny": verdict.No, "always": verdict.Yes, "on": out}[end]] = true
	}
	if len(values) > 1 {
		return verdict.Unknown
	}
	for v := range values {
		return v
	}
	return out
}

// publicIPs are a NIC's public addresses, by the place of the private one that has each.
func (o oracle) publicIPs(n network.NIC) map[int]arm.Resource {
	out := map[int]arm.Resource{}
	for i, c := range arm.Objects(o.doc(n.ID).Properties, "ipConfigurations") {
		if r, ok := o.e.Get(arm.Ref(c, "properties.publicIPAddress.id")); ok {
			out[i] = r
		}
	}
	return out
}

func (o oracle) standard(n network.NIC) bool {
	for _, r := range o.publicIPs(n) {
		if arm.String(r.SKU, "name") == "Standard" {
			return true
		}
	}
	return false
}

// adminEnds are what may become of a packet at the security admin rules: deny,
// always, or on to the groups.
func (o oracle) adminEnds(n network.NIC, d network.Direction, f network.Flow) map[string]bool {
	ends := map[string]bool{}
	exempt := []string{"AzureFirewallSubnet", "GatewaySubnet"}
	if _, member := o.e.Get(nt.ManagerID.Child("networkGroups", "group").Child("staticMembers", n.Subnet.Parent().Name())); !member ||
		n.Kind == network.KindPrivateEndpoint || slices.Contains(exempt, n.Subnet.Name()) {
		return map[string]bool{"on": true}
	}
	_, deployed := o.e.Get(nt.ManagerID.Child("commits", "commit"))
	rules := slices.Clone(o.e.OfType("Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules"))
	slices.SortFunc(rules, func(a, b arm.Resource) int {
		return arm.Int(a.Properties, "priority", 0) - arm.Int(b.Properties, "priority", 0)
	})
	for _, r := range rules {
		p := r.Properties
		protocol, ports := arm.String(p, "protocol"), arm.Strings(p, "destinationPortRanges")
		within := func(side string, a netip.Addr) bool {
			s := arm.String(arm.Objects(p, side)[0], "addressPrefix")
			return s == "*" || mustPrefix(s).Contains(a)
		}
		if arm.String(p, "direction") != string(d) || protocol != "Any" && protocol != string(f.Protocol) ||
			ports[0] != "0-65535" && !portIn(ports, f) || !within("sources", f.Source) || !within("destinations", f.Destination) {
			continue
		}
		ends[map[string]string{"Allow": "on", "AlwaysAllow": "always", "Deny": "deny"}[arm.String(p, "access")]] = true
		if protocol == "Icmp" && f.Source.Is6() { // it may match, and may not
			continue
		}
		if !deployed { // all of the rules are in force, or none
			ends["on"] = true
		}
		return ends
	}
	return map[string]bool{"on": true}
}
