package check

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// managed puts a compute that has no subnet into the network that Azure Machine
// Learning keeps for its workspace. Where the subnet is not known it stays
// nowhere.
func (w *world) managed(p Place, compute arm.Resource) Place {
	for _, path := range []string{"properties.subnet", "properties.subnet.id"} {
		if _, unknown := arm.UnknownAt(compute.Properties, path); unknown {
			return p
		}
	}
	if arm.Ref(compute.Properties, "properties.subnet.id") == "" {
		if m, ok := w.net.ManagedNetwork(compute.ID.Parent()); ok {
			p.Managed = m.Workspace
		}
	}
	return p
}

// serverlessPlaces are the computes that workspaces with a network for them start
// for jobs that name none: in a subnet of the estate, or in the managed network.
//
// Source: Microsoft Learn, "Model training on serverless compute".
func (w *world) serverlessPlaces() []Place {
	var out []Place
	for _, ws := range w.estate.OfType(service.TypeWorkspace) {
		p := Place{Name: ws.Name + "/serverless", Kind: KindCompute, Role: RoleCompute, Resource: ws.ID}
		m, _ := w.net.ManagedNetwork(ws.ID)
		nic, ok := w.net.NIC(network.ServerlessNode(ws.ID))
		switch {
		case ok:
			out = append(out, w.onNIC(p, nic))
		case m.Isolated():
			p.Managed = m.Workspace
			out = append(out, p)
		}
	}
	return out
}

// isolated is the managed network of a place, where it is in one that is isolated.
func (w *world) isolated(p Place) (network.ManagedNetwork, bool) {
	if p.Managed == "" {
		return network.ManagedNetwork{}, false
	}
	m, ok := w.net.ManagedNetwork(p.Managed)
	return m, ok && m.Isolated()
}

// followManaged follows a client in a managed network to an endpoint: by the
// network's own private endpoint, or to the public address.
func (w *world) followManaged(p Place, ep service.Endpoint) Cell {
	m, _ := w.net.ManagedNetwork(p.Managed)
	c := Cell{From: p, To: ep}
	if e, ok := m.Endpoint(ep.Owner, ep.Group); ok && ep.Group != "" {
		c.Resolve, c.Connect, c.Admit = w.byManagedEndpoint(m, e, ep)
		c.Authorize, c.Called = w.authorizeCall(p, ep)
		return c
	}
	c.Resolve = w.names.Resolve("", ep.Host)
	if len(c.Resolve.Addrs) == 0 {
		c.Connect = notReached(c.Resolve.Verdict, "there is no address to connect to")
		c.Admit = notReached(c.Connect, "nothing arrives at the service")
	} else {
		c.Connect = m.Reach(network.Flow{Destination: c.Resolve.Addrs[0], Protocol: network.TCP, Port: httpsPort, Host: ep.Host})
		c.Admit = w.admitManaged(ep)
	}
	c.Authorize, c.Called = w.authorizeCall(p, ep)
	return c
}

// byManagedEndpoint answers for a private endpoint of a managed network. Which
// address it has is Azure's to choose. Its name leads there without a zone of the
// estate.
func (w *world) byManagedEndpoint(m network.ManagedNetwork, e network.ManagedEndpoint, ep service.Endpoint) (privatedns.Answer, verdict.Verdict, verdict.Verdict) {
	at := "managed network of " + m.Workspace.Name()
	value, reason := verdict.Yes, fmt.Sprintf("%s leads to its private endpoint for %s (%s)", ep.Host, e.Target.Name(), e.Name)
	if e.Doubt != "" {
		value, reason = verdict.Unknown, fmt.Sprintf("whether it has a private endpoint for %s is not certain: %s", e.Target.Name(), e.Doubt)
	}
	if len(m.Doubts) > 0 {
		value, reason = verdict.Unknown, m.Doubts[0].Reason
	}
	answer := privatedns.Answer{Name: ep.Host, Verdict: single(value, at, e.Resource, reason)}
	connect := single(value, at, e.Resource, "private endpoints of a managed network are reached by all computes in it")
	doc, ok := w.estate.Get(e.Target)
	if ok && doc.IsType(service.TypeRegistry) && !isPremium(doc) {
		return answer, connect, single(verdict.No, "registry "+doc.Name, doc.ID, "a registry needs the Premium SKU for private endpoints")
	}
	return answer, connect, single(verdict.Yes, e.Name, e.Resource, "what comes through a private endpoint passes no firewall rule; it carries traffic once the workspace's identity, which needs the role Azure AI Enterprise Network Connection Approver, has approved it")
}

// workspaceOf is the workspace of a compute's place.
func (w *world) workspaceOf(p Place) (arm.Resource, bool) {
	doc, ok := w.estate.Get(p.Resource)
	if ok && !doc.IsType(service.TypeWorkspace) {
		return w.estate.Get(p.Resource.Parent())
	}
	return doc, ok
}

// managedRemedy is what lets a compute in a managed network go on.
func (w *world) managedRemedy(m network.ManagedNetwork, c Cell, stage string) string {
	const rule = "azurerm_machine_learning_workspace_network_outbound_rule_"
	name := m.Workspace.Name()
	switch {
	case c.To.Group != "" && c.To.Owner != "":
		return fmt.Sprintf("give the managed network of %s a private endpoint to %s for the sub-resource %s: %sprivate_endpoint", name, c.To.Owner.Name(), c.To.Group, rule)
	case stage == StageConnect && c.To.Tag != "":
		return fmt.Sprintf("let the managed network of %s out to %s: %sservice_tag for %s, or %sfqdn", name, c.To.Host, rule, c.To.Tag, rule)
	case stage == StageConnect:
		return fmt.Sprintf("let the managed network of %s out to %s: %sfqdn", name, c.To.Host, rule)
	}
	return ""
}

func isPremium(registry arm.Resource) bool {
	_, unknown := arm.UnknownAt(registry.SKU, "name")
	return unknown || arm.String(registry.SKU, "name") == "Premium"
}

// admitManaged asks a service's firewall about a call from a managed network to its
// public address. Which address the service sees is Azure's to choose: it may be on
// a list.
func (w *world) admitManaged(ep service.Endpoint) verdict.Verdict {
	doc, ok := w.estate.Get(ep.Resource)
	if !ok {
		return single(verdict.Yes, ep.Host, "", "open to everyone")
	}
	v := network.Admit(w.estate, doc, network.Source{Addr: service.Outsider})
	shut := strings.EqualFold(arm.String(doc.Properties, "publicNetworkAccess"), "Disabled")
	for _, path := range []string{"networkAcls.ipRules", "networkRuleSet.ipRules", "ipAllowlist"} {
		if v.Value == verdict.No && !shut && len(arm.List(doc.Properties, path)) > 0 {
			return single(verdict.Unknown, "firewall of "+doc.Name, doc.ID, "which public address the computes of Azure Machine Learning have is not known before deployment, and "+path+" lists some")
		}
	}
	return v
}

// connectManaged takes packets from a managed network to an address.
func (w *world) connectManaged(p Place, to netip.Addr, protocol network.Protocol, port uint16) verdict.Verdict {
	m, _ := w.net.ManagedNetwork(p.Managed)
	return m.Reach(network.Flow{Destination: to, Protocol: protocol, Port: port})
}
