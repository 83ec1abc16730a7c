package fabric

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

const (
	metadataTimeout = 10 * time.Second
	metadataBody    = 64 << 10
	metadataHeader  = 16 << 10
)

// ServeMetadata answers HTTP at 169.254.169.254 in every virtual network until
// ctx ends, each request with the handler of the network interface that it came
// from. The source address tells which that is: a router lets no other pass.
// It returns when it answers, also in networks that are applied later.
func (f *Fabric) ServeMetadata(ctx context.Context, handler func(nic network.NIC) http.Handler) error {
	return f.attend(&daemon{
		name: "metadata", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Role == RoleRouter },
		start: func(s Space, full string) (func(), error) {
			listener, err := f.Listen(ctx, full, "tcp4", netip.AddrPortFrom(service.Metadata, 80).String())
			if err != nil {
				return nil, err
			}
			server := &http.Server{
				Handler:           f.metadata(s.Name, handler),
				ReadHeaderTimeout: metadataTimeout, ReadTimeout: metadataTimeout, WriteTimeout: metadataTimeout, IdleTimeout: metadataTimeout,
				MaxHeaderBytes: metadataHeader,
				ErrorLog:       slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
			}
			go func() { _ = server.Serve(limit(listener, 64, 4096)) }() // it ends with Close
			return func() { server.Close() }, nil
		},
	})
}

func (f *Fabric) metadata(space string, handler func(nic network.NIC) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		nic, ok := f.guest(space, func(n network.NIC) bool { return slices.Contains(n.Addrs, from.Addr()) })
		if err != nil || !ok || nic.Kind == network.KindPrivateEndpoint {
			http.Error(w, "no machine has this address", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, metadataBody)
		handler(nic).ServeHTTP(w, r)
	})
}
