package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
)

func newNSGCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "nsg", Short: "Network security groups of the running cloud", Args: cobra.NoArgs}
	cmd.AddCommand(newNSGStatsCommand(), newNSGFlowsCommand())
	return cmd
}

func newNSGStatsCommand() *cobra.Command {
	var p place
	var v view
	var all bool
	cmd := &cobra.Command{
		Use:   "stats [NSG]",
		Short: "How often each security rule has decided about a new connection",
		Long: `The kernel counts, for each rule of each network security group, the packets that
began a connection and that the rule allowed or denied. What belongs to a
connection that was allowed is not asked again, and so not counted.`,
		Example: `  sudo cloister nsg stats
  sudo cloister nsg stats nsg-training --all   # the rules that nothing has met too
  sudo cloister nsg stats --watch
  sudo cloister nsg stats --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			count := func(ctx context.Context) ([]daemon.GroupCount, error) { return c.Groups(ctx, append(args, "")[0]) }
			return show(cmd, v, count, func(w io.Writer, counts []daemon.GroupCount) error { return writeGroups(w, counts, all) })
		},
	}
	p.flags(cmd)
	v.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "show the rules that nothing has met too")
	return cmd
}

// writeGroups writes a table, of the rules that something has met unless all are
// asked for.
func writeGroups(w io.Writer, counts []daemon.GroupCount, all bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NSG\tNETWORK\tDIRECTION\tRULE\tACCESS\tPACKETS\tBYTES")
	silent := 0
	for _, c := range counts {
		if c.Packets == 0 && !all {
			silent++
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", c.Group, c.Network, c.Direction, c.Rule, c.Access, c.Packets, c.Bytes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if silent > 0 {
		fmt.Fprintf(w, "%d rules have met nothing yet: --all shows them\n", silent)
	}
	return nil
}
