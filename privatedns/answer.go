package privatedns

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Response codes of an [Answer]. The empty code means that the answer cannot be
// known.
const (
	NoError  = "NOERROR"
	NXDomain = "NXDOMAIN"
	ServFail = "SERVFAIL"
)

// Answer is what the DNS server says about the addresses of a name.
//
// NOERROR without addresses is a name that exists and has no address (no data).
// A question for another record type of a name that exists has the same answer
// without its addresses.
type Answer struct {
	Name    string          `json:"name"`                // as asked, in lower case, without the trailing dot
	CNAMEs  []string        `json:"cnames,omitempty"`    // the chain that was followed
	Addrs   []netip.Addr    `json:"addresses,omitempty"` // in address order, IPv4 first
	Names   []string        `json:"names,omitempty"`     // of an address, where a reverse name was asked
	Code    string          `json:"code"`
	Zone    arm.ID          `json:"zone,omitempty"` // the private zone that gave the last word, or ""
	Verdict verdict.Verdict `json:"verdict"`        // yes: there is an address (or a name of one); no: there is none
}

// Private reports whether a private zone gave the addresses.
func (a Answer) Private() bool { return a.Zone != "" && len(a.Addrs) > 0 }
