package daemon

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/bgp"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/fabric"
	netprovider "github.com/cloister-ml/cloister/internal/provider/network"
	"github.com/cloister-ml/cloister/network"
)

// serveBGP runs the BGP speakers. What one learns or loses changes the networks.
func (d *Daemon) serveBGP(ctx context.Context) error {
	return d.fabric.ServeBGP(ctx, &d.speakers, []string{"/proc/self/exe", "speaker"}, func() {
		if err := d.syncer.Sync(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("changing the routes that BGP has learned", "error", err)
		}
	})
}

// settleTime is far longer than sessions take to be established.
const settleTime = 30 * time.Second

// settleSpeakers waits until all BGP sessions are established and what they teach is
// in the networks. It waits for no session that does not come.
func (d *Daemon) settleSpeakers(ctx context.Context) error {
	for start := time.Now(); !d.speakers.Settled(d.fabric.Plan()); {
		if time.Since(start) > settleTime {
			d.log.Warn("not all BGP sessions are established", "waited", settleTime)
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return d.syncer.Sync(ctx)
}

var _ netprovider.Gateways = (*syncer)(nil)

// BGP implements the network provider's Gateways.
func (s *syncer) BGP(gateway arm.ID) (netprovider.Sessions, bool) {
	space, ok := s.d.gatewaySpace(gateway)
	if !ok {
		return netprovider.Sessions{}, false
	}
	state := s.d.speakers.State(space.Name)
	out := netprovider.Sessions{Local: space.Guests[0].Addrs[0], ASN: space.Speaker.ASN}
	for _, p := range state.Peers {
		out.Peers = append(out.Peers, netprovider.Session{
			Peer: p.Address, Local: p.Local, ASN: p.ASN, State: p.State, Since: p.Since, Sent: p.Sent, Received: p.Received, Routes: p.Routes,
		})
	}
	route := func(list []bgp.Route) (out []netprovider.LearnedRoute) {
		for _, r := range list {
			out = append(out, netprovider.LearnedRoute{Prefix: r.Prefix, NextHop: r.NextHop, Peer: r.Peer, Path: r.Path})
		}
		return out
	}
	out.Learned, out.Advertised = route(state.Learned), route(state.Advertised)
	return out, true
}

// gatewaySpace is the namespace of a gateway that speaks BGP.
func (d *Daemon) gatewaySpace(gateway arm.ID) (fabric.Space, bool) {
	for _, s := range d.fabric.Plan().Spaces {
		if s.Speaker != nil && len(s.Guests) > 0 && s.Guests[0].Kind == network.KindGateway && s.Guests[0].ID.Equal(gateway) {
			return s, true
		}
	}
	return fabric.Space{}, false
}

// GatewayBGP is what a gateway's BGP sessions know.
type GatewayBGP struct {
	Gateway  string               `json:"gateway"`
	ASN      uint32               `json:"asn"`
	Sessions netprovider.Sessions `json:"sessions"`
}

// getGateway answers for a gateway by its name or id.
func (d *Daemon) getGateway(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("gateway")
	var known []string
	for _, g := range d.view().topology.Gateways {
		if !strings.EqualFold(g.Name, name) && !g.ID.Equal(arm.ID(name)) {
			known = append(known, g.Name)
			continue
		}
		sessions, ok := d.syncer.BGP(g.ID)
		if !ok {
			why := "its connections have none"
			if len(g.Shut) > 0 {
				why = strings.Join(g.Shut, "; ")
			}
			if g.Learns != "" {
				why = g.Learns
			}
			http.Error(w, fmt.Sprintf("the virtual network gateway %s has no BGP session: %s", g.Name, why), http.StatusNotFound)
			return
		}
		cloud.WriteJSON(w, http.StatusOK, GatewayBGP{Gateway: g.Name, ASN: sessions.ASN, Sessions: sessions})
		return
	}
	slices.Sort(known)
	text := fmt.Sprintf("there is no virtual network gateway %q", name)
	if len(known) > 0 {
		text += "; there are " + strings.Join(known, ", ")
	}
	http.Error(w, text, http.StatusNotFound)
}

// Gateway asks for the BGP sessions of a virtual network gateway.
func (c *Client) Gateway(ctx context.Context, name string) (out GatewayBGP, err error) {
	return out, c.do(ctx, http.MethodGet, "/gateways/"+name, nil, &out)
}
