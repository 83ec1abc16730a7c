package fabric

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// flowGroup is the kernel's log group of what begins a connection.
const flowGroup = 7

// logged tells whoever listens of a packet that begins a connection. Without a
// listener the kernel drops the message before it is made.
func logged() nft.Rule {
	return nft.Rule{Match: []nft.Match{nft.State(nft.New)}, Steps: []nft.Action{{Verb: nft.Log, Group: flowGroup}}, Do: nft.Action{Verb: nft.Continue}}
}

// Flow is what a security group decided about a packet that begins a connection.
type Flow struct {
	Time                time.Time
	VNet, NIC           arm.ID
	NSG                 arm.ID // "" of security admin rules
	Direction           network.Direction
	Rule                string // "" where none is for it
	Allow               bool
	Protocol            uint8
	Source, Destination netip.AddrPort // before the source is translated, after the destination was
}

// ErrWatched is what Flows says while somebody else listens.
var ErrWatched = errors.New("the flows of this cloud are being watched already")

// Flows hands over what security groups decide, from the networks that are built
// when it is called, until ctx ends. One caller at a time may listen.
func (f *Fabric) Flows(ctx context.Context, each func(Flow)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	flows, failed, listening := make(chan Flow), make(chan error), 0
	for _, s := range f.Plan().Spaces {
		if s.Role != RoleRouter || len(s.gates) == 0 {
			continue
		}
		c, err := listenLog(f.full(s.Name), flowGroup)
		if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EPERM) {
			return ErrWatched
		}
		if err != nil {
			return fmt.Errorf("listening to the flows of %s: %w", s.VNet.Name(), err)
		}
		defer c.Close()
		listening++
		go func() {
			err := receiveFlows(ctx, c, s, flows)
			select {
			case failed <- err:
			case <-ctx.Done():
			}
		}()
	}
	if listening == 0 {
		return errors.New("no network of this cloud has a security group")
	}
	for {
		select {
		case flow := <-flows:
			each(flow)
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

func receiveFlows(ctx context.Context, c *netlink.Conn, s Space, flows chan<- Flow) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(0, 1)) })
	defer stop()
	for {
		messages, err := c.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			continue // more came than was read: the rest is lost
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("reading the flows of %s: %w", s.VNet.Name(), err)
		}
		for _, m := range messages {
			if len(m.Data) < genericHeader {
				continue
			}
			attributes, err := netlink.UnmarshalAttributes(m.Data[genericHeader:])
			if err != nil {
				continue
			}
			for _, a := range attributes {
				var e GuardEvent
				if a.Type != logPayload || !e.packet(a.Data) {
					continue
				}
				p := packet{from: e.From.Addr(), to: e.To.Addr(), protocol: e.Protocol, sourcePort: e.From.Port(), destPort: e.To.Port()}
				for _, flow := range s.decisions(p) {
					select {
					case flows <- flow:
					case <-ctx.Done():
						return nil
					}
				}
			}
		}
	}
}

// decisions are those of a router's gates about a packet, up to the first that
// drops it.
func (s Space) decisions(p packet) []Flow {
	var out []Flow
	now := time.Now()
	for _, d := range []network.Direction{network.Outbound, network.Inbound} {
		for _, g := range slices.Concat(s.gates, s.gates6) {
			if g.direction != d || !g.guards(p) {
				continue
			}
			for _, one := range g.decisions(p) {
				one.Time, one.VNet, one.NIC, one.Direction, one.Protocol = now, s.VNet, g.guest.ID, d, p.protocol
				one.Source, one.Destination = netip.AddrPortFrom(p.from, p.sourcePort), netip.AddrPortFrom(p.to, p.destPort)
				if out = append(out, one); !one.Allow {
					return out
				}
			}
		}
	}
	return out
}
