package fabric

import (
	"context"
	"net"
	"strconv"

	"github.com/cloister-ml/cloister/arm"
)

// Serve listens at a TCP port in the namespace of every private endpoint, and in
// the internet's for all public services, until ctx ends. serve is called in a
// goroutine of its own for each listener, with the private endpoint's id or "";
// the listener is closed when its namespace goes. It returns when it listens,
// also in namespaces that are applied later.
func (f *Fabric) Serve(ctx context.Context, port uint16, serve func(l net.Listener, endpoint arm.ID)) error {
	return f.attend(&daemon{
		name: "services", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Role == RoleEndpoint || s.Role == RoleInternet },
		start: func(s Space, full string) (func(), error) {
			l, err := f.Listen(ctx, full, "tcp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(int(port))))
			if err != nil {
				return nil, err
			}
			var endpoint arm.ID
			if s.Role == RoleEndpoint {
				endpoint = s.Guests[0].ID
			}
			go serve(l, endpoint)
			return func() { l.Close() }, nil
		},
	})
}
