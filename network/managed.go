package network

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const typeOutboundRule = "Microsoft.MachineLearningServices/workspaces/outboundRules"

// Isolation is what the managed network of a workspace lets out.
type Isolation string

// The isolation modes. A compute of a workspace without a managed network and
// without a subnet runs in a network of Microsoft's, as in IsolationDisabled.
const (
	IsolationDisabled Isolation = "Disabled"
	IsolationInternet Isolation = "AllowInternetOutbound"
	IsolationApproved Isolation = "AllowOnlyApprovedOutbound"
)

// ManagedNetwork is the network that Azure Machine Learning keeps for the computes
// of one workspace. It is peered with nothing: its computes reach services by its
// own private endpoints, and what is public as far as the mode lets them.
//
// Source: Microsoft Learn, "Workspace Managed Virtual Network Isolation" (list of
// required rules, private endpoints, limitations).
type ManagedNetwork struct {
	Workspace arm.ID // whose network it is: of a project its hub
	Mode      Isolation
	Endpoints []ManagedEndpoint // required ones first
	Tags      []ManagedTag
	Hosts     []ManagedHost
	Doubts    Doubts // why there may be other rules, or another mode
}

// ManagedEndpoint is a private endpoint in a managed network.
type ManagedEndpoint struct {
	Name     string
	Resource arm.ID // the document that asks for it: a rule, or the workspace
	Target   arm.ID
	Group    string
	Required bool   // made by itself, as the workspace needs it
	Doubt    string // why it is not certain that it is made; "" where it is
}

// ManagedTag lets out to a service tag, or to prefixes.
type ManagedTag struct {
	Match
	Resource arm.ID
	Tag      string
	Required bool
}

// ManagedHost lets out to a name, on ports 80 and 443.
type ManagedHost struct {
	Resource arm.ID
	Host     string
}

// requiredTags are what a managed network that lets out only what is approved lets
// out by itself. Which ports it opens is not said; these are those that the
// services need.
//
// Source: Microsoft Learn, "Workspace Managed Virtual Network Isolation" (list of
// required rules), "Configure inbound and outbound network traffic".
var requiredTags = []struct {
	tag, protocol string
	ports         []PortRange
}{
	{"AzureActiveDirectory", "Tcp", []PortRange{{80, 80}, {443, 443}}},
	{"AzureMachineLearning", "Tcp", []PortRange{{443, 443}, {8787, 8787}, {18881, 18881}}},
	{"AzureMachineLearning", "Udp", []PortRange{{5831, 5831}}},
	{"BatchNodeManagement", "*", []PortRange{{443, 443}}},
	{"AzureResourceManager", "Tcp", []PortRange{{443, 443}}},
	{"AzureFrontDoor.FirstParty", "Tcp", []PortRange{{443, 443}}},
	{"MicrosoftContainerRegistry", "Tcp", []PortRange{{443, 443}}},
	{"AzureMonitor", "Tcp", []PortRange{{443, 443}}},
}

// ManagedNetwork is the network in which the computes of a workspace run that have
// no subnet. It reports false where there is no such workspace in the estate.
func (t *Topology) ManagedNetwork(workspace arm.ID) (ManagedNetwork, bool) {
	ws, ok := t.estate.Get(workspace)
	if !ok {
		return ManagedNetwork{}, false
	}
	if hub := arm.Ref(ws.Properties, "hubResourceId"); hub != "" {
		if doc, ok := t.estate.Get(hub); ok {
			ws = doc
		}
	}
	m := ManagedNetwork{Workspace: ws.ID, Mode: IsolationDisabled}
	b := &builder{t: &Topology{}, e: t.estate}
	d := b.read(ws, &m.Doubts)
	if d.text("managedNetwork.isolationMode") != "" {
		m.Mode = Isolation(d.oneOf("managedNetwork.isolationMode", "managedNetwork.isolationMode",
			string(IsolationDisabled), string(IsolationInternet), string(IsolationApproved)))
	}
	if m.Mode == IsolationDisabled {
		return m, true
	}
	m.require(d)
	for _, r := range t.estate.Children(ws.ID, typeOutboundRule) {
		m.rule(b.read(r, &m.Doubts), r.ID.Name())
	}
	rules, _ := arm.Lookup(ws.Properties, "managedNetwork.outboundRules")
	list, _ := rules.(map[string]any)
	names := make([]string, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if o, ok := list[name].(map[string]any); ok {
			rule := d
			rule.o = o
			m.rule(rule, name)
		}
	}
	return m, true
}

// Isolated reports whether there is a managed network, rather than one of
// Microsoft's.
func (m ManagedNetwork) Isolated() bool { return m.Mode != IsolationDisabled }

// require adds what the network has by itself: endpoints to the workspace and its
// services where they are private or only what is approved is let out.
func (m *ManagedNetwork) require(d document) {
	m.needs(d.r, "amlworkspace")
	for _, s := range []struct {
		property string
		groups   []string
	}{{"storageAccount", []string{"blob", "file"}}, {"keyVault", []string{"vault"}}, {"containerRegistry", []string{"registry"}}} {
		target := d.ref(s.property)
		if target == "" {
			continue
		}
		doc, ok := d.b.e.Get(target)
		if !ok {
			doc = arm.Resource{ID: target}
		}
		m.needs(doc, s.groups...)
	}
	if m.Mode != IsolationApproved {
		return
	}
	for _, r := range requiredTags {
		rule := Rule{Name: "required " + r.tag, Direction: Outbound, Allow: true, Protocol: r.protocol, DestinationPorts: r.ports}
		prefixes, _ := service.Tag(r.tag)
		m.Tags = append(m.Tags, ManagedTag{Match{Rule: rule, Sources: allAddresses, Destinations: prefixes}, m.Workspace, r.tag, true})
	}
}

// needs adds the endpoints of a service of the workspace.
func (m *ManagedNetwork) needs(doc arm.Resource, groups ...string) {
	doubt := ""
	if m.Mode == IsolationInternet {
		access, unknown := setting(doc.Properties, "publicNetworkAccess")
		switch {
		case unknown != "":
			doubt = unknown
		case doc.Type == "":
			doubt = doc.ID.Name() + " is not in the estate, and an endpoint is made only where it is closed"
		case !strings.EqualFold(access, "Disabled"):
			return
		}
	}
	for _, g := range groups {
		m.Endpoints = append(m.Endpoints, ManagedEndpoint{Name: "required endpoint of " + doc.ID.Name() + " (" + g + ")",
			Resource: m.Workspace, Target: doc.ID, Group: g, Required: true, Doubt: doubt})
	}
}

// rule adds an outbound rule. Rules for tags and names are of use only where
// nothing else is let out.
func (m *ManagedNetwork) rule(d document, name string) {
	var doubts Doubts
	d.doubts, d.at = &doubts, "outbound rule "+name+": "
	id := d.r.ID
	switch kind := strings.ToLower(d.text("type")); {
	case kind == "privateendpoint":
		e := ManagedEndpoint{Name: "outbound rule " + name, Resource: id, Target: d.ref("destination.serviceResourceId"), Group: d.text("destination.subresourceTarget")}
		if len(doubts) > 0 {
			m.Doubts = append(m.Doubts, doubts[0])
			return
		}
		m.Endpoints = append(m.Endpoints, e)
	case m.Mode != IsolationApproved:
	case kind == "fqdn":
		host := d.text("destination")
		if len(doubts) == 0 {
			m.Hosts = append(m.Hosts, ManagedHost{Resource: id, Host: host})
		}
	case kind == "servicetag":
		m.Tags = append(m.Tags, d.managedTag(name))
		return
	}
	m.Doubts = append(m.Doubts, doubts...)
}

// managedTag is a rule for a service tag. Where it names prefixes, those are meant.
func (d document) managedTag(name string) ManagedTag {
	tag := ManagedTag{Resource: d.r.ID, Tag: d.as(aboutDestination).text("destination.serviceTag")}
	r := Rule{Name: name, Direction: Outbound, Protocol: d.as(aboutProtocol).text("destination.protocol")}
	r.Allow = !strings.EqualFold(d.as(aboutVerb).text("destination.action"), "Deny")
	switch strings.ToLower(r.Protocol) {
	case "":
		r.Protocol = "*"
	case "tcp", "udp", "icmp":
		r.Protocol = firewallProtocol(r.Protocol)
	}
	for _, s := range strings.Split(d.as(aboutPort).text("destination.portRanges"), ",") {
		if s = strings.TrimSpace(s); s == "" || s == "*" {
			continue
		}
		if p, ok := parsePorts(s); ok {
			r.DestinationPorts = append(r.DestinationPorts, p)
			continue
		}
		d.malformed(aboutPort, "portRanges %q is not a port or a range", s)
	}
	tag.Match = Match{Sources: allAddresses, Destinations: d.as(aboutDestination).prefixes("destination.addressPrefixes")}
	if len(tag.Destinations) == 0 && tag.Tag != "" {
		tag.Destinations = d.firewallTerm(aboutDestination, tag.Tag)
	}
	r.Doubts = *d.doubts
	tag.Rule = r
	settled := firewallRule{Match: tag.Match}.settled()
	tag.Match = settled.Match
	return tag
}

// Endpoint is the private endpoint of the network by which a sub-resource of a
// service is reached.
func (m ManagedNetwork) Endpoint(target arm.ID, group string) (ManagedEndpoint, bool) {
	for _, e := range m.Endpoints {
		if e.Target.Equal(target) && strings.EqualFold(e.Group, group) {
			return e, true
		}
	}
	return ManagedEndpoint{}, false
}
