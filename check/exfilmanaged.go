package check

import (
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// leaveManaged finds the ways out of a managed network.
func (x *exfil) leaveManaged(p Place, m network.ManagedNetwork) {
	value := verdict.Yes
	why := ""
	if len(m.Doubts) > 0 {
		value, why = verdict.Unknown, ", as far as is known: "+m.Doubts[0].Reason
	}
	door := func(resource arm.ID, reason string) Door { return Door{Resource: resource, Reason: reason + why} }
	if m.Mode == network.IsolationInternet {
		x.add(p, Way{Kind: WayInternet, To: "the internet at large", Traffic: everything(), Value: value, Means: internetMeans},
			door(m.Workspace, "isolation mode AllowInternetOutbound of "+m.Workspace.Name()+" lets out everything"))
	}
	for _, t := range m.Tags {
		if !t.Rule.Allow {
			continue
		}
		v := value
		if len(t.Unresolved) > 0 {
			v = verdict.Unknown
		}
		x.add(p, Way{Kind: WayTag, To: tagName(t.Tag), Traffic: trafficOf(t.Rule), Value: v, Means: meansOf(t.Tag)}, door(t.Resource, "outbound rule "+t.Rule.Name))
	}
	for _, h := range m.Hosts {
		x.add(p, Way{Kind: WayInternet, To: h.Host, Value: value, Traffic: Traffic{TCP: []network.PortRange{{First: 80, Last: 80}, {First: httpsPort, Last: httpsPort}}},
			Means: "whoever answers for the name has what is sent there"}, door(h.Resource, "the outbound rule for "+h.Host))
	}
	for _, e := range m.Endpoints {
		if _, ours := x.estate.Get(e.Target); ours {
			continue
		}
		x.add(p, Way{Kind: WayPrivateLink, To: "private endpoint for " + e.Target.Name(), Value: value, Traffic: everything(),
			Means: "the service is not in this estate: whoever owns it has what is sent there"}, door(e.Resource, e.Name))
	}
	x.services(p)
}

func everything() Traffic {
	all := []network.PortRange{{First: 0, Last: 65535}}
	return Traffic{TCP: all, UDP: all, ICMP: true, Other: true}
}

func meansOf(tag string) string {
	for _, t := range sharedTags {
		if t.name == tag {
			return t.means
		}
	}
	return "what is behind the tag is shared by many tenants"
}

// trafficOf is what a rule lets out.
func trafficOf(r network.Rule) Traffic {
	t := everything()
	if len(r.DestinationPorts) > 0 {
		t.TCP, t.UDP = slices.Clone(r.DestinationPorts), slices.Clone(r.DestinationPorts)
	}
	switch network.Protocol(r.Protocol) {
	case network.TCP:
		t.UDP, t.ICMP, t.Other = nil, false, false
	case network.UDP:
		t.TCP, t.ICMP, t.Other = nil, false, false
	case network.ICMP:
		t.TCP, t.UDP, t.Other = nil, nil, false
	}
	return t
}
