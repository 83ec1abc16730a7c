package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

const typeNSG = "Microsoft.Network/networkSecurityGroups"

// rulesReached requires of each security group that no rule is shadowed: that what
// it matches is not all decided by rules before it.
func rulesReached(w *world) []Requirement {
	shadowed := map[string][]fault{}
	out := w.eachGroup("nsg-rule-reached", "Every rule of %s can decide", func(g network.NSG, list []network.Rule, i int) string {
		var by []network.Rule
		contrary := true
		for _, place := range w.shadowed(g, list)[i] {
			by = append(by, list[place])
			contrary = contrary && !list[place].Allow
		}
		if len(by) == 0 {
			return ""
		}
		if list[i].Allow && contrary {
			shadowed[g.ID.Key()] = append(shadowed[g.ID.Key()], tagFaults(g.ID, list[i].Destinations)...)
		}
		return overshadowed(list[i], by)
	}, "give the rule a lower priority number than the one before it, or take it away: azurerm_network_security_rule")
	for i := range out {
		out[i].faults = shadowed[out[i].To.Resource.Key()]
	}
	return out
}

// tagFaults are those of a group that does not let service tags pass, whole or of
// one region.
func tagFaults(group arm.ID, tags []string) []fault {
	var out []fault
	for _, tag := range tags {
		whole, _, _ := strings.Cut(tag, ".")
		out = append(out, tagFault(group, tag), tagFault(group, whole))
	}
	return out
}

// rulesHaveEffect requires of each security group that its rules allow nothing
// which a default rule of Azure's would allow anyway.
func rulesHaveEffect(w *world) []Requirement {
	return w.eachGroup("nsg-rule-has-effect", "Every rule of %s makes a difference", func(g network.NSG, list []network.Rule, i int) string {
		r := list[i]
		if !r.Allow || w.madeForBastion(g) || len(w.shadowed(g, list)[i]) > 0 {
			return ""
		}
		for _, after := range list[i+1:] {
			switch {
			case !after.Default && after.Allow != r.Allow && !disjoint(after, r):
				return ""
			case after.Default && after.Allow && w.coversByDefault(g, after, r):
				return fmt.Sprintf("allow %s (priority %d) changes nothing: Azure's default rule %s allows the same, and no rule denies anything in between",
					r.Name, r.Priority, after.Name)
			}
		}
		return ""
	}, "deny the rest in a later rule (priority 4096, to any destination), or take these away: azurerm_network_security_rule")
}

// eachGroup asks about each rule that a user wrote, and gathers what is found of
// one group in one requirement.
func (w *world) eachGroup(rule, title string, about func(network.NSG, []network.Rule, int) string, remedy string) []Requirement {
	var out []Requirement
	for _, g := range w.net.NSGs {
		doc, ok := w.estate.Get(g.ID)
		if !ok || len(g.Rules) <= 6 {
			continue
		}
		var found []string
		doubt, doubted, first := "", "", ""
		for i, r := range g.Rules {
			if len(r.Doubts) > 0 {
				doubted = r.Part
				doubt = fmt.Sprintf("rule %s: %s", r.Name, r.Doubts[0].Reason)
			}
			if r.Default || len(r.Doubts) > 0 {
				continue
			}
			low, high := i, i
			for low > 0 && g.Rules[low-1].Direction == r.Direction {
				low--
			}
			for high+1 < len(g.Rules) && g.Rules[high+1].Direction == r.Direction {
				high++
			}
			if s := about(g, g.Rules[low:high+1], i-low); s != "" {
				first = cmp.Or(first, r.Part)
				found = append(found, s)
			}
		}
		value, reason, part := verdict.Yes, fmt.Sprintf("all %d rules do", len(g.Rules)-6), ""
		switch {
		case doubt != "":
			value, reason, part = verdict.Unknown, doubt, doubted
		case len(found) > 0:
			value, reason, part = verdict.No, strings.Join(found, "; "), first
		}
		q := w.configured(rule, doc, fmt.Sprintf(title, g.Name), value, reason, remedy)
		w.point(&q, doc, part)
		out = append(out, q)
	}
	return out
}

func verb(r network.Rule) string {
	if r.Allow {
		return "allow"
	}
	return "deny"
}

func verbs(r network.Rule) string {
	if r.Allow {
		return "allows"
	}
	return "denies"
}

// coversHow compares protocols and ports.
func coversHow(a, b network.Rule) bool {
	return (a.Protocol == "*" || strings.EqualFold(a.Protocol, b.Protocol)) &&
		portsWithin(b.SourcePorts, a.SourcePorts) && portsWithin(b.DestinationPorts, a.DestinationPorts)
}

// portsWithin reports whether every range of inner is in one of outer; an empty
// list is every port.
func portsWithin(inner, outer []network.PortRange) bool {
	if len(outer) == 0 {
		return true
	}
	if len(inner) == 0 {
		inner = []network.PortRange{{First: 0, Last: 65535}}
	}
	for _, i := range inner {
		in := false
		for _, o := range outer {
			in = in || o.First <= i.First && i.Last <= o.Last
		}
		if !in {
			return false
		}
	}
	return true
}

// termsCover reports whether terms cover all of others.
func termsCover(a, b []string) bool {
	for _, want := range b {
		if !slices.ContainsFunc(a, func(have string) bool { return termCovers(have, want) }) {
			return false
		}
	}
	return len(b) > 0
}

// termCovers compares two terms by what is certain without a network: any, equal
// tags, a prefix in another.
func termCovers(a, b string) bool {
	if a == "*" || strings.EqualFold(a, b) {
		return true
	}
	p, okA := prefixOf(a)
	q, okB := prefixOf(b)
	if okA && okB {
		return p.Bits() <= q.Bits() && p.Contains(q.Addr())
	}
	// A regional tag is part of the tag.
	return !okA && !okB && strings.HasPrefix(strings.ToLower(b), strings.ToLower(a)+".")
}

func prefixOf(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// disjoint reports whether two rules are certain to match nothing in common.
func disjoint(a, b network.Rule) bool {
	if a.Protocol != "*" && b.Protocol != "*" && !strings.EqualFold(a.Protocol, b.Protocol) {
		return true
	}
	return portsApart(a.DestinationPorts, b.DestinationPorts) || portsApart(a.SourcePorts, b.SourcePorts) ||
		termsApart(a.Sources, b.Sources) || termsApart(a.Destinations, b.Destinations)
}

func portsApart(a, b []network.PortRange) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			if x.First <= y.Last && y.First <= x.Last {
				return false
			}
		}
	}
	return true
}

// termsApart is certain of prefixes only: tags may hold each other's addresses.
func termsApart(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			p, okX := prefixOf(x)
			q, okY := prefixOf(y)
			if !okX || !okY || p.Overlaps(q) {
				return false
			}
		}
	}
	return true
}

// coversByDefault reports whether a default rule that allows covers a rule. The
// side of the group's own machines is in their network always.
func (w *world) coversByDefault(g network.NSG, def, r network.Rule) bool {
	if len(r.SourceASGs)+len(r.DestinationASGs) > 0 {
		return false
	}
	theirs := r.Sources
	if r.Direction == network.Outbound {
		theirs = r.Destinations
	}
	for _, term := range theirs {
		if !w.termByDefault(g, def, term) {
			return false
		}
	}
	return len(theirs) > 0
}

func (w *world) termByDefault(g network.NSG, def network.Rule, term string) bool {
	p, isPrefix := prefixOf(term)
	switch def.Name {
	case "AllowVnetInBound", "AllowVnetOutBound":
		if !isPrefix {
			return strings.EqualFold(term, "VirtualNetwork")
		}
		return w.insideNetworksOf(g.ID, p)
	case "AllowAzureLoadBalancerInBound":
		return strings.EqualFold(term, "AzureLoadBalancer")
	case "AllowInternetOutBound":
		if isPrefix {
			return p.Bits() > 0 && !p.Addr().IsPrivate() && !p.Addr().IsLinkLocalUnicast()
		}
		return term != "*" && !strings.EqualFold(term, "VirtualNetwork") && !strings.EqualFold(term, "AzureLoadBalancer")
	}
	return false
}

// insideNetworksOf reports whether a prefix lies in the network of each subnet that
// a group guards.
func (w *world) insideNetworksOf(group arm.ID, p netip.Prefix) bool {
	subnets := w.guarded[group.Key()]
	for _, s := range subnets {
		v, _ := w.net.VNet(s.VNet)
		in := false
		for _, q := range v.AddressSpace {
			in = in || q.Bits() <= p.Bits() && q.Contains(p.Addr())
		}
		if !in {
			return false
		}
	}
	return len(subnets) > 0
}

// guardsBastion reports whether a group is on an AzureBastionSubnet, where Azure
// asks for rules by name.
func (w *world) guardsBastion(group arm.ID) bool {
	return slices.ContainsFunc(w.guarded[group.Key()], func(s network.Subnet) bool { return strings.EqualFold(s.Name, bastionSubnet) })
}

// madeForBastion reports whether a group is Bastion's, which asks for rules that change
// nothing as well. One that this estate attaches to nothing, and that lets the gateway
// manager in, is there for another configuration to attach.
//
// Source: Microsoft Learn, "Configure NSG rules for Azure Bastion".
func (w *world) madeForBastion(g network.NSG) bool {
	if len(w.guarded[g.ID.Key()]) > 0 || slices.ContainsFunc(w.net.NICs, func(n network.NIC) bool { return n.NSG.Equal(g.ID) }) {
		return w.guardsBastion(g.ID)
	}
	return slices.ContainsFunc(g.Rules, func(r network.Rule) bool {
		return r.Allow && r.Direction == network.Inbound && slices.ContainsFunc(r.Sources, func(s string) bool { return strings.EqualFold(s, "GatewayManager") })
	})
}
