package network

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Settings say what Azure leaves open, or what no document holds. The zero value
// leaves all of it open: an answer that depends on it is unknown, and says so.
type Settings struct {
	// RoutesInTag says whether the service tag VirtualNetwork holds the prefixes of
	// user-defined routes, default routes among them.
	RoutesInTag Assumption
	// AppliancesForward says whether virtual appliances with one network interface
	// forward between networks whatever reaches them, without translation.
	AppliancesForward Assumption
	// DroppedIfNotForwarded says whether a peering without allowForwardedTraffic
	// drops what did not start in the other network.
	DroppedIfNotForwarded Assumption
}

// Assumption is what is taken for granted: nothing, that it is so, or that it is not.
type Assumption string

// The values of an [Assumption].
const (
	Open  Assumption = ""
	IsSo  Assumption = "yes"
	NotSo Assumption = "no"
)

// not is the value of the contrary.
func (a Assumption) not() verdict.Value {
	switch a {
	case IsSo:
		return verdict.No
	case NotSo:
		return verdict.Yes
	}
	return verdict.Unknown
}

// FromEstate reads the network documents of an estate with nothing assumed. It
// never fails: what cannot be deployed is among Problems, what cannot be known
// makes answers unknown.
func FromEstate(e *arm.Estate) *Topology { return Settings{}.FromEstate(e) }
