package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
)

func newNSGFlowsCommand() *cobra.Command {
	var p place
	var asJSON, denied, log bool
	cmd := &cobra.Command{
		Use:   "flows [NSG]",
		Short: "What network security groups allow and deny, as it happens",
		Long: `Writes a line for each packet that begins a connection and each group that it
comes to: which rule allowed or denied it. It goes on until Ctrl-C. What belongs to
a connection that was allowed comes to no rule, and is not shown.

With --log it writes what the estate's flow logs say (azurerm_network_watcher_flow_log),
a JSON record a line as each is written to the storage account: once a minute, for
each network interface that something passed. The argument is then the name of a
flow log, or of the network or group that it is of.`,
		Example: `  sudo cloister nsg flows
  sudo cloister nsg flows nsg-training --denied
  sudo cloister nsg flows --log vnet-hub
  sudo cloister nsg flows --json | jq 'select(.rule == "DenyAllInBound")'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			group, out := append(args, "")[0], cmd.OutOrStdout()
			if log {
				return c.FlowLogs(cmd.Context(), group, func(record []byte) error {
					_, err := fmt.Fprintf(out, "%s\n", record)
					return err
				})
			}
			lines := json.NewEncoder(out)
			return c.Flows(cmd.Context(), func(f daemon.Flow) error {
				switch {
				case !f.Concerns(group) || denied && f.Access != "Deny":
					return nil
				case asJSON:
					return lines.Encode(f)
				}
				return writeFlow(out, f)
			})
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write a JSON object a line")
	cmd.Flags().BoolVar(&denied, "denied", false, "show only what is denied")
	cmd.Flags().BoolVar(&log, "log", false, "write the records of the flow logs")
	cmd.MarkFlagsMutuallyExclusive("log", "json")
	cmd.MarkFlagsMutuallyExclusive("log", "denied")
	return cmd
}

// writeFlow writes one line.
func writeFlow(w io.Writer, f daemon.Flow) error {
	group, rule := f.Group.Name(), f.Rule
	if group == "" {
		group = "(security admin rules)"
	}
	if rule == "" {
		rule = "(no rule is for it)"
	}
	_, err := fmt.Fprintf(w, "%s %-5s %-4s %s > %s  %s %s %s\n",
		f.Time.Format("15:04:05"), f.Access, f.Protocol, withPort(f.Source), withPort(f.Destination), f.Direction, group, rule)
	return err
}

// withPort leaves out a port that is none.
func withPort(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}
