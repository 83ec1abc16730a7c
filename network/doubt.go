package network

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
)

// Doubt is something that cannot be said of its holder: a value that is not
// known before deployment, a reference that leads out of the estate, or a value
// that Azure would refuse.
type Doubt struct {
	About  string         // the property: networkSecurityGroup.id
	Reason string         // "networkSecurityGroup.id is known only after deployment (var.nsg)"
	Within []netip.Prefix // the addresses that it may concern; empty: any
}

// Doubts are what cannot be said of one thing.
type Doubts []Doubt

// About finds the first doubt about one property.
func (d Doubts) About(property string) (Doubt, bool) {
	for _, doubt := range d {
		if doubt.About == property {
			return doubt, true
		}
	}
	return Doubt{}, false
}

// concerns reports whether the doubt may be about an address.
func (d Doubt) concerns(a netip.Addr) bool {
	return len(d.Within) == 0 || contains(d.Within, a)
}

func unknownReason(path string, u arm.Unknown) string {
	return path + " is known only after deployment (" + u.Expression + ")"
}
