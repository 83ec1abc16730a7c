package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
)

func newNSGCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "nsg", Short: "Network security groups of the running cloud", Args: cobra.NoArgs}
	cmd.AddCommand(newNSGStatsCommand(), newNSGFlowsCommand())
	return cmd
}

func newNSGStatsCommand() *cobra.Command {
	var p place
	var asJSON, watch, all bool
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
			write := func(w io.Writer) error {
				counts, err := c.Groups(cmd.Context(), append(args, "")[0])
				if err != nil {
					return err
				}
				if asJSON {
					return command.WriteJSON(w, counts)
				}
				return writeGroups(w, counts, all)
			}
			if !watch {
				return write(cmd.OutOrStdout())
			}
			return repeat(cmd.Context(), cmd.OutOrStdout(), isTerminal(os.Stdout), write)
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&all, "all", false, "show the rules that nothing has met too")
	cmd.Flags().BoolVar(&watch, "watch", false, "write it again whenever it changes, until Ctrl-C")
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
