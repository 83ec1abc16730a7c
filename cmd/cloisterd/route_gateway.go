package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/provider/network"
)

// gatewayView is a command that shows one side of a gateway's BGP sessions.
type gatewayView struct {
	use, short, long string
	pick             func(network.Sessions, netip.Addr) any // for JSON
	write            func(io.Writer, daemon.GatewayBGP, netip.Addr) error
	byPeer           bool
}

// newGatewayCommands are those that ask a gateway about BGP.
func newGatewayCommands() []*cobra.Command {
	views := []gatewayView{
		{
			use: "learned GATEWAY", short: "The routes that a virtual network gateway has learned",
			long: `Show the routes that a virtual network gateway has learned by BGP and its own, as "az
network vnet-gateway list-learned-routes" does.`,
			pick:  func(s network.Sessions, _ netip.Addr) any { return s.Learned },
			write: func(w io.Writer, g daemon.GatewayBGP, _ netip.Addr) error { return writeLearned(w, g.Sessions.Learned) },
		},
		{
			use: "advertised GATEWAY", short: "The routes that a virtual network gateway advertises", byPeer: true,
			long: `Show the routes that a virtual network gateway advertises to its BGP peers, as "az
network vnet-gateway list-advertised-routes" does; with --peer to one of them.`,
			pick: func(s network.Sessions, peer netip.Addr) any { return towards(s.Advertised, peer) },
			write: func(w io.Writer, g daemon.GatewayBGP, peer netip.Addr) error {
				return writeAdvertised(w, towards(g.Sessions.Advertised, peer))
			},
		},
		{
			use: "peers GATEWAY", short: "The BGP sessions of a virtual network gateway",
			long: `Show the BGP sessions of a virtual network gateway, as "az network vnet-gateway
list-bgp-peer-status" does.`,
			pick:  func(s network.Sessions, _ netip.Addr) any { return s.Peers },
			write: func(w io.Writer, g daemon.GatewayBGP, _ netip.Addr) error { return writePeers(w, g.Sessions.Peers) },
		},
	}
	var out []*cobra.Command
	for _, v := range views {
		out = append(out, v.command())
	}
	return out
}

func (v gatewayView) command() *cobra.Command {
	var p place
	var asJSON bool
	var peer string
	name, _, _ := strings.Cut(v.use, " ")
	cmd := &cobra.Command{
		Use: v.use, Short: v.short, Long: v.long, Args: cobra.ExactArgs(1),
		Example: "  sudo cloister route " + name + " vgw-expressroute",
		RunE: func(cmd *cobra.Command, args []string) error {
			var at netip.Addr
			if peer != "" {
				var err error
				if at, err = netip.ParseAddr(peer); err != nil {
					return fmt.Errorf("--peer %q is no address; \"cloister route peers\" shows them", peer)
				}
			}
			c, err := p.dial()
			if err != nil {
				return err
			}
			g, err := c.Gateway(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), v.pick(g.Sessions, at))
			}
			return v.write(cmd.OutOrStdout(), g, at)
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	if v.byPeer {
		cmd.Flags().StringVar(&peer, "peer", "", "address of one BGP peer (all)")
	}
	return cmd
}

// towards are the routes that are advertised to a peer, all where it is none.
func towards(list []network.LearnedRoute, peer netip.Addr) []network.LearnedRoute {
	out := []network.LearnedRoute{}
	for _, r := range list {
		if !peer.IsValid() || r.Peer == peer {
			out = append(out, r)
		}
	}
	return out
}

func writeLearned(w io.Writer, list []network.LearnedRoute) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NETWORK\tORIGIN\tSOURCE PEER\tNEXT HOP\tAS PATH")
	for _, r := range list {
		origin, peer, hop := "Network", "-", "-"
		if r.Peer.IsValid() {
			origin, peer, hop = "EBgp", r.Peer.String(), r.NextHop.String()
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Prefix, origin, peer, hop, cmp.Or(asPath(r.Path), "-"))
	}
	return tw.Flush()
}

func writeAdvertised(w io.Writer, list []network.LearnedRoute) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NETWORK\tTO PEER\tNEXT HOP\tAS PATH")
	for _, r := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", r.Prefix, r.Peer, r.NextHop, cmp.Or(asPath(r.Path), "-"))
	}
	return tw.Flush()
}

func writePeers(w io.Writer, list []network.Session) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NEIGHBOR\tASN\tSTATE\tSINCE\tROUTES RECEIVED\tMESSAGES SENT\tMESSAGES RECEIVED")
	for _, p := range list {
		since := "-"
		if !p.Since.IsZero() {
			since = p.Since.Local().Format(time.DateTime)
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%d\t%d\t%d\n", p.Peer, p.ASN, p.State, since, p.Routes, p.Sent, p.Received)
	}
	return tw.Flush()
}

// asPath is an AS path, the nearest number first.
func asPath(path []uint32) string {
	parts := make([]string, len(path))
	for i, n := range path {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, "-")
}
