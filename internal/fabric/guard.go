package fabric

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"

	"github.com/cloister-ml/cloister/privatedns"
)

// ServeGuards runs the proxies of firewalls whose application rules need one, until
// ctx ends. start runs one from a listener in the firewall's namespace, which is
// start's to close, and returns what ends it.
func (f *Fabric) ServeGuards(ctx context.Context, start func(g Guard, namespace string, l net.Listener) (stop func(), err error)) error {
	return f.attend(&daemon{
		name: "firewall proxies", ctx: ctx, running: map[instance]func(){},
		wants:   func(s Space) bool { return s.Guard != nil && len(s.Guard.Proxied) > 0 },
		version: guardVersion,
		start: func(s Space, full string) (func(), error) {
			l, err := f.Listen(ctx, full, "tcp4", netip.AddrPortFrom(s.Guard.Private, proxyPort).String())
			if err != nil {
				return nil, err
			}
			return start(*s.Guard, full, l)
		},
	})
}

// ServeGuardDNS answers DNS queries at the private addresses of firewalls that are
// DNS proxies, until ctx ends.
func (f *Fabric) ServeGuardDNS(ctx context.Context, resolve func(server netip.Addr, name string) privatedns.Answer) error {
	return f.attend(&daemon{
		name: "DNS proxies", ctx: ctx, running: map[instance]func(){},
		wants:   func(s Space) bool { return s.Guard != nil && s.Guard.DNSProxy },
		version: func(s Space) string { return s.Guard.Private.String() },
		start: func(s Space, full string) (func(), error) {
			at := s.Guard.Private
			return f.startDNS(ctx, full, netip.AddrPortFrom(at, dnsPort), &answers{}, func(_ netip.Addr, name string) privatedns.Answer { return resolve(at, name) })
		},
	})
}

// guardVersion is another when a firewall's rules are.
func guardVersion(s Space) string {
	text, err := json.Marshal(s.Guard)
	if err != nil {
		text = fmt.Append(nil, s.Guard)
	}
	return digest(string(text), 16)
}
