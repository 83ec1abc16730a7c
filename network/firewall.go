package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeFirewall  = "Microsoft.Network/azureFirewalls"
	typePolicy    = "Microsoft.Network/firewallPolicies"
	typeRuleGroup = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
	typeIPGroup   = "Microsoft.Network/ipGroups"

	aboutPolicy = "firewallPolicy.id"
	aboutSNAT   = "snat"
	aboutHost   = "host"
)

// Firewall is an Azure Firewall in a virtual network or in a virtual hub.
type Firewall struct {
	ID   arm.ID
	Name string
	// Hub is the virtual hub that it secures, "" in a virtual network.
	Hub      arm.ID
	Subnet   arm.ID // AzureFirewallSubnet; of a hub's firewall one that no document describes
	Private  netip.Addr
	Public   []arm.ID // its public IP addresses, of which each connection takes one; itself where Azure gives them
	Policy   arm.ID   // "" for classic rules
	DNSProxy bool
	// Untranslated are the destinations to which packets keep their source address.
	Untranslated []netip.Prefix
	// Learns: it keeps the source address towards what a route server beside it has
	// learned too, which no document holds.
	Learns bool
	// Inspects are its settings that look into what is allowed, by Azure's names: TLS
	// inspection, IDPS, threat intelligence that denies. They may close a connection
	// that rules allow, and decide nothing here.
	Inspects []string
	Doubts   Doubts

	rules []firewallRule // network rules, then application rules, in the order in which they are tried
	nat   []natRule

	hubPrefix netip.Prefix
	standIn   bool // Private stands for an address of hubPrefix that is known only after deployment
}

// keptByDefault are the destinations for which Azure Firewall does not translate
// the source: IANA RFC 1918 and RFC 6598.
var keptByDefault = nowhere

func (fw *Firewall) translates(to netip.Addr) bool { return !contains(fw.Untranslated, to) }

func (fw *Firewall) hasApplicationRules() bool {
	return slices.ContainsFunc(fw.rules, func(r firewallRule) bool { return r.application })
}

// unusable is the step at a firewall of which too little is known.
func (fw *Firewall) unusable() (verdict.Step, bool) {
	step := verdict.Step{At: "Azure Firewall " + fw.Name, Resource: fw.ID, Value: verdict.Unknown, Reason: "its private address is not known"}
	if len(fw.Doubts) > 0 {
		step.Reason = fw.Doubts[0].Reason
	}
	return step, len(fw.Doubts) > 0 || !fw.Private.IsValid()
}

// firewalls reads every firewall with the rules of its policy and of the
// policies that it inherits from, or its classic ones.
func (b *builder) firewalls() {
	for _, r := range b.e.OfType(typeFirewall) {
		fw := &Firewall{ID: r.ID, Name: r.ID.Name(), Untranslated: keptByDefault}
		d := b.read(r, &fw.Doubts)
		for i, c := range d.objects(aboutConfigs, "IP configuration") {
			if id := c.as(aboutSubnet).ref("properties.subnet.id"); id != "" && i == 0 {
				fw.Subnet = id
				a, err := parseAddr(arm.String(c.o, "properties.privateIPAddress"))
				if err == nil {
					fw.Private = a
				}
			}
			if id := c.as(aboutPublic).ref("properties.publicIPAddress.id"); id != "" {
				fw.Public = append(fw.Public, id)
			}
		}
		if fw.Hub = d.ref("virtualHub.id"); fw.Hub != "" {
			b.inHub(fw, d)
		} else if _, ok := b.t.Subnet(fw.Subnet); !ok {
			d.doubt(aboutSubnet, "the subnet of the firewall is not in the estate")
		}
		fw.Policy = b.association(d, aboutPolicy)
		fw.inspects(r)
		if fw.Policy != "" {
			b.policy(fw, fw.Policy)
		} else {
			b.classic(fw, d)
		}
		sortRules(fw)
		b.t.Firewalls = append(b.t.Firewalls, fw)
		b.t.firewallAt[r.ID.Key()] = fw
	}
}

// inHub places a firewall in its virtual hub. Which of the hub's addresses it has is
// known after deployment: before, one of them stands for it.
func (b *builder) inHub(fw *Firewall, d document) {
	fw.Subnet = hubSubnet(fw.Hub)
	if len(fw.Public) == 0 {
		fw.Public = []arm.ID{fw.ID}
	}
	h, ok := b.e.Get(fw.Hub)
	if !ok {
		d.doubt(aboutSubnet, "virtual hub "+fw.Hub.Name()+" is not in the estate")
		return
	}
	prefix, err := parsePrefix(b.read(h, &fw.Doubts).text("addressPrefix"))
	if err != nil {
		if len(fw.Doubts) == 0 {
			d.doubt(aboutPrefix, "the addresses of virtual hub "+h.ID.Name()+" are not known")
		}
		return
	}
	fw.hubPrefix = prefix
	if fw.Private, err = parseAddr(d.text("hubIPAddresses.privateIPAddress")); err != nil || !prefix.Contains(fw.Private) {
		fw.Private, fw.standIn = prefix.Addr(), true
		for range reservedFirst {
			fw.Private = fw.Private.Next()
		}
	}
	b.standIn(fw)
}

// sortRules puts network rules before application rules: Azure tries them in
// this order whatever the priorities of their groups.
func sortRules(fw *Firewall) {
	slices.SortStableFunc(fw.rules, func(x, y firewallRule) int {
		switch {
		case x.application == y.application:
			return 0
		case x.application:
			return 1
		}
		return -1
	})
}

// policy adds the rules of a policy: those of its parent first.
func (b *builder) policy(fw *Firewall, id arm.ID) {
	seen := map[string]bool{}
	var chain []arm.Resource
	for id != "" && !seen[id.Key()] {
		seen[id.Key()] = true
		r, ok := b.e.Get(id)
		if !ok {
			fw.Doubts = append(fw.Doubts, Doubt{About: aboutPolicy, Reason: "firewall policy " + id.Name() + " is not in the estate"})
			break
		}
		chain = append(chain, r)
		id = b.read(r, &fw.Doubts).ref("basePolicy.id")
	}
	slices.Reverse(chain)
	for _, r := range chain {
		d := b.read(r, &fw.Doubts)
		fw.inspects(r)
		fw.DNSProxy = d.flag("dnsSettings.enableProxy", fw.DNSProxy)
		if list := d.as(aboutSNAT).texts("snat.privateRanges"); len(list) > 0 {
			fw.Untranslated = snatRanges(d, list)
		}
		fw.learns(b, r)
		b.ruleGroups(fw, r)
	}
}

// learns reads whether ranges are learned, each hour, from the route server that must be
// in the same network: then there is a subnet for it. A setting that is not known counts
// as one that may be on.
//
// Source: Microsoft Learn, "Azure Firewall SNAT private IP address ranges" (auto-learn
// SNAT routes).
func (fw *Firewall) learns(b *builder, policy arm.Resource) {
	var open Doubts
	mode := b.read(policy, &open).text("snat.autoLearnPrivateRanges")
	switch {
	case mode == "" && len(open) == 0:
	case strings.EqualFold(mode, "Disabled"):
		fw.Learns = false
	default:
		_, fw.Learns = b.t.Subnet(fw.Subnet.Parent().Child("subnets", "RouteServerSubnet"))
	}
}

// inspects notes what a firewall or its policy has that looks into connections.
func (fw *Firewall) inspects(r arm.Resource) {
	note := func(has bool, what string) {
		if has && !slices.Contains(fw.Inspects, what) {
			fw.Inspects = append(fw.Inspects, what)
		}
	}
	mode := arm.String(r.Properties, "intrusionDetection.mode")
	_, inspected := arm.Lookup(r.Properties, "transportSecurity.certificateAuthority")
	note(inspected, "TLS inspection")
	note(mode != "" && !strings.EqualFold(mode, "Off"), "IDPS")
	note(strings.EqualFold(arm.String(r.Properties, "threatIntelMode"), "Deny"), "threat intelligence")
}

// snatRanges reads destinations whose source is kept: prefixes, IANAPrivateRanges,
// and 255.255.255.255/32 for none.
func snatRanges(d document, list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if strings.EqualFold(s, "IANAPrivateRanges") {
			out = append(out, keptByDefault...)
			continue
		}
		p, err := parseTerm(s)
		if err != nil {
			d.as(aboutSNAT).malformed(aboutSNAT, "%v", err)
			continue
		}
		out = append(out, p)
	}
	return out
}

// ruleGroups adds the rule collection groups of one policy by priority.
func (b *builder) ruleGroups(fw *Firewall, policy arm.Resource) {
	groups := slices.Clone(b.e.Children(policy.ID, typeRuleGroup))
	slices.SortStableFunc(groups, func(x, y arm.Resource) int {
		return arm.Int(x.Properties, "priority", 0) - arm.Int(y.Properties, "priority", 0)
	})
	for _, g := range groups {
		d := b.read(g, &fw.Doubts)
		d.number("priority", 0)
		collections := d.objects("ruleCollections", "rule collection")
		slices.SortStableFunc(collections, func(x, y document) int {
			return arm.Int(x.o, "priority", 0) - arm.Int(y.o, "priority", 0)
		})
		for _, c := range collections {
			b.collection(fw, c, FirewallOrigin{Policy: policy.ID, Group: g.ID.Name()})
		}
	}
}

func (b *builder) collection(fw *Firewall, c document, origin FirewallOrigin) {
	c.doubts = &fw.Doubts
	c.number("priority", 0)
	action := strings.ToLower(c.text("action.type"))
	for i, r := range c.objects("rules", "rule") {
		r.text("ruleType")
		r.doubts = &Doubts{}
		origin.Collection, origin.Rule = nameOf(c.o, 0), nameOf(r.o, i)
		at := collectionRule{document: r, origin: origin, name: nameOf(c.o, 0) + "/" + nameOf(r.o, i), priority: arm.Int(c.o, "priority", 0), allow: action == "allow"}
		switch kind := strings.ToLower(arm.String(r.o, "ruleType")); {
		case kind == "natrule" || action == "dnat":
			fw.nat = append(fw.nat, at.nat(b)...)
		case kind == "applicationrule":
			fw.rules = append(fw.rules, at.application(b)...)
		default:
			fw.rules = append(fw.rules, at.network(b)...)
		}
	}
}

// classic adds the rules that a firewall without a policy holds itself.
func (b *builder) classic(fw *Firewall, d document) {
	if s := arm.String(d.o, "additionalProperties.Network.DNS.EnableProxy"); s == "" {
		if extra, ok := arm.Lookup(d.o, "additionalProperties"); ok {
			b.additional(fw, d, extra)
		}
	}
	for _, list := range []string{"natRuleCollections", "networkRuleCollections", "applicationRuleCollections"} {
		collections := d.as(aboutPolicy).objects(list, "rule collection")
		slices.SortStableFunc(collections, func(x, y document) int {
			return arm.Int(x.o, "properties.priority", 0) - arm.Int(y.o, "properties.priority", 0)
		})
		for _, c := range collections {
			inner, _ := c.value("properties")
			o, ok := inner.(map[string]any)
			if !ok {
				continue
			}
			o = arm.Clone(o)
			o["name"] = nameOf(c.o, 0)
			kind := map[string]string{"natRuleCollections": "NatRule", "networkRuleCollections": "NetworkRule", "applicationRuleCollections": "ApplicationRule"}[list]
			for _, r := range arm.Objects(o, "rules") {
				r["ruleType"] = kind
			}
			c.o, c.part = o, c.part+".properties"
			b.collection(fw, c, FirewallOrigin{})
		}
	}
}

// additional reads what classic firewalls keep as text.
func (b *builder) additional(fw *Firewall, d document, extra any) {
	o, ok := extra.(map[string]any)
	if !ok {
		return
	}
	if s, ok := o["Network.DNS.EnableProxy"].(string); ok {
		fw.DNSProxy = strings.EqualFold(s, "true")
	}
	if s, ok := o["Network.SNAT.PrivateRanges"].(string); ok && s != "" {
		fw.Untranslated = snatRanges(d, strings.Split(s, ","))
	}
}

// firewallPlace is a firewall as a place in its subnet.
func (t *Topology) firewallPlace(fw *Firewall) place {
	n := NIC{ID: fw.ID, Owner: fw.ID, Name: "Azure Firewall " + fw.Name, Kind: KindFirewall, Subnet: fw.Subnet, Addrs: []netip.Addr{fw.Private}, Via: ViaExplicit, IPForwarding: true, Doubts: fw.Doubts}
	for _, id := range fw.Public {
		if a := t.PublicIP(id); a.IsValid() && !n.PublicAddr.IsValid() {
			n.PublicAddr = a
		}
	}
	return t.place(n)
}

// firewallIn is the firewall that has an address in a network.
func (t *Topology) firewallIn(vnet arm.ID, a netip.Addr) (*Firewall, bool) {
	for _, fw := range t.Firewalls {
		if fw.Private == a && fw.Private.IsValid() && fw.Subnet.Parent().Equal(vnet) {
			return fw, true
		}
	}
	return nil, false
}

// firewallWith is the firewall that has a public IP address.
func (t *Topology) firewallWith(public arm.ID) (*Firewall, bool) {
	for _, fw := range t.Firewalls {
		if slices.ContainsFunc(fw.Public, public.Equal) {
			return fw, true
		}
	}
	return nil, false
}

// checkFirewalls notes what Azure refuses of firewalls.
func (b *builder) checkFirewalls() {
	for _, fw := range b.t.Firewalls {
		if s, ok := b.t.Subnet(fw.Subnet); ok && !strings.EqualFold(s.Name, "AzureFirewallSubnet") {
			b.problemOf(fw.ID, "firewall %s is in subnet %s; it must be in one named AzureFirewallSubnet", fw.Name, s.Name)
		}
		if fw.Hub == "" && len(fw.Public) == 0 && len(fw.Doubts) == 0 {
			b.problemOf(fw.ID, "%s", fmt.Sprintf("firewall %s has no public IP address; give its first IP configuration one", fw.Name))
		}
	}
}
