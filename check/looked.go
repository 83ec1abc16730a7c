package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// looked says what was looked at where packets passed or stopped: the rules of a
// group with the one that decides, the routes that cover the destination with the
// one that wins, the two halves of a peering.
func (t *tracer) looked(h Hop) []Looked {
	switch {
	case strings.HasPrefix(h.At, "NSG "):
		return t.rulesAt(h)
	case strings.HasPrefix(h.At, "route"):
		return append(t.routesAt(), t.peeringAt(h)...)
	}
	return nil
}

// rulesAt are the rules of the group that a hop is about. The hop's own answer is
// found again, so that no other group's rules are shown for it.
func (t *tracer) rulesAt(h Hop) []Looked {
	f := t.flow()
	for _, n := range t.net.NICs {
		for _, d := range []network.Direction{network.Outbound, network.Inbound} {
			if !t.concerned(n, d) {
				continue
			}
			for _, filter := range t.net.Filters(n.ID, d) {
				step := filter.Decide(f)
				if step.At == h.At && step.Reason == h.Reason && step.Value == h.Value {
					return rulesOf(filter, f)
				}
			}
		}
	}
	if s, ok := t.net.Subnet(t.From.Subnet); ok && t.From.NIC == "" && s.NSG != "" && s.NSG.Equal(h.Resource) {
		filter := network.Filter{NSG: s.NSG, At: "subnet " + s.Name, Matches: t.net.Matches(s.NSG, s.ID, network.Outbound)}
		if step := filter.Decide(f); step.Reason == h.Reason {
			return rulesOf(filter, f)
		}
	}
	return nil
}

// concerned reports whether a network interface is at an end of the flow: the
// source's when packets leave, the destination's when they arrive.
func (t *tracer) concerned(n network.NIC, d network.Direction) bool {
	if d == network.Outbound {
		return holds(n.Addrs, t.From.Addr)
	}
	return holds(n.Addrs, t.To.Addr) || t.To.Addr.IsValid() && (n.PublicAddr == t.To.Addr || n.PublicAddr6 == t.To.Addr)
}

func rulesOf(filter network.Filter, f network.Flow) []Looked {
	var out []Looked
	decided := false
	for _, m := range filter.Matches {
		l := Looked{Text: ruleText(m.Rule), After: decided}
		value := m.Test(f)
		switch {
		case decided:
		case value == verdict.No:
			l.Text += ": does not match, " + mismatch(m, f)
		case value == verdict.Unknown:
			l.Text += ": may match"
		default:
			l.Decides, decided = true, true
			l.Text += ": matches"
		}
		out = append(out, l)
	}
	return out
}

func ruleText(r network.Rule) string {
	verb := "Deny"
	if r.Allow {
		verb = "Allow"
	}
	return fmt.Sprintf("%d %s: %s %s %s from %s to %s", r.Priority, r.Name, verb, protocolText(r.Protocol), portText(r.DestinationPorts), endText(r.Sources, len(r.SourceASGs)), endText(r.Destinations, len(r.DestinationASGs)))
}

func protocolText(s string) string {
	if s == "*" {
		return "any protocol,"
	}
	return strings.ToUpper(s)
}

func endText(list []string, groups int) string {
	const most = 3
	words := slices.Clone(list)
	if n := len(words) - most; n > 0 {
		words = append(words[:most], fmt.Sprintf("%d more", n))
	}
	if groups > 0 {
		words = append(words, fmt.Sprintf("%d application security groups", groups))
	}
	return strings.Join(words, ", ")
}

func portText(list []network.PortRange) string {
	if len(list) == 0 {
		return "any port"
	}
	var words []string
	for _, r := range list {
		if r.First <= 1 && r.Last == 65535 {
			return "any port"
		}
		words = append(words, r.String())
	}
	return strings.Join(words, ",")
}

// mismatch says which field of a rule a flow is not in.
func mismatch(m network.Match, f network.Flow) string {
	switch {
	case m.Rule.Protocol != "*" && !strings.EqualFold(m.Rule.Protocol, string(f.Protocol)):
		return "protocol " + m.Rule.Protocol
	case !among(m.Destinations, f.Destination):
		return "another destination"
	case !among(m.Sources, f.Source):
		return "another source"
	case len(m.Rule.DestinationPorts) > 0 && !slices.ContainsFunc(m.Rule.DestinationPorts, func(r network.PortRange) bool { return r.First <= f.Port && f.Port <= r.Last }):
		return "another port"
	}
	return "another source port"
}

func among(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// routesAt are the routes of the source's subnet that cover the destination, the
// one that is taken first.
func (t *tracer) routesAt() []Looked {
	var out []Looked
	for _, r := range t.net.EffectiveRoutes(t.From.Subnet) {
		if !r.Prefix.Contains(t.To.Addr) {
			continue
		}
		l := Looked{Text: r.String(), Decides: len(out) == 0, After: len(out) > 0}
		if l.After {
			l.Text += ": less specific"
		}
		out = append(out, l)
	}
	return out
}

// peeringAt are the flags of both halves of the peering that a route leads over.
func (t *tracer) peeringAt(h Hop) []Looked {
	var out []Looked
	for _, v := range t.net.VNets {
		for _, p := range v.Peerings {
			if !p.ID.Equal(h.Resource) {
				continue
			}
			out = append(out, peeringText(v, p))
			remote, _ := t.net.VNet(p.Remote)
			for _, back := range remote.Peerings {
				if back.Remote.Equal(v.ID) {
					out = append(out, peeringText(remote, back))
				}
			}
		}
	}
	return out
}

func peeringText(v network.VNet, p network.Peering) Looked {
	state := "Initiated"
	if p.Connected {
		state = "Connected"
	}
	return Looked{Text: fmt.Sprintf("peering %s to %s: %s, access %s, forwarded traffic %s, gateway transit %s, remote gateways %s",
		v.Name, p.Remote.Name(), state, yesNo(p.AllowAccess), yesNo(p.AllowForwarded), yesNo(p.AllowGatewayTransit), yesNo(p.UseRemoteGateways))}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
