package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/internal/tunnel"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// vpn keeps the keys of tunnels and the profiles that were given out.
type vpn struct {
	d      *Daemon
	secret []byte

	mu    sync.Mutex
	given given
}

// given is what vpn.json holds; a profile's private key is its owner's alone.
type given struct {
	Listen   netip.AddrPort `json:"listen"` // on this host
	Profiles []profile      `json:"profiles"`
}

type profile struct {
	Name    string     `json:"name"`
	Gateway arm.ID     `json:"gateway"`
	Public  string     `json:"publicKey"` // base64
	Address netip.Addr `json:"address"`
}

func (v *vpn) file() string { return filepath.Join(v.d.options.Dir, "vpn.json") }

func (v *vpn) open() error {
	path := filepath.Join(v.d.options.Dir, "tunnel_secret")
	var err error
	if v.secret, err = os.ReadFile(path); errors.Is(err, fs.ErrNotExist) {
		v.secret = make([]byte, 32)
		if _, err = rand.Read(v.secret); err == nil {
			err = os.WriteFile(path, v.secret, 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("opening the tunnels' secret: %w", err)
	}
	data, err := os.ReadFile(v.file())
	if err != nil {
		return ignoreMissing(err)
	}
	return json.Unmarshal(data, &v.given)
}

var _ fabric.Secrets = (*vpn)(nil)

// Private implements fabric.Secrets.
func (v *vpn) Private(space string) tunnel.Key { return tunnel.Derive(v.secret, space) }

// Shared implements fabric.Secrets: the connection's shared key, by its hash.
func (v *vpn) Shared(gateway, site arm.ID) tunnel.Key {
	for _, c := range v.d.cloud.Estate().OfType("Microsoft.Network/connections") {
		if arm.Ref(c.Properties, "virtualNetworkGateway1.id").Equal(gateway) && arm.Ref(c.Properties, "localNetworkGateway2.id").Equal(site) {
			if key := arm.String(c.Properties, "sharedKey"); key != "" {
				return tunnel.Key(sha256.Sum256([]byte(key)))
			}
		}
	}
	return tunnel.Key{}
}

// Guests implements fabric.Secrets.
func (v *vpn) Guests(gateway arm.ID) ([]tunnel.Peer, netip.AddrPort) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []tunnel.Peer
	for _, p := range v.given.Profiles {
		key, err := base64.StdEncoding.DecodeString(p.Public)
		if err != nil || len(key) != 32 || !p.Gateway.Equal(gateway) {
			continue
		}
		out = append(out, tunnel.Peer{Public: tunnel.Key(key), Allowed: []netip.Prefix{netip.PrefixFrom(p.Address, p.Address.BitLen())}})
	}
	if len(out) == 0 {
		return nil, netip.AddrPort{}
	}
	return out, v.given.Listen
}

// VPNRequest asks for a client profile.
type VPNRequest struct {
	Name      string `json:"name"`
	Gateway   string `json:"gateway,omitempty"` // name; "" for the only one
	PublicKey string `json:"publicKey"`         // base64
}

// VPNAnswer is what a client must know beside its own private key.
type VPNAnswer struct {
	Gateway   string         `json:"gateway"`
	Address   netip.Addr     `json:"address"`
	PublicKey string         `json:"publicKey"` // of the gateway
	Endpoint  netip.AddrPort `json:"endpoint"`
	Allowed   []netip.Prefix `json:"allowed"`
}

const actionProfile = "Microsoft.Network/virtualNetworkGateways/generatevpnclientpackage/action"

func (d *Daemon) postVPN(w http.ResponseWriter, r *http.Request) {
	var asked VPNRequest
	if !readJSON(w, r, &asked) {
		return
	}
	out, err := d.vpn.profile(r, asked)
	if err != nil {
		refuseBastion(w, err)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, out)
}

// profile gives a client an address of the pool and lets its key in. Asked again
// under the same name, it takes the new key in place of the old.
func (v *vpn) profile(r *http.Request, asked VPNRequest) (VPNAnswer, error) {
	var out VPNAnswer
	caller, err := v.d.cloud.Authenticate(r, managementAudience)
	if err != nil {
		return out, err
	}
	if key, err := base64.StdEncoding.DecodeString(asked.PublicKey); err != nil || len(key) != 32 {
		return out, errors.New("the public key must be 32 bytes in base64")
	}
	gateway, pool, err := v.pool(asked.Gateway)
	if err != nil {
		return out, err
	}
	if got := v.d.cloud.Authorize(caller, actionProfile, false, gateway.ID); got.Value != verdict.Yes {
		return out, forbidden(caller, actionProfile, gateway.ID)
	}
	address, listen, err := v.give(asked, gateway.ID, pool)
	if err != nil {
		return out, err
	}
	if err := v.d.syncer.Sync(r.Context()); err != nil {
		return out, err
	}
	for _, s := range v.d.fabric.Sites() {
		if s.Owner.Equal(gateway.ID) {
			peer := s.Tunnel.Peers[0]
			out = VPNAnswer{
				Gateway: gateway.Name, Address: address, PublicKey: v.Private(peer.Space).Public().Base64(), Endpoint: listen, Allowed: peer.Allowed,
			}
		}
	}
	if out.PublicKey == "" {
		return out, fmt.Errorf("the virtual network gateway %s is not built", gateway.Name)
	}
	return out, nil
}

// pool finds a gateway with clients, and their addresses.
func (v *vpn) pool(name string) (*network.Gateway, netip.Prefix, error) {
	var found *network.Gateway
	var pool netip.Prefix
	var known []string
	for _, g := range v.d.view().topology.Gateways {
		for _, s := range g.Sites {
			if s.Network != "" {
				continue // a network of the estate
			}
			if !s.ID.Equal(g.ID) || len(s.Prefixes) == 0 {
				continue
			}
			known = append(known, g.Name)
			if name == "" || strings.EqualFold(name, g.Name) {
				found, pool = g, s.Prefixes[0]
			}
		}
	}
	switch {
	case found == nil && len(known) == 0:
		return nil, pool, errors.New("no virtual network gateway takes clients: it needs a vpn_client_configuration with an address_space")
	case found == nil:
		return nil, pool, fmt.Errorf("there is no virtual network gateway %q that takes clients; there are %s", name, strings.Join(known, ", "))
	case name == "" && len(known) > 1:
		return nil, pool, fmt.Errorf("name a gateway with --gateway: %s", strings.Join(known, ", "))
	}
	return found, pool, nil
}

// firstProfile is the first address of a pool, by its number, that a profile gets:
// the one before is the client's that the cloud itself runs.
const firstProfile = 3

func (v *vpn) give(asked VPNRequest, gateway arm.ID, pool netip.Prefix) (netip.Addr, netip.AddrPort, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := v.given
	next.Profiles = slices.Clone(v.given.Profiles)
	if !next.Listen.IsValid() {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return netip.Addr{}, next.Listen, fmt.Errorf("finding a port for clients on this host: %w", err)
		}
		next.Listen = c.LocalAddr().(*net.UDPAddr).AddrPort()
		c.Close()
	}
	taken := map[netip.Addr]bool{}
	p := profile{Name: asked.Name, Gateway: gateway, Public: asked.PublicKey}
	for _, old := range next.Profiles {
		if old.Gateway.Equal(gateway) {
			taken[old.Address] = true
			if old.Name == asked.Name {
				p.Address = old.Address
			}
		}
	}
	if !p.Address.IsValid() || !pool.Contains(p.Address) {
		a := pool.Masked().Addr()
		for n := 0; pool.Contains(a) && (n < firstProfile || taken[a]); n++ {
			a = a.Next()
		}
		if !pool.Contains(a) {
			return a, next.Listen, fmt.Errorf("the client address pool %s is used up", pool)
		}
		p.Address = a
	}
	next.Profiles = append(slices.DeleteFunc(next.Profiles, func(o profile) bool { return o.Gateway.Equal(gateway) && o.Name == asked.Name }), p)
	data, err := json.Marshal(next)
	if err != nil {
		return p.Address, next.Listen, err
	}
	if err := durable.WriteFile(v.file(), data); err != nil {
		return p.Address, next.Listen, err
	}
	v.given = next
	return p.Address, next.Listen, nil
}

// Profile asks for a client profile, with a caller's token.
func (c *Client) Profile(ctx context.Context, token string, r VPNRequest) (VPNAnswer, error) {
	var out VPNAnswer
	return out, c.doAs(ctx, "/vpn/profiles", token, r, &out)
}

// Names of the machines behind gateways begin as those of the proof's places do.
const (
	premises  = "on-premises-"
	vpnClient = "vpn-client-"
)

// outpost is a machine behind a gateway.
type outpost struct {
	id        arm.ID // made as documents' are; there is no such document
	name      string
	kind      string
	namespace string
	address   string
	resolver  string
}

// outposts are the machines behind the gateways that are built.
func (d *Daemon) outposts() []outpost {
	var out []outpost
	for _, s := range d.fabric.Sites() {
		o := outpost{name: premises + s.Owner.Name(), kind: "on premises", address: s.Tunnel.Addrs[0].String(), resolver: outsiderResolver}
		if s.Tunnel.Gateway.Equal(s.Owner) {
			o.name, o.kind, o.resolver = vpnClient+s.Owner.Name(), "VPN client", d.clientResolver(s.Owner)
		}
		o.id = arm.ID("/providers/Cloister.Premises/machines/" + o.name)
		o.namespace = d.fabric.SpaceNamespace(s)
		out = append(out, o)
	}
	return out
}

// clientResolver is the DNS server of a gateway's clients: the first of the gateway's
// network where that has any of its own, and else a public one. Azure's is not to be
// had through a VPN.
func (d *Daemon) clientResolver(gateway arm.ID) string {
	t := d.view().topology
	for _, g := range t.Gateways {
		if v, ok := t.VNet(g.Subnet.Parent()); ok && g.ID.Equal(gateway) && len(v.DNSServers) > 0 {
			return v.DNSServers[0].String()
		}
	}
	return outsiderResolver
}

// outpost finds the machine behind a gateway that is a place of the proof.
func (d *Daemon) outpost(place string) (outpost, bool) {
	for _, o := range d.outposts() {
		if strings.EqualFold(o.name, place) {
			return o, true
		}
	}
	return outpost{}, false
}

// startOutposts runs the machines behind gateways, and ends those whose gateway is
// gone.
func (m *machines) startOutposts(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	wanted := map[string]bool{}
	for _, o := range m.d.outposts() {
		wanted[o.id.Key()] = true
		if m.isRunning(o.id) {
			continue
		}
		err := m.start(ctx, o.id, sandbox.Spec{
			Hostname: o.name, NetNS: fabric.NamespacePath(o.namespace),
			Files: m.d.systemFiles(o.name, o.resolver),
		})
		if err != nil {
			m.d.log.Error("starting a machine behind a gateway", "machine", o.name, "error", err)
			continue
		}
		m.outposts = append(m.outposts, o.id)
	}
	m.outposts = slices.DeleteFunc(m.outposts, func(id arm.ID) bool {
		b, running := m.running.Load(id.Key())
		if wanted[id.Key()] {
			return false
		}
		delete(m.fallen, id.Key())
		if !running {
			return true
		}
		m.running.Delete(id.Key())
		if err := b.(box).sandbox.Stop(ctx, 0); err != nil {
			m.d.log.Error("ending a machine behind a gateway", "machine", id.Name(), "error", err)
		}
		return true
	})
}
