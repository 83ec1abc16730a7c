package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/check"
)

// Comparison is one cell: what the proof says and what the packets did.
type Comparison struct {
	Place    string        `json:"place"`
	Host     string        `json:"host"`
	Service  string        `json:"service"`
	Proof    check.Meeting `json:"proof"`
	Reason   string        `json:"reason"` // of the proof
	Seen     Seen          `json:"seen"`
	Agrees   bool          `json:"agrees"`
	Disagree string        `json:"disagree,omitempty"` // in what
}

// TryOf is the try that a cell of the proof predicts.
func TryOf(c check.Cell) Try {
	call, ok := check.CallFor(c.To)
	return Try{Host: c.To.Host, Service: c.To.Service, Called: ok && c.Called, Call: call, Identity: c.From.Identity != ""}
}

// Compare holds what was met against the proof. A cell that the proof calls
// unknown agrees with anything.
func Compare(c check.Cell, seen Seen) Comparison {
	out := Comparison{
		Place: c.From.Name, Host: c.To.Host, Service: c.To.Service, Proof: c.Outcome(),
		Reason: strings.TrimPrefix(c.Decisive().At+": "+c.Decisive().Reason, ": "), Seen: seen,
	}
	switch {
	case out.Proof == check.MeetUnknown:
	case seen.Met != out.Proof:
		met := string(seen.Met)
		if met == "" {
			met = "something else"
		}
		out.Disagree = fmt.Sprintf("the proof says %s, the packets met %s (%s)", out.Proof, met, seen.Detail)
	case !sameAddrs(c.Resolve.Addrs, seen.Addrs):
		out.Disagree = fmt.Sprintf("the proof resolves it to %v, the machine to %v", c.Resolve.Addrs, seen.Addrs)
	}
	out.Agrees = out.Disagree == ""
	return out
}

func sameAddrs(a, b []netip.Addr) bool {
	sorted := func(s []netip.Addr) []netip.Addr {
		s = slices.Clone(s)
		slices.SortFunc(s, netip.Addr.Compare)
		return s
	}
	return slices.Equal(sorted(a), sorted(b))
}
