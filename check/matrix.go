package check

import (
	"strconv"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Cell predicts what a client at a place meets on its way to a service. Each
// stage after one that fails is answered as far as it can be; [Cell.Outcome] is
// where the client gets to.
type Cell struct {
	From Place            `json:"from"`
	To   service.Endpoint `json:"to"`

	Resolve   privatedns.Answer `json:"resolve"`
	Connect   verdict.Verdict   `json:"connect"` // TCP 443 to the first address
	Admit     verdict.Verdict   `json:"admit"`
	Authorize verdict.Verdict   `json:"authorize"` // of the call; of no use where Called is false
	Called    bool              `json:"called"`    // a [Call] is defined for the service
}

// Meeting is how far a client gets.
type Meeting string

const (
	MeetNoName      Meeting = "no name"     // the name does not resolve
	MeetUnreachable Meeting = "unreachable" // no connection
	MeetRefused     Meeting = "refused"     // the service's firewall refuses
	MeetForbidden   Meeting = "forbidden"   // the identity may not do the call
	MeetAllowed     Meeting = "allowed"     // the call succeeds
	MeetAdmitted    Meeting = "admitted"    // let in; no call is defined
	MeetUnknown     Meeting = "unknown"     // cannot be said before deployment
)

// Outcome is how far the client gets.
func (c Cell) Outcome() Meeting {
	stages := []struct {
		value verdict.Value
		fails Meeting
	}{
		{c.Resolve.Verdict.Value, MeetNoName}, {c.Connect.Value, MeetUnreachable},
		{c.Admit.Value, MeetRefused}, {c.Authorize.Value, MeetForbidden},
	}
	if !c.Called {
		stages = stages[:3]
	}
	for _, s := range stages {
		switch s.value {
		case verdict.No:
			return s.fails
		case verdict.Unknown:
			return MeetUnknown
		}
	}
	if !c.Called {
		return MeetAdmitted
	}
	return MeetAllowed
}

// Decisive is the step that settles the outcome.
func (c Cell) Decisive() verdict.Step {
	for _, v := range []verdict.Verdict{c.Resolve.Verdict, c.Connect, c.Admit} {
		if v.Value != verdict.Yes {
			return v.Decisive()
		}
	}
	if c.Called {
		return c.Authorize.Decisive()
	}
	return c.Admit.Decisive()
}

// Matrix predicts every place by every service: each network interface of a
// virtual machine, the first node of each compute cluster, each compute instance,
// what is behind gateways and the internet, by each host of the estate and of the platform. It is ordered by place, then host.
func Matrix(e *arm.Estate) []Cell {
	w := newWorld(e)
	var out []Cell
	for _, p := range append(w.matrixPlaces(), outsider()) {
		for _, ep := range w.endpoints {
			out = append(out, w.cell(p, ep))
		}
	}
	return out
}

// alikePlaces are the places of a matrix, those together that meet the same at
// every service: machines without an identity that nothing tells apart.
func (w *world) alikePlaces() [][]Place {
	at := map[string]int{}
	var out [][]Place
	for _, p := range append(w.matrixPlaces(), outsider()) {
		kind, known := w.alike().Kind(p.NIC, p.Addr)
		key := strconv.Itoa(kind)
		if !known || p.Remote() || p.Identity != "" || w.names.HasOwnServers(p.NIC) {
			key = callerKey(p)
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}
