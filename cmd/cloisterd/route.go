package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/network"
)

func newRouteCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "route", Short: "Routes of the running cloud", Args: cobra.NoArgs}
	cmd.AddCommand(newRouteEffectiveCommand())
	cmd.AddCommand(newGatewayCommands()...)
	return cmd
}

func newRouteEffectiveCommand() *cobra.Command {
	var p place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "effective NIC",
		Short: "The effective routes of a network interface",
		Long: `Show the routes that packets of a network interface follow, as "az network nic
show-effective-route-table" does: those of the network, of peerings, gateways and
endpoints, and the user's. NIC is the name of a network interface or of a machine.`,
		Example: `  sudo cloister route effective vm-jump
  sudo cloister route effective nic-agent-0 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			e, err := c.Estate(cmd.Context())
			if err != nil {
				return err
			}
			routes, err := effectiveRoutes(e, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), routes)
			}
			return writeRoutes(cmd.OutOrStdout(), routes)
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// effectiveRoute is a route as it is shown.
type effectiveRoute struct {
	Prefix  string          `json:"addressPrefix"`
	NextHop network.NextHop `json:"nextHopType"`
	Address string          `json:"nextHopIpAddress,omitempty"`
	Source  string          `json:"source"`
	Name    string          `json:"name,omitempty"`
	Peer    arm.ID          `json:"peer,omitempty"`
	Unsure  string          `json:"unsure,omitempty"` // why the next hop is not certain
}

// effectiveRoutes are those of the interface that is called, or whose machine is
// called, name.
func effectiveRoutes(e *arm.Estate, name string) ([]effectiveRoute, error) {
	t := network.FromEstate(e)
	var known []string
	for _, n := range t.NICs {
		if n.Kind == network.KindPrivateEndpoint {
			continue
		}
		if !strings.EqualFold(n.Name, name) && !strings.EqualFold(n.ID.Name(), name) && !n.ID.Equal(arm.ID(name)) {
			known = append(known, n.Name)
			continue
		}
		out := []effectiveRoute{}
		for _, r := range t.EffectiveRoutes(n.Subnet) {
			shown := effectiveRoute{Prefix: r.Prefix.String(), NextHop: r.NextHop, Source: r.Source, Name: r.Name, Peer: r.Peer}
			if r.Address.IsValid() {
				shown.Address = r.Address.String()
			}
			if len(r.Doubts) > 0 {
				shown.Unsure = r.Doubts[0].Reason
			}
			out = append(out, shown)
		}
		return out, nil
	}
	return nil, fmt.Errorf("there is no network interface %q; there are those of %s", name, strings.Join(known, ", "))
}

func writeRoutes(w io.Writer, routes []effectiveRoute) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SOURCE\tADDRESS PREFIX\tNEXT HOP TYPE\tNEXT HOP\tNAME")
	for _, r := range routes {
		name := r.Name
		if r.Unsure != "" {
			name = strings.TrimSpace(name + " (not certain: " + r.Unsure + ")")
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Source, r.Prefix, r.NextHop, cmp.Or(r.Address, r.Peer.Name(), "-"), cmp.Or(name, "-"))
	}
	return tw.Flush()
}
