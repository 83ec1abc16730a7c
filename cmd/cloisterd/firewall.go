package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
)

func newFirewallCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "firewall", Short: "Azure Firewalls of the running cloud", Args: cobra.NoArgs}
	cmd.AddCommand(newFirewallLogsCommand(), &cobra.Command{
		Use: "proxy", Short: "Be the proxy of a firewall's application rules", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return daemon.RunProxy(cmd.Context(), os.Stdin, os.Stdout)
		},
	})
	return cmd
}

func newFirewallLogsCommand() *cobra.Command {
	var p place
	var v view
	var denied bool
	cmd := &cobra.Command{
		Use:   "logs [FIREWALL]",
		Short: "What Azure Firewalls have allowed and denied",
		Long: `Write a row for each connection that came to a firewall, as the tables AZFWNetworkRule,
AZFWApplicationRule and AZFWNatRule of Azure Monitor have it: the newest 10,000 that
this cloud has seen since it was started. --json has the tables' own columns.`,
		Example: `  sudo cloister firewall logs
  sudo cloister firewall logs afw-egress --denied
  sudo cloister firewall logs --watch
  sudo cloister firewall logs --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			read := func(ctx context.Context) ([]daemon.FirewallRecord, error) {
				rows, err := c.FirewallLog(ctx, append(args, "")[0])
				if denied {
					rows = onlyDenied(rows)
				}
				return rows, err
			}
			return show(cmd, v, read, writeFirewallLog)
		},
	}
	p.flags(cmd)
	v.flags(cmd)
	cmd.Flags().BoolVar(&denied, "denied", false, "only what was denied")
	return cmd
}

func onlyDenied(rows []daemon.FirewallRecord) []daemon.FirewallRecord {
	out := []daemon.FirewallRecord{}
	for _, r := range rows {
		if r.Action == "Deny" {
			out = append(out, r)
		}
	}
	return out
}

func writeFirewallLog(w io.Writer, rows []daemon.FirewallRecord) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no connection has come to a firewall")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tTABLE\tACTION\tPROTOCOL\tFROM\tTO\tRULE")
	for _, r := range rows {
		to := r.DestinationIP
		if r.Fqdn != "" {
			to = r.Fqdn
		}
		action, rule := r.Action, strings.Trim(strings.Join([]string{r.Policy, r.RuleCollectionGroup, r.RuleCollection, r.Rule}, "/"), "/")
		if r.TranslatedIP != "" {
			action = fmt.Sprintf("to %s:%d", r.TranslatedIP, r.TranslatedPort)
		}
		if rule == "" {
			rule = r.ActionReason
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s:%d\t%s:%d\t%s\n", r.TimeGenerated.Local().Format(time.TimeOnly), r.Type, action, r.Protocol, r.SourceIP, r.SourcePort, to, r.DestinationPort, rule)
	}
	return table.Flush()
}
