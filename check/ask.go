package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Ask is a requirement of the user's own: from places to services or machines, as
// an identity.
type Ask struct {
	Name     string
	From     Selector
	To       Selector
	Port     uint16           // 0: 443
	Protocol network.Protocol // "": TCP
	Private  bool             // the name must lead to a private endpoint
	As       Selector         // whose identity acts; the place's own where nothing is given
	May      string           // action that the identity must have at the target
	Data     bool             // the action is a data action
	Must     bool
	Severity Severity
	At       At
}

// Disable switches a rule off for what it selects, or altogether.
type Disable struct {
	Rule   string // or the id of one requirement
	On     Selector
	Reason string
	At     At
}

// Unmatched is a part of the user's requirements that selects nothing.
type Unmatched struct {
	At      At
	Message string
}

// asked answers the user's own requirements.
func asked(w *world) []Requirement {
	var out []Requirement
	for _, a := range w.opts.Asks {
		out = append(out, w.answer(a)...)
	}
	return out
}

func (w *world) answer(a Ask) []Requirement {
	if !a.From.given() {
		return w.answerRight(a)
	}
	from := w.chosenPlaces(a.From)
	if len(from) == 0 {
		w.miss(a.From, "from", w.placeNames())
	}
	endpoints, machines := w.chosenTargets(a.To)
	if len(endpoints)+len(machines) == 0 {
		w.miss(a.To, "to", w.targetNames())
	}
	var out []Requirement
	for _, p := range from {
		for _, ep := range endpoints {
			out = append(out, w.askService(a, p, ep))
		}
		for _, m := range machines {
			if m.Resource != p.Resource || m.NIC != p.NIC {
				out = append(out, w.askMachine(a, p, m))
			}
		}
	}
	return out
}

func (w *world) miss(s Selector, what string, known []string) {
	w.unmatched = append(w.unmatched, Unmatched{s.At, fmt.Sprintf("%s selects nothing: there is no %s%s", what, s,
		nearestName(cmp.Or(s.Any, s.Name, s.Address, s.Subnet, s.Network, s.Service), known))})
}

// chosenPlaces are the places that a selector takes: machines, and for a subnet in
// which the estate has none, any address of it.
func (w *world) chosenPlaces(s Selector) []Place {
	if strings.EqualFold(s.Any, "internet") || strings.EqualFold(s.Name, "internet") {
		return []Place{outsider()}
	}
	var out []Place
	for _, p := range slices.Concat(w.places, w.remotes) {
		if doc, _ := w.estate.Get(p.Resource); s.takesPlace(doc, p) {
			out = append(out, p)
		}
	}
	if len(out) > 0 || s.Role != "" || s.Tag != "" {
		return out
	}
	for _, subnet := range w.net.Subnets {
		doc, _ := w.estate.Get(subnet.ID)
		named := s.Subnet != "" && like(s.Subnet, subnet.Name) && like(s.Network, subnet.VNet.Name()) && s.Any+s.Name+s.Address+s.ID+s.Type == ""
		if named || s.Subnet == "" && s.Network == "" && s.takes(doc) {
			out = append(out, w.inSubnet(Place{Name: "subnet " + subnet.Name, Kind: KindMachine, Resource: subnet.ID}, subnet.ID))
		}
	}
	return out
}

func (w *world) chosenTargets(s Selector) ([]service.Endpoint, []Place) {
	var endpoints []service.Endpoint
	for _, ep := range w.endpoints {
		if doc, _ := w.estate.Get(ep.Resource); s.takesEndpoint(doc, ep) {
			endpoints = append(endpoints, ep)
		}
	}
	if s.Service == "" {
		endpoints = w.served(endpoints)
	}
	if len(endpoints) > 0 {
		return endpoints, nil
	}
	return nil, w.chosenPlaces(s)
}

// served leaves out the sub-resources of a service that has private endpoints for
// others: nobody is meant to use them.
func (w *world) served(list []service.Endpoint) []service.Endpoint {
	var out []service.Endpoint
	for _, ep := range list {
		if _, has := w.endpointFor(ep); has || len(w.endpointsOf(ep.Owner)) == 0 || ep.Group == "" {
			out = append(out, ep)
		}
	}
	return out
}

func (w *world) askService(a Ask, p Place, ep service.Endpoint) Requirement {
	c := w.cell(p, ep)
	r := w.newAsk(a, p, endpointSlug(ep), serviceLabel(ep))
	r.To = target(ep, c)
	r.To.Port = cmp.Or(a.Port, httpsPort)
	resolve, connect := c.Resolve.Verdict, c.Connect
	if a.Private {
		resolve = w.privately(c)
	}
	if len(c.Resolve.Addrs) > 0 && (r.To.Port != httpsPort || a.Protocol != "" && a.Protocol != network.TCP) {
		connect = w.connectBy(p, c, a)
	}
	r.Stages = []Stage{{StageResolve, resolve}, {StageConnect, connect}, {StageAdmit, c.Admit}}
	w.authorize(&r, a, p, ep.Resource)
	w.settle(&r, ep.Resource, p.Resource)
	if r.Outcome != Holds && r.Must {
		r.faults = w.faultsOf(r, c)
	}
	w.finishAsk(&r, func() string { return w.remedyFor(r, c, &right{action: a.May, data: a.Data, role: "with " + a.May}) })
	return r
}

func (w *world) connectBy(p Place, c Cell, a Ask) verdict.Verdict {
	if !p.Addr.IsValid() {
		return c.Connect
	}
	return w.net.Reach(network.Flow{Source: p.sender(c.Resolve.Addrs[0]), Destination: c.Resolve.Addrs[0], Protocol: cmp.Or(a.Protocol, network.TCP), Port: cmp.Or(a.Port, httpsPort), Host: c.To.Host})
}

func (w *world) askMachine(a Ask, p, to Place) Requirement {
	r := w.newAsk(a, p, to.Name, to.Name)
	r.To = Target{Name: to.Name, Resource: to.Resource, Addr: to.Addr, Port: cmp.Or(a.Port, httpsPort)}
	v := single(verdict.Unknown, to.Name, to.Resource, w.whyNoAddr(to))
	if to.Addr.IsValid() && p.Addr.IsValid() {
		v = w.net.Reach(network.Flow{Source: p.sender(to.Addr), Destination: to.Addr, Protocol: cmp.Or(a.Protocol, network.TCP), Port: r.To.Port})
	}
	r.Stages = []Stage{{StageConnect, v}}
	w.settle(&r, p.Resource, to.Resource)
	if r.Outcome != Holds && r.Must {
		r.faults = w.pathFaults(r, v.Decisive())
	}
	w.finishAsk(&r, func() string { return w.connectRemedy(r) })
	return r
}

func (w *world) newAsk(a Ask, p Place, to, label string) Requirement {
	verb := "reaches"
	if !a.Must {
		verb = "does not reach"
	}
	return Requirement{
		ID: slug(OwnRule, a.Name, p.Name, to), Title: fmt.Sprintf("%s: %s %s %s", a.Name, p.Name, verb, label),
		From: p, Must: a.Must, Severity: a.Severity,
	}
}

// authorize adds the question what the identity may do.
func (w *world) authorize(r *Requirement, a Ask, p Place, at arm.ID) {
	if a.May == "" {
		return
	}
	who := p.Identity
	if a.As.given() {
		doc, ok := w.identityDoc(a.As)
		if !ok {
			return
		}
		who = w.objectID(doc)
	}
	r.As = w.identityName(who)
	r.From.Identity = who
	r.Stages = append(r.Stages, Stage{StageAuthorize, w.access.Allows(who, a.May, a.Data, at)})
}

// objectID is that of a resource's identity, or of an identity itself.
func (w *world) objectID(doc arm.Resource) string {
	if id := arm.String(doc.Properties, "principalId"); id != "" {
		return id
	}
	return w.access.IdentityOf(doc)
}

func (w *world) identityDoc(s Selector) (arm.Resource, bool) {
	var names []string
	for _, doc := range w.estate.All() {
		if doc.Identity == nil && !strings.EqualFold(doc.Type, "Microsoft.ManagedIdentity/userAssignedIdentities") {
			continue
		}
		if s.takes(doc) {
			return doc, true
		}
		names = append(names, doc.Name, doc.Source.Address)
	}
	w.miss(s, "as", names)
	return arm.Resource{}, false
}

// answerRight answers a requirement about what an identity may do, from anywhere.
func (w *world) answerRight(a Ask) []Requirement {
	who, ok := w.identityDoc(a.As)
	if !ok {
		return nil
	}
	var out []Requirement
	for _, doc := range w.estate.All() {
		if !a.To.takes(doc) {
			continue
		}
		id := w.objectID(who)
		r := w.newAsk(a, Place{Name: who.Name, Kind: KindService, Resource: who.ID, Identity: id}, doc.Name, doc.Name)
		r.Title = fmt.Sprintf("%s: %s may %s at %s", a.Name, who.Name, a.May, doc.Name)
		if !a.Must {
			r.Title = fmt.Sprintf("%s: %s may not %s at %s", a.Name, who.Name, a.May, doc.Name)
		}
		r.As, r.To = who.Name, Target{Name: doc.Name, Resource: doc.ID}
		r.Stages = []Stage{{StageAuthorize, w.access.Allows(id, a.May, a.Data, doc.ID)}}
		w.settle(&r, who.ID, doc.ID)
		w.finishAsk(&r, func() string {
			return fmt.Sprintf("give %s a role with %s on %s: azurerm_role_assignment", who.Name, a.May, doc.Name)
		})
		out = append(out, r)
	}
	if len(out) == 0 {
		w.miss(a.To, "to", w.targetNames())
	}
	return out
}

// finishAsk says how to mend what falls.
func (w *world) finishAsk(r *Requirement, must func() string) {
	if r.Outcome != Violated {
		return
	}
	if r.Must {
		r.Remedy = must()
	} else {
		r.Remedy = fmt.Sprintf("keep %s from %s at one place of its way: a rule of the security group of %s, or the firewall of the service", r.From.Name, r.To.Name, cmp.Or(r.From.Subnet.Name(), r.From.Name))
	}
}

func (w *world) placeNames() []string {
	out := []string{"internet"}
	for _, p := range slices.Concat(w.places, w.remotes) {
		doc, _ := w.estate.Get(p.Resource)
		out = append(out, p.Name, doc.Source.Address)
	}
	for _, s := range w.net.Subnets {
		out = append(out, s.Name)
	}
	return out
}

func (w *world) targetNames() []string {
	out := w.placeNames()
	for _, ep := range w.endpoints {
		doc, _ := w.estate.Get(ep.Resource)
		out = append(out, doc.Name, doc.Source.Address, ep.Service, ep.Host)
	}
	return out
}

// concerns reports whether a requirement is about what a selector takes.
func (w *world) concerns(s Selector, r Requirement) bool {
	for _, id := range []arm.ID{r.Resource, r.To.Resource, r.From.Resource} {
		if doc, ok := w.estate.Get(id); ok && s.takes(doc) {
			return true
		}
	}
	return s.Any != "" && (like(s.Any, r.From.Name) || like(s.Any, r.To.Name))
}

// unmatchedParts are what selected nothing, and what switched nothing off.
func (w *world) unmatchedParts() []Unmatched {
	out := w.unmatched
	for i, d := range w.opts.Disables {
		if w.used[i] {
			continue
		}
		if _, known := RuleByID(d.Rule); !known && !strings.Contains(d.Rule, ":") {
			var ids []string
			for _, r := range rules {
				ids = append(ids, r.ID)
			}
			out = append(out, Unmatched{d.At, fmt.Sprintf("there is no rule %s%s", d.Rule, nearestName(d.Rule, ids))})
			continue
		}
		message := fmt.Sprintf("disable %s switches nothing off: the rule requires nothing here", d.Rule)
		if d.On.given() {
			message = fmt.Sprintf("disable %s switches nothing off: the rule requires nothing of %s%s", d.Rule, d.On, nearestName(d.On.Any, w.targetNames()))
		}
		out = append(out, Unmatched{d.At, message})
	}
	return out
}
