package fabric

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/tunnel"
)

// tunnelDevice is the tunnel's interface in a gateway and in a site.
const tunnelDevice = "wg0"

// Secrets are the keys of tunnels, and who else may connect.
type Secrets interface {
	// Private is the private key of a namespace's end.
	Private(space string) tunnel.Key
	// Shared is the key that a gateway and a site share, zero for none.
	Shared(gateway, site arm.ID) tunnel.Key
	// Guests are further clients of a gateway, and the address on this host at which
	// it takes them; an invalid one for none.
	Guests(gateway arm.ID) (peers []tunnel.Peer, at netip.AddrPort)
}

// ServeTunnels keeps the tunnels between gateways and sites open until ctx ends. It
// returns when they are, also of those that are applied later.
func (f *Fabric) ServeTunnels(ctx context.Context, secrets Secrets) error {
	return f.attend(&daemon{
		name: "tunnels", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Tunnel != nil && len(s.Tunnel.Peers) > 0 },
		version: func(s Space) string {
			peers, at := secrets.Guests(s.Tunnel.Gateway)
			text := fmt.Sprint(s.Tunnel.Addrs, s.Tunnel.Peers, at)
			for _, p := range s.Tunnel.Peers {
				text += secrets.Shared(s.Tunnel.Gateway, p.Site).Base64()
			}
			for _, p := range peers {
				text += p.Public.Base64() + fmt.Sprint(p.Allowed)
			}
			return digest(text, 16)
		},
		start: func(s Space, full string) (func(), error) { return f.openTunnel(ctx, s, full, secrets) },
	})
}

func (f *Fabric) openTunnel(ctx context.Context, s Space, full string, secrets Secrets) (func(), error) {
	c := tunnel.Config{
		Device: tunnelDevice, Private: secrets.Private(s.Name), Addrs: s.Tunnel.Addrs, Keepalive: s.Role == RoleSite, Log: f.log,
		Within: func(fn func() error) error { return f.Within(full, fn) },
		Sockets: []func() (net.PacketConn, error){func() (net.PacketConn, error) {
			return f.ListenPacket(ctx, full, "udp4", fmt.Sprintf("0.0.0.0:%d", tunnelPort))
		}},
	}
	for _, p := range s.Tunnel.Peers {
		c.Peers = append(c.Peers, tunnel.Peer{
			Public: secrets.Private(p.Space).Public(), Preshared: secrets.Shared(s.Tunnel.Gateway, p.Site), Endpoint: p.Endpoint, Allowed: p.Allowed,
		})
	}
	if s.Role != RoleSite {
		guests, at := secrets.Guests(s.Tunnel.Gateway)
		c.Peers = append(c.Peers, guests...)
		if at.IsValid() {
			c.Sockets = append(c.Sockets, f.onHost(ctx, at))
		}
	}
	t, err := tunnel.Open(c)
	if err != nil {
		return nil, err
	}
	return t.Close, nil
}

// onHost opens a socket on this host. Where its port is taken, the sites go on, and
// only clients on the host wait.
func (f *Fabric) onHost(ctx context.Context, at netip.AddrPort) func() (net.PacketConn, error) {
	return func() (net.PacketConn, error) {
		c, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", at.String())
		if err == nil {
			return c, nil
		}
		f.log.Error("VPN clients of this host are not served", "error", err)
		return new(net.ListenConfig).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	}
}

// SiteNamespace is the namespace of what is behind a gateway: of a local network
// gateway's site or, by the gateway's own id, of its point-to-site client.
func (f *Fabric) SiteNamespace(site arm.ID) (string, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, s := range f.plan.Spaces {
		if s.Role == RoleSite && s.Owner.Equal(site) {
			return f.full(s.Name), true
		}
	}
	return "", false
}

// SpaceNamespace is the full name of a namespace of the plan.
func (f *Fabric) SpaceNamespace(s Space) string { return f.full(s.Name) }

// Sites are the places behind gateways.
func (f *Fabric) Sites() []Space {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []Space
	for _, s := range f.plan.Spaces {
		if s.Role == RoleSite {
			out = append(out, s)
		}
	}
	return out
}

// Gateways are the VPN gateways whose tunnels are built.
func (f *Fabric) Gateways() []arm.ID {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []arm.ID
	for _, s := range f.plan.Spaces {
		if s.Tunnel != nil && s.Role != RoleSite && !slices.Contains(out, s.Tunnel.Gateway) {
			out = append(out, s.Tunnel.Gateway)
		}
	}
	return out
}
