package bgp

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/osrg/gobgp/v4/api"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/server"
)

// Timers of a session, in seconds (RFC 4271, section 10). They are shorter than
// Azure's 60 and 180: a peer on this machine that is silent for so long hangs.
const (
	holdTime  = 9
	keepalive = 3
	retry     = 2
	idle      = 1
)

// speaking is a speaker that runs.
type speaking struct {
	server *server.BgpServer
	is     Speaker
	port   int // other than 179 in tests
}

// speak starts a speaker without prefixes.
func speak(ctx context.Context, is Speaker, port int, changed func()) (*speaking, error) {
	level := new(slog.LevelVar)
	s := &speaking{server: server.NewBgpServer(server.LoggerOption(slog.New(slog.DiscardHandler), level)), is: is, port: port}
	s.is.Prefixes = nil
	go s.server.Serve()
	global := &api.Global{Asn: is.ASN, RouterId: is.ID.String(), ListenPort: int32(port)}
	for _, p := range is.Peers {
		global.ListenAddresses = append(global.ListenAddresses, p.Local.String())
	}
	slices.Sort(global.ListenAddresses)
	global.ListenAddresses = slices.Compact(global.ListenAddresses)
	if err := s.server.StartBgp(ctx, &api.StartBgpRequest{Global: global}); err != nil {
		return nil, fmt.Errorf("starting to speak BGP as AS %d: %w", is.ASN, err)
	}
	watch := server.WatchEventMessageCallbacks{
		OnPeerUpdate: func(*apiutil.WatchEventMessage_PeerEvent, time.Time) { changed() },
		OnBestPath:   func([]*apiutil.Path, time.Time) { changed() },
	}
	if err := s.server.WatchEvent(ctx, watch, server.WatchPeer(), server.WatchBestPath(true)); err != nil {
		return nil, fmt.Errorf("watching the sessions: %w", err)
	}
	for _, p := range is.Peers {
		if err := s.server.AddPeer(ctx, &api.AddPeerRequest{Peer: s.neighbour(p)}); err != nil {
			return nil, fmt.Errorf("adding the peer %s: %w", p.Address, err)
		}
	}
	return s, nil
}

func (s *speaking) neighbour(p Peer) *api.Peer {
	out := &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: p.Address.String(), PeerAsn: p.ASN},
		Transport: &api.Transport{LocalAddress: p.Local.String(), RemotePort: uint32(s.port)},
		Timers: &api.Timers{Config: &api.TimersConfig{
			HoldTime: holdTime, KeepaliveInterval: keepalive, ConnectRetry: retry, IdleHoldTimeAfterReset: idle,
		}},
		AfiSafis: []*api.AfiSafi{{Config: &api.AfiSafiConfig{Family: &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}, Enabled: true}}},
	}
	if p.StripPrivate {
		out.Conf.RemovePrivate = api.RemovePrivate_REMOVE_PRIVATE_ALL
	}
	return out
}

// advertise brings the prefixes of its own to those that are wanted.
func (s *speaking) advertise(want []netip.Prefix) error {
	for _, p := range s.is.Prefixes {
		if slices.Contains(want, p) {
			continue
		}
		path, err := own(p)
		if err != nil {
			return err
		}
		if err := s.server.DeletePath(apiutil.DeletePathRequest{Paths: []*apiutil.Path{path}}); err != nil {
			return fmt.Errorf("withdrawing %s: %w", p, err)
		}
	}
	for _, p := range want {
		if slices.Contains(s.is.Prefixes, p) {
			continue
		}
		path, err := own(p)
		if err != nil {
			return err
		}
		if _, err := s.server.AddPath(apiutil.AddPathRequest{Paths: []*apiutil.Path{path}}); err != nil {
			return fmt.Errorf("advertising %s: %w", p, err)
		}
	}
	s.is.Prefixes = want
	return nil
}

// own is a route of the speaker's own: its next hop is filled in for each peer.
func own(p netip.Prefix) (*apiutil.Path, error) {
	nlri, err := bgp.NewIPAddrPrefix(p)
	if err != nil {
		return nil, fmt.Errorf("advertising %s: %w", p, err)
	}
	hop, err := bgp.NewPathAttributeNextHop(netip.IPv4Unspecified())
	if err != nil {
		return nil, err
	}
	return &apiutil.Path{Family: bgp.RF_IPv4_UC, Nlri: nlri, Attrs: []bgp.PathAttributeInterface{bgp.NewPathAttributeOrigin(0), hop}}, nil
}

// state is what the speaker knows now.
func (s *speaking) state(ctx context.Context) (State, error) {
	var out State
	err := s.server.ListPeer(ctx, &api.ListPeerRequest{}, func(p *api.Peer) { out.Peers = append(out.Peers, s.peerState(p)) })
	if err != nil {
		return out, fmt.Errorf("listing the peers: %w", err)
	}
	slices.SortFunc(out.Peers, func(a, b PeerState) int { return a.Address.Compare(b.Address) })
	if out.Learned, err = s.routes(apiutil.ListPathRequest{TableType: api.TableType_TABLE_TYPE_GLOBAL}, netip.Addr{}); err != nil {
		return out, err
	}
	for i, p := range out.Peers {
		for _, r := range out.Learned {
			if r.Peer == p.Address {
				out.Peers[i].Routes++
			}
		}
		if p.State != Connected {
			continue
		}
		sent, err := s.routes(apiutil.ListPathRequest{TableType: api.TableType_TABLE_TYPE_ADJ_OUT, Name: p.Address.String()}, p.Address)
		if err != nil {
			continue // the session has just ended
		}
		out.Advertised = append(out.Advertised, sent...)
	}
	return out, nil
}

func (s *speaking) peerState(p *api.Peer) PeerState {
	out := PeerState{ASN: p.GetConf().GetPeerAsn(), State: Connecting}
	out.Address, _ = netip.ParseAddr(p.GetConf().GetNeighborAddress())
	for _, is := range s.is.Peers {
		if is.Address == out.Address {
			out.Local = is.Local
		}
	}
	switch p.GetState().GetSessionState() {
	case api.PeerState_SESSION_STATE_ESTABLISHED:
		out.State = Connected
		if up := p.GetTimers().GetState().GetUptime(); up != nil {
			out.Since = up.AsTime()
		}
	case api.PeerState_SESSION_STATE_IDLE:
		out.State = Idle
	}
	out.Sent, out.Received = p.GetState().GetMessages().GetSent().GetTotal(), p.GetState().GetMessages().GetReceived().GetTotal()
	return out
}

// routes are the best paths of a table, towards a peer where to is valid.
func (s *speaking) routes(r apiutil.ListPathRequest, to netip.Addr) ([]Route, error) {
	r.Family = bgp.RF_IPv4_UC
	out := []Route{}
	err := s.server.ListPath(r, func(nlri bgp.NLRI, paths []*apiutil.Path) {
		prefix, err := netip.ParsePrefix(nlri.String())
		if err != nil {
			return
		}
		for _, p := range paths {
			if to.IsValid() || p.Best {
				out = append(out, route(prefix, p, to))
				return
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	slices.SortFunc(out, func(a, b Route) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	return out, nil
}

func route(prefix netip.Prefix, p *apiutil.Path, to netip.Addr) Route {
	out := Route{Prefix: prefix, Peer: to, Path: []uint32{}}
	if !to.IsValid() && p.PeerAddress.IsValid() && !p.PeerAddress.IsUnspecified() {
		out.Peer = p.PeerAddress
	}
	for _, a := range p.Attrs {
		switch a := a.(type) {
		case *bgp.PathAttributeNextHop:
			out.NextHop = a.Value
		case *bgp.PathAttributeAsPath:
			for _, part := range a.Value {
				out.Path = append(out.Path, part.GetAS()...)
			}
		}
	}
	return out
}

func (s *speaking) close() { s.server.Stop() }
