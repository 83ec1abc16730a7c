package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/verdict"
)

// KindSubnet is a machine that could be put into a subnet.
const KindSubnet Kind = "subnet"

// Question asks whether a client gets from a place to a destination.
type Question struct {
	From     string           // a place: name, id, address in the source, subnet, address or "internet"
	To       string           // the same, or a service or a host name
	Protocol network.Protocol // TCP where empty
	Port     uint16           // 443 where 0, and the protocol has ports
	As       string           // an identity; the place's own where empty
}

// Hop is one thing that was looked at on the way.
type Hop struct {
	Stage  string        `json:"stage"` // a Stage's name
	At     string        `json:"at"`
	Value  verdict.Value `json:"value"`
	Reason string        `json:"reason"`

	Resource arm.ID     `json:"resource,omitempty"`
	Source   arm.Source `json:"source,omitzero"`
	// Looked is what was looked at here, in order: rules, routes, records, settings.
	Looked []Looked `json:"looked,omitempty"`
}

// Looked is one of several things that were looked at.
type Looked struct {
	Text    string `json:"text"`
	Decides bool   `json:"decides"`
	After   bool   `json:"after,omitempty"` // it comes after what decides
}

// Traced is the answer to a [Question].
type Traced struct {
	From     Place            `json:"from"`
	To       Target           `json:"to"`
	Protocol network.Protocol `json:"protocol"`
	Port     uint16           `json:"port,omitempty"`
	As       string           `json:"as,omitempty"`   // the name of the identity
	Call     string           `json:"call,omitempty"` // what stands for the service: GET /v2/_catalog

	Outcome Meeting       `json:"outcome"`
	Value   verdict.Value `json:"value"` // yes: the client gets all the way
	Hops    []Hop         `json:"hops"`
	Stopped string        `json:"stopped,omitempty"` // the stage that is not yes
	Reason  string        `json:"reason"`
	Remedy  string        `json:"remedy,omitempty"`
	Also    []string      `json:"also,omitempty"` // other hosts of the same resource

	Addresses []string           `json:"addresses,omitempty"`
	Resolved  *privatedns.Answer `json:"-"`
}

// Trace follows a client from a place to a destination, hop by hop, to where it
// stops. It fails with a [NameError] where an end cannot be found.
func Trace(e *arm.Estate, q Question) (*Traced, error) {
	w := newWorld(e)
	from, err := w.place(q.From)
	if err != nil {
		return nil, err
	}
	to, err := w.goal(q.To)
	if err != nil {
		return nil, err
	}
	if q.As != "" {
		if from.Identity, err = w.identity(q.As); err != nil {
			return nil, err
		}
	}
	if q.Protocol == "" {
		q.Protocol = network.TCP
	}
	switch {
	case q.Protocol == network.ICMP:
		q.Port = 0
	case q.Port == 0:
		q.Port = httpsPort
	}
	t := &tracer{world: w, Traced: &Traced{From: from, To: to, Protocol: q.Protocol, Port: q.Port}}
	t.run()
	return t.Traced, nil
}

// tracer is one in the making.
type tracer struct {
	*world
	*Traced
	cell   Cell
	stages []Stage
}

func (t *tracer) run() {
	t.To.Port = t.Port
	t.Outcome, t.Value = MeetAdmitted, verdict.Yes
	t.cell = Cell{From: t.From, To: t.To.Endpoint}
	if t.From.Managed != "" && t.To.Endpoint.Host != "" {
		t.fromManaged()
	} else if t.resolved() && t.connected() && t.admitted() {
		t.authorized()
	}
	t.also()
	if t.Stopped != "" {
		t.Remedy = t.remedy()
	}
}

// stage takes in the answer of one stage, and reports whether the client goes on.
func (t *tracer) stage(name string, v verdict.Verdict, fails Meeting) bool {
	t.stages = append(t.stages, Stage{name, v})
	for _, s := range v.Steps {
		t.Hops = append(t.Hops, t.hop(name, s))
	}
	t.Reason, t.Value = said(v.Decisive()), v.Value
	if v.Value == verdict.Yes {
		return true
	}
	if far, ok := t.unpeered(t.From.VNet, t.To); ok && name == StageConnect && t.From.VNet != "" {
		t.Reason += fmt.Sprintf("; there is no complete peering of %s and %s", t.From.VNet.Name(), far.Name())
	}
	t.Stopped, t.Outcome = name, fails
	if v.Value == verdict.Unknown {
		t.Outcome = MeetUnknown
	}
	return false
}

func (t *tracer) hop(stage string, s verdict.Step) Hop {
	h := Hop{Stage: stage, At: s.At, Value: s.Value, Reason: s.Reason, Resource: s.Resource}
	if doc, ok := t.nearest(s.Resource); ok {
		h.Source = doc.Source
		if doc.ID.Equal(s.Resource) {
			h.Source = doc.Place(s.Part)
		}
	}
	return h
}

// resolved asks for the destination's name, where it has one.
func (t *tracer) resolved() bool {
	if t.To.Addr.IsValid() {
		return true
	}
	host := t.To.Name
	answer := t.resolve(t.From, host)
	t.Resolved, t.cell.Resolve = &answer, answer
	first := len(t.Hops)
	ok := t.stage(StageResolve, answer.Verdict, MeetNoName)
	if chain, last := chainOf(host, answer), len(t.Hops)-1; last >= first {
		t.Hops[last].Looked = chain
	}
	if !ok {
		return false
	}
	for _, a := range answer.Addrs {
		t.Addresses = append(t.Addresses, a.String())
	}
	t.To.Addr = answer.Addrs[0]
	return true
}

// chainOf is the chain of names that led to the addresses.
func chainOf(host string, a privatedns.Answer) []Looked {
	chain := append([]string{host}, a.CNAMEs...)
	if strings.EqualFold(a.Name, host) && len(a.CNAMEs) > 0 && strings.EqualFold(a.CNAMEs[0], host) {
		chain = a.CNAMEs
	}
	var out []Looked
	for i := 1; i < len(chain); i++ {
		out = append(out, Looked{Text: fmt.Sprintf("%s CNAME %s", chain[i-1], chain[i])})
	}
	for _, addr := range a.Addrs {
		out = append(out, Looked{Text: fmt.Sprintf("%s A %s", chain[len(chain)-1], addr), Decides: true})
	}
	return out
}

// fromManaged is the way out of a managed network.
func (t *tracer) fromManaged() {
	t.cell = t.followManaged(t.From, t.To.Endpoint)
	t.Resolved = &t.cell.Resolve
	if !t.stage(StageResolve, t.cell.Resolve.Verdict, MeetNoName) {
		return
	}
	for _, a := range t.cell.Resolve.Addrs {
		t.Addresses = append(t.Addresses, a.String())
	}
	if len(t.cell.Resolve.Addrs) > 0 {
		t.To.Addr = t.cell.Resolve.Addrs[0]
		if t.Protocol != network.TCP || t.Port != httpsPort {
			t.cell.Connect = t.connectManaged(t.From, t.To.Addr, t.Protocol, t.Port)
		}
	}
	if t.stage(StageConnect, t.cell.Connect, MeetUnreachable) && t.stage(StageAdmit, t.cell.Admit, MeetRefused) {
		t.authorized()
	}
}

func (t *tracer) flow() network.Flow {
	return network.Flow{Source: t.From.sender(t.To.Addr), Destination: t.To.Addr, Protocol: t.Protocol, Port: t.Port}
}

// connected takes packets to the address.
func (t *tracer) connected() bool {
	v := t.connect(t.From, t.To.Addr, t.Port)
	switch {
	case t.From.Managed != "":
		v = t.connectManaged(t.From, t.To.Addr, t.Protocol, t.Port)
	case t.Protocol != network.TCP && t.From.Addr.IsValid():
		v = t.net.Reach(t.flow())
	}
	if t.From.NIC != "" {
		t.Hops = append(t.Hops, t.start())
	}
	t.cell.Connect = v
	first := len(t.Hops)
	ok := t.stage(StageConnect, v, MeetUnreachable)
	for i := first; i < len(t.Hops); i++ {
		t.Hops[i].Looked = t.looked(t.Hops[i])
	}
	return ok
}

// start is the network interface that packets leave by.
func (t *tracer) start() Hop {
	h := t.hop(StageConnect, verdict.Step{At: "NIC " + t.From.NIC.Name(), Resource: t.From.NIC, Value: verdict.Yes})
	h.Reason = fmt.Sprintf("%s of %s starts in subnet %s of %s", t.From.Addr, t.From.Name, t.From.Subnet.Name(), t.From.VNet.Name())
	return h
}

// admitted asks the firewall of a service.
func (t *tracer) admitted() bool {
	if t.To.Endpoint.Host == "" {
		return false // a machine or an address: who gets there is there
	}
	t.cell.Admit = t.admit(t.From, t.To.Endpoint, t.To.Addr)
	return t.stage(StageAdmit, t.cell.Admit, MeetRefused)
}

// authorized asks for the right to make the service's call.
func (t *tracer) authorized() {
	v, called := t.authorizeCall(t.From, t.To.Endpoint)
	if !called {
		return
	}
	call, _ := CallFor(t.To.Endpoint)
	t.Call = call.Method + " " + call.Path
	if t.From.Identity != "" {
		t.As = t.identityName(t.From.Identity)
	}
	t.cell.Authorize, t.cell.Called = v, true
	if t.stage(StageAuthorize, v, MeetForbidden) {
		t.Outcome = MeetAllowed
	}
}

// also are the other hosts at which the resource is served.
func (t *tracer) also() {
	for _, ep := range t.endpoints {
		if ep.Resource != "" && ep.Resource.Equal(t.To.Endpoint.Resource) && ep.Host != t.To.Endpoint.Host {
			t.Also = append(t.Also, endpointSlug(ep))
		}
	}
}

// remedy is the smallest change that lets the client go on. A name that leads to
// the public address where there could be a private one is the cause of what
// happens there.
func (t *tracer) remedy() string {
	r := Requirement{From: t.From, To: t.To, Must: true, Stages: t.stages}
	ep := t.To.Endpoint
	public := t.Resolved != nil && ep.Group != "" && len(t.cell.Resolve.Addrs) > 0 && !t.cell.Resolve.Private()
	if public && (t.Outcome == MeetUnreachable || t.Outcome == MeetRefused) && t.From.VNet != "" {
		return t.resolveRemedy(t.cell)
	}
	if t.Outcome == MeetUnknown {
		return ""
	}
	if home, ok := t.gatewayHome(t.From.Resource); ok && public && t.From.Kind == KindVPNClient {
		return fmt.Sprintf("name DNS servers for %s that VPN clients can ask, as the inbound endpoint of a private resolver or the DNS proxy of a firewall: dns_servers of azurerm_virtual_network", home.Name)
	}
	if t.From.Kind == KindInternet && t.Stopped == StageAdmit {
		return "nothing, if it is as it should be; an outsider comes in by a machine of the networks"
	}
	return t.remedyFor(r, t.cell, t.need())
}

// need is the right that the call asks for, with a role that gives it.
func (t *tracer) need() *right {
	call, ok := CallFor(t.To.Endpoint)
	if !ok || call.Action == "" {
		return &right{role: "that the service asks for"}
	}
	r := &right{action: call.Action, data: call.Data, role: fmt.Sprintf("that allows %s", call.Action)}
	for _, needs := range []map[string]*right{agentNeeds, computeNeeds, workspaceNeeds} {
		if n := needs[t.To.Service]; n != nil {
			r.role = n.role
			break
		}
	}
	return r
}
