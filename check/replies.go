package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// repliesReturn requires of each route table that the replies of connections which
// would otherwise work come back: what a firewall sees of a connection it must see
// both ways, and the service must be answered by the way that it came.
func repliesReturn(w *world) []Requirement {
	found := map[string]Requirement{}
	var order []string
	note := func(table arm.ID, r Requirement) {
		if _, known := found[table.Key()]; !known {
			order = append(order, table.Key())
			found[table.Key()] = r
		}
	}
	ways := w.placesByWay()
	for _, from := range ways {
		for _, to := range ways {
			if a, b, step, lost := w.firstLost(from, to); lost {
				table := w.tableOf(step, a, b)
				note(table, w.lostReplies(a, b.Name, table, step))
			}
		}
	}
	for _, p := range w.places {
		if step, lost := w.serviceAnswered(p); lost {
			note(step.Resource, w.lostReplies(p, "the service", step.Resource, step))
		}
	}
	var out []Requirement
	for _, table := range w.estate.OfType("Microsoft.Network/routeTables") {
		if r, ok := found[table.ID.Key()]; ok {
			out = append(out, r)
			continue
		}
		out = append(out, w.configured("replies-return", table, "Replies pass route table "+table.Name, verdict.Yes, "no connection is found that loses its replies there", ""))
	}
	return out
}

// placesByWay are the places with an address, those together to and from which
// packets travel alike.
func (w *world) placesByWay() [][]Place {
	at := map[int]int{}
	var out [][]Place
	for _, p := range w.places {
		way, known := w.alike().Way(p.NIC, p.Addr)
		i, ok := at[way]
		switch {
		case !p.Addr.IsValid():
		case known && ok:
			out[i] = append(out[i], p)
		default:
			if known {
				at[way] = len(out)
			}
			out = append(out, []Place{p})
		}
	}
	return out
}

// firstLost finds the first connection between places of two ways that loses its
// replies. The ways tell whether there may be one; of places that security groups
// treat alike one is asked.
func (w *world) firstLost(from, to []Place) (a, b Place, step verdict.Step, lost bool) {
	if !w.routed(from[0].Subnet) && !w.routed(to[0].Subnet) || !w.net.MayLoseReplies(from[0].Addr, to[len(to)-1].Addr) {
		return a, b, step, false
	}
	for _, a := range w.oneOfAKind(from) {
		for _, b := range w.oneOfAKind(to) {
			if a.Subnet.Equal(b.Subnet) {
				continue
			}
			if step, lost := w.losesReplies(a, b); lost {
				return a, b, step, true
			}
		}
	}
	return a, b, step, false
}

// oneOfAKind are places of which no two are treated alike.
func (w *world) oneOfAKind(list []Place) []Place {
	seen := map[int]bool{}
	var out []Place
	for _, p := range list {
		kind, known := w.alike().Kind(p.NIC, p.Addr)
		if known && seen[kind] {
			continue
		}
		seen[kind] = known
		out = append(out, p)
	}
	return out
}

func (w *world) routed(subnet arm.ID) bool {
	s, ok := w.net.Subnet(subnet)
	return ok && s.RouteTable != ""
}

// losesReplies looks for a connection between two places of which only the way back
// fails.
func (w *world) losesReplies(a, b Place) (verdict.Step, bool) {
	for _, port := range []uint16{22, httpsPort} {
		answer := w.connect(a, b.Addr, port)
		if answer.Value != verdict.No {
			continue
		}
		if step := answer.Decisive(); strings.HasPrefix(step.At, "way back") {
			return step, true
		}
	}
	return verdict.Step{}, false
}

// tableOf is the route table behind lost replies: the step's, or that of the one
// subnet that has one.
func (w *world) tableOf(step verdict.Step, a, b Place) arm.ID {
	if step.Resource != "" && strings.EqualFold(step.Resource.Type(), "Microsoft.Network/routeTables") {
		return step.Resource
	}
	for _, p := range []Place{b, a} {
		if s, ok := w.net.Subnet(p.Subnet); ok && s.RouteTable != "" {
			return s.RouteTable
		}
	}
	return ""
}

func (w *world) lostReplies(from Place, to string, table arm.ID, step verdict.Step) Requirement {
	doc, _ := w.estate.Get(table)
	r := w.configured("replies-return", doc, "Replies pass route table "+table.Name(), verdict.No,
		fmt.Sprintf("%s and %s: %s: %s", from.Name, to, step.At, step.Reason),
		"route both directions the same way: azurerm_route with the same next hop in the route table of the other subnet, or none in this one")
	if strings.HasPrefix(step.At, "the service's calls") {
		r.Remedy = fmt.Sprintf(`add a route for the service tag AzureMachineLearning with next_hop_type "Internet" to %s: azurerm_route`, table.Name())
	}
	r.faults = []fault{replyFault(table), publicFault(from.Resource)}
	return r
}

// serviceAnswered says whether nodes with public addresses can answer the service
// that calls them: a default route to an appliance takes the replies elsewhere.
func (w *world) serviceAnswered(p Place) (verdict.Step, bool) {
	doc, ok := w.estate.Get(p.Resource)
	s, known := w.net.Subnet(p.Subnet)
	const path = "properties.enableNodePublicIp"
	if _, unknown := arm.UnknownAt(doc.Properties, path); !ok || !known || unknown || p.Role != RoleCompute || s.RouteTable == "" || !arm.Bool(doc.Properties, path, true) || managedAway(doc) {
		return verdict.Step{}, false
	}
	prefixes, ok := service.Tag("AzureMachineLearning")
	if !ok || len(prefixes) == 0 {
		return verdict.Step{}, false
	}
	for _, route := range w.net.EffectiveRoutes(s.ID) {
		if !route.Prefix.Contains(prefixes[0].Addr()) {
			continue
		}
		if route.NextHop != network.HopAppliance || len(route.Doubts) > 0 {
			return verdict.Step{}, false
		}
		return verdict.Step{At: "the service's calls to public nodes", Resource: s.RouteTable, Value: verdict.No, Reason: fmt.Sprintf(
			"the service calls the nodes at their public addresses, and their replies take %s, which has not seen the calls", route)}, true
	}
	return verdict.Step{}, false
}

// managedAway reports a compute that has no subnet of the estate.
func managedAway(doc arm.Resource) bool { return arm.Ref(doc.Properties, "properties.subnet.id") == "" }
