package network

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// Gateways knows the BGP sessions of the gateways that run.
type Gateways interface {
	// BGP is what the speaker of a gateway knows; false for a gateway without one.
	BGP(gateway arm.ID) (Sessions, bool)
}

// Sessions are the BGP sessions of a gateway.
type Sessions struct {
	Local      netip.Addr     `json:"localAddress"`
	ASN        uint32         `json:"asn"`
	Peers      []Session      `json:"peers"`
	Learned    []LearnedRoute `json:"learned"`    // its own among them
	Advertised []LearnedRoute `json:"advertised"` // with the peer to whom
}

// Session is a BGP session.
type Session struct {
	Peer     netip.Addr `json:"neighbor"`
	Local    netip.Addr `json:"localAddress"`
	ASN      uint32     `json:"asn"`
	State    string     `json:"state"`
	Since    time.Time  `json:"connectedSince,omitzero"` // zero unless connected
	Sent     uint64     `json:"messagesSent"`
	Received uint64     `json:"messagesReceived"`
	Routes   int        `json:"routesReceived"`
}

// LearnedRoute is a route of a gateway; Peer is invalid for one of its own.
type LearnedRoute struct {
	Prefix  netip.Prefix `json:"network"`
	NextHop netip.Addr   `json:"nextHop"`
	Peer    netip.Addr   `json:"peer,omitzero"`
	Path    []uint32     `json:"asPath"`
}

// weight is what Azure's gateways give each route.
const weight = 32768

// sessionActions are the actions of a gateway about BGP. Source: Azure REST API
// reference, "Virtual Network Gateways": Get Bgp Peer Status, Get Learned Routes, Get
// Advertised Routes.
func sessionActions(gateways Gateways) map[string]cloud.Action {
	on := func(show func(ctx context.Context, s Sessions, r arm.Resource) (any, error)) cloud.Action {
		return func(ctx context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
			var s Sessions
			if gateways != nil {
				s, _ = gateways.BGP(r.ID)
			}
			return show(ctx, s, r)
		}
	}
	return map[string]cloud.Action{
		"getbgppeerstatus":    on(peerStatus),
		"getlearnedroutes":    on(func(_ context.Context, s Sessions, _ arm.Resource) (any, error) { return learnedRoutes(s), nil }),
		"getadvertisedroutes": on(advertisedRoutes),
	}
}

func peerStatus(ctx context.Context, s Sessions, _ arm.Resource) (any, error) {
	peer := cloud.QueryFrom(ctx).Get("peer")
	out := []any{}
	for _, p := range s.Peers {
		if peer != "" && peer != p.Peer.String() {
			continue
		}
		o := arm.Object{
			"localAddress": p.Local.String(), "neighbor": p.Peer.String(), "asn": p.ASN, "state": p.State,
			"routesReceived": p.Routes, "messagesSent": p.Sent, "messagesReceived": p.Received,
		}
		if !p.Since.IsZero() {
			o["connectedDuration"] = duration(time.Since(p.Since))
		}
		out = append(out, o)
	}
	return arm.Object{"value": out}, nil
}

// duration is a time span as .NET writes it.
func duration(d time.Duration) string {
	s := int(d.Seconds())
	text := fmt.Sprintf("%02d:%02d:%02d.%07d", s/3600%24, s/60%60, s%60, d.Nanoseconds()/100%10_000_000)
	if days := s / 86400; days > 0 {
		return fmt.Sprintf("%d.%s", days, text)
	}
	return text
}

func learnedRoutes(s Sessions) any {
	out := []any{}
	for _, r := range s.Learned {
		o := arm.Object{"localAddress": s.Local.String(), "network": r.Prefix.String(), "asPath": asPath(r.Path), "weight": weight}
		if r.Peer.IsValid() {
			o["origin"], o["sourcePeer"], o["nextHop"] = "EBgp", r.Peer.String(), r.NextHop.String()
		} else {
			o["origin"], o["sourcePeer"] = "Network", s.Local.String()
		}
		out = append(out, o)
	}
	return arm.Object{"value": out}
}

func advertisedRoutes(ctx context.Context, s Sessions, r arm.Resource) (any, error) {
	peer := cloud.QueryFrom(ctx).Get("peer")
	if peer == "" {
		return nil, cloud.Errorf(http.StatusBadRequest, "MissingQueryParameter", "The query parameter peer is required: the address of a BGP peer of %s.", r.ID)
	}
	out := []any{}
	for _, a := range s.Advertised {
		if a.Peer.String() == peer {
			out = append(out, arm.Object{
				"localAddress": s.Local.String(), "network": a.Prefix.String(), "nextHop": a.NextHop.String(),
				"asPath": asPath(a.Path), "origin": "Igp", "sourcePeer": s.Local.String(), "weight": 0,
			})
		}
	}
	return arm.Object{"value": out}, nil
}

// asPath is an AS path as Azure writes it: 12076-65020.
func asPath(path []uint32) string {
	var parts []string
	for _, n := range path {
		parts = append(parts, fmt.Sprint(n))
	}
	return strings.Join(parts, "-")
}
