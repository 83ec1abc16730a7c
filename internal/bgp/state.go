package bgp

import (
	"net/netip"
	"slices"
	"time"
)

// Speaker is what a speaker is to be.
type Speaker struct {
	ASN      uint32         `json:"asn"`
	ID       netip.Addr     `json:"id"` // router id, an IPv4 address
	Peers    []Peer         `json:"peers"`
	Prefixes []netip.Prefix `json:"prefixes"` // that it advertises as its own
}

// Peer is who it speaks to.
type Peer struct {
	Address netip.Addr `json:"address"`
	Local   netip.Addr `json:"local"` // own address towards it
	ASN     uint32     `json:"asn"`
	// StripPrivate takes private AS numbers (RFC 6996) out of what is advertised to it,
	// as Microsoft's edge does.
	StripPrivate bool `json:"stripPrivate,omitempty"`
}

// session reports whether two speakers differ in nothing but their prefixes, which
// can change while the sessions stay.
func (s Speaker) session(o Speaker) bool {
	return s.ASN == o.ASN && s.ID == o.ID && slices.Equal(s.Peers, o.Peers)
}

// Equal reports whether two speakers are the same.
func (s Speaker) Equal(o Speaker) bool { return s.session(o) && slices.Equal(s.Prefixes, o.Prefixes) }

// State is what a speaker knows. The zero State, which is that of a speaker that does
// not run, knows nothing.
type State struct {
	Peers      []PeerState `json:"peers"`
	Learned    []Route     `json:"learned"`    // the best route to each prefix, its own among them
	Advertised []Route     `json:"advertised"` // with the peer to whom
}

// PeerState is a session.
type PeerState struct {
	Address  netip.Addr `json:"address"`
	Local    netip.Addr `json:"local"`
	ASN      uint32     `json:"asn"`
	State    string     `json:"state"`          // as Azure writes it: Connected, Connecting, Idle
	Since    time.Time  `json:"since,omitzero"` // of Connected
	Sent     uint64     `json:"sent"`           // messages
	Received uint64     `json:"received"`       // messages
	Routes   int        `json:"routes"`         // received
}

// Session states, as Azure names them.
const (
	Connected  = "Connected"
	Connecting = "Connecting"
	Idle       = "Idle"
)

// Route is a path to a prefix.
type Route struct {
	Prefix  netip.Prefix `json:"prefix"`
	NextHop netip.Addr   `json:"nextHop"` // 0.0.0.0 for a route of the speaker's own
	Peer    netip.Addr   `json:"peer"`    // from whom, or to whom; invalid for its own
	Path    []uint32     `json:"path"`    // AS path, the nearest first
}

// Hears are the routes that the speaker has learned from peers.
func (s State) Hears() []Route {
	return slices.DeleteFunc(slices.Clone(s.Learned), func(r Route) bool { return !r.Peer.IsValid() })
}

// Up reports whether all sessions are established.
func (s State) Up() bool {
	return len(s.Peers) > 0 && !slices.ContainsFunc(s.Peers, func(p PeerState) bool { return p.State != Connected })
}

// same reports whether nothing changed that decides about packets.
func (s State) same(o State) bool {
	return slices.EqualFunc(s.Peers, o.Peers, func(a, b PeerState) bool { return a.Address == b.Address && a.State == b.State }) &&
		slices.EqualFunc(s.Learned, o.Learned, sameRoute) && slices.EqualFunc(s.Advertised, o.Advertised, sameRoute)
}

func sameRoute(a, b Route) bool {
	return a.Prefix == b.Prefix && a.NextHop == b.NextHop && a.Peer == b.Peer && slices.Equal(a.Path, b.Path)
}
