package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// shellsClosed requires that no security group lets the internet in at SSH or
// Remote Desktop, and that computes leave theirs closed.
func shellsClosed(w *world) []Requirement {
	var out []Requirement
	for _, g := range w.net.NSGs {
		doc, ok := w.estate.Get(g.ID)
		if !ok {
			continue
		}
		value, reason, part := verdict.Yes, "no rule lets the internet in at SSH or Remote Desktop", ""
		for _, port := range []uint16{22, 3389} {
			r, open := opensTo(g, port)
			if open == verdict.Yes {
				value, part = verdict.No, r.Part
				reason = fmt.Sprintf("rule %s (priority %d) of %s lets %s in at TCP %d", r.Name, r.Priority, g.Name, strings.Join(r.Sources, ", "), port)
				break
			}
			if open == verdict.Unknown {
				value, part = verdict.Unknown, r.Part
				reason = fmt.Sprintf("rule %s of %s: %s", r.Name, g.Name, r.Doubts[0].Reason)
			}
		}
		r := w.configured("ssh-closed", doc, "Security group "+g.Name+" keeps SSH and Remote Desktop from the internet", value, reason, fmt.Sprintf(
			"take the rule away and come in by Bastion, or give it the addresses that may: azurerm_network_security_rule of %s", g.Name))
		r.faults = []fault{openFault(g.ID)}
		w.point(&r, doc, part)
		out = append(out, r)
	}
	for _, doc := range w.estate.OfType(typeCompute) {
		if isCluster(doc) || isInstance(doc) {
			out = append(out, w.computeShell(doc))
		}
	}
	return out
}

// opensTo is the rule that lets the internet in at a port, or may.
func opensTo(g network.NSG, port uint16) (network.Rule, verdict.Value) {
	want := network.Rule{
		Direction: network.Inbound, Protocol: "Tcp", Sources: []string{"Internet"}, Destinations: []string{"*"},
		DestinationPorts: []network.PortRange{{First: port, Last: port}},
	}
	for _, r := range g.Rules {
		if r.Direction != network.Inbound || disjoint(r, want) || r.Default {
			continue
		}
		if len(r.Doubts) > 0 {
			return r, verdict.Unknown
		}
		if coversHow(r, want) && fromInternet(r.Sources) {
			if r.Allow {
				return r, verdict.Yes
			}
			return r, verdict.No
		}
	}
	return network.Rule{}, verdict.No
}

func fromInternet(sources []string) bool {
	for _, s := range sources {
		if s == "*" || s == "0.0.0.0/0" || s == "::/0" || strings.EqualFold(s, "Internet") {
			return true
		}
	}
	return false
}

// computeShell looks at a compute's own switch for SSH.
func (w *world) computeShell(doc arm.Resource) Requirement {
	path, attribute := "properties.remoteLoginPortPublicAccess", "set ssh_public_access_enabled = false: azurerm_machine_learning_compute_cluster "
	if isInstance(doc) {
		path, attribute = "properties.sshSettings.sshPublicAccess", "leave the block ssh out: azurerm_machine_learning_compute_instance "
	}
	value, reason := verdict.Yes, "its nodes take no SSH from the internet"
	if u, ok := arm.UnknownAt(doc.Properties, path); ok {
		value, reason = verdict.Unknown, path+" is "+u.String()
	} else if strings.EqualFold(arm.String(doc.Properties, path), "Enabled") {
		value, reason = verdict.No, fmt.Sprintf("the nodes of %s take SSH from the internet (%s is Enabled)", doc.Name, path[strings.LastIndexByte(path, '.')+1:])
		if !arm.Bool(doc.Properties, "properties.enableNodePublicIp", true) {
			value, reason = verdict.Yes, "SSH is on, and its nodes have no public address to take it at"
		}
	}
	return w.configured("ssh-closed", doc, "Compute "+doc.Name+" takes no SSH from the internet", value, reason, attribute+doc.Name)
}
