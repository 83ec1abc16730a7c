package check

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// fault names one thing that is wrong, as "link privatelink.azurecr.io vnet-b", so
// that requirements which fall for it find each other.
type fault string

func newFault(kind string, parts ...string) fault {
	return fault(strings.ToLower(kind + " " + strings.Join(parts, " ")))
}

// everywhere stands for each network in a fault that concerns all.
const everywhere = "*"

func endpointFault(owner arm.ID, group string) fault {
	return newFault("endpoint", owner.Key(), group)
}
func zoneFault(zone string) fault             { return newFault("zone", zone) }
func linkFault(zone, vnet string) fault       { return newFault("link", zone, vnet) }
func recordFault(zone string, o arm.ID) fault { return newFault("record", zone, o.Key()) }
func documentFault(id arm.ID) fault           { return newFault("document", id.Key()) }
func roleFault(principal string, on arm.ID) fault {
	return newFault("role", principal, on.Key())
}
func tagFault(group arm.ID, tag string) fault { return newFault("tag", group.Key(), tag) }
func openFault(id arm.ID) fault               { return newFault("open", id.Key()) }
func replyFault(table arm.ID) fault           { return newFault("reply", table.Key()) }
func outsideFault(compute arm.ID) fault       { return newFault("outside", compute.Key()) }

func publicFault(compute arm.ID) fault { return newFault("public", compute.Key()) }

func peeringFault(a, b arm.ID) fault {
	x, y := a.Key(), b.Key()
	if x > y {
		x, y = y, x
	}
	return newFault("peering", x, y)
}

// trace says of each requirement that does not hold which other it follows from:
// the first whose own rule names a cause, and which falls for one of its faults.
func trace(list []Requirement) {
	causes := map[fault]int{}
	isCause := map[string]bool{}
	for _, r := range rules {
		isCause[r.ID] = r.cause
	}
	for i := range list {
		q := &list[i]
		if q.Outcome == Holds || q.Outcome == Off {
			continue
		}
		for _, f := range q.faults {
			if at, known := causes[f]; known {
				q.Because = list[at].ID
				if list[at].Because != "" {
					q.Because = list[at].Because
				}
				raise(list, q.Because, q.Severity)
				break
			}
		}
		if !isCause[q.Rule] || q.Outcome != Violated {
			continue
		}
		for _, f := range q.faults {
			if _, known := causes[f]; !known {
				causes[f] = i
			}
		}
	}
}

// raise makes a cause as severe as what follows from it.
func raise(list []Requirement, id string, s Severity) {
	rank := map[Severity]int{Low: 0, Medium: 1, High: 2, Critical: 3}
	for i := range list {
		if list[i].ID == id && rank[s] > rank[list[i].Severity] {
			list[i].Severity = s
		}
	}
}

// faultsOf are the things that may be wrong where a flow that must be is not, as
// far as its deciding stage tells.
func (w *world) faultsOf(r Requirement, c Cell) []fault {
	ep := c.To
	switch stage := r.decisiveStage(); stage.Name {
	case StageResolve:
		out := []fault{
			endpointFault(ep.Owner, ep.Group), zoneFault(ep.Zone), linkFault(ep.Zone, c.From.VNet.Key()), linkFault(ep.Zone, everywhere),
			recordFault(ep.Zone, ep.Owner),
		}
		if r.Outcome == Violated { // what is not known is not for want of closing
			out = append(out, openFault(ep.Owner))
		}
		return out
	case StageConnect:
		return w.pathFaults(r, stage.Verdict.Decisive())
	case StageAdmit:
		return []fault{endpointFault(ep.Owner, ep.Group), documentFault(ep.Resource), openFault(ep.Resource)}
	case StageAuthorize:
		return []fault{roleFault(c.From.Identity, ep.Resource)}
	}
	return nil
}

// pathFaults are those of packets that do not arrive.
func (w *world) pathFaults(r Requirement, step verdict.Step) []fault {
	var out []fault
	if r.From.Resource != "" {
		out = append(out, outsideFault(r.From.Resource))
	}
	if far, ok := w.unpeered(r.From.VNet, r.To); ok {
		out = append(out, peeringFault(r.From.VNet, far))
	} else if home, ok := w.homeOf(r.To); ok {
		out = append(out, peeringFault(r.From.VNet, home))
	}
	if strings.HasPrefix(step.At, "way out") {
		out = append(out, newFault("way out", r.From.Subnet.Key()))
	}
	if step.Resource != "" {
		out = append(out, documentFault(step.Resource), replyFault(step.Resource))
		if tag := r.To.Endpoint.Tag; tag != "" && r.To.Addr == service.PublicAddr(r.To.Endpoint) {
			out = append(out, tagFault(groupOf(step.Resource), tag))
		}
	}
	return out
}

// groupOf is the security group that a rule of it, or itself, belongs to.
func groupOf(id arm.ID) arm.ID {
	for i := id; i != ""; i = i.Parent() {
		if strings.EqualFold(i.Type(), typeNSG) {
			return i
		}
	}
	return id
}

// homeOf is the network that a target's private address is in.
func (w *world) homeOf(to Target) (arm.ID, bool) {
	for _, nic := range w.net.NICs {
		if holds(nic.Addrs, to.Addr) {
			return nic.Subnet.Parent(), true
		}
	}
	return "", false
}
