package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/mission"
	"github.com/cloister-ml/cloister/service"
)

// logQuery is what the query action of an Application Insights component takes.
type logQuery struct {
	Table    string `json:"table,omitempty"`
	Since    string `json:"since,omitempty"` // RFC 3339
	Contains string `json:"contains,omitempty"`
	Limit    int    `json:"limit,omitempty"`
}

// logTables is the answer, in the shape of Azure's query API.
type logTables struct {
	Tables []struct {
		Name    string      `json:"name"`
		Columns []logColumn `json:"columns"`
		Rows    [][]any     `json:"rows"`
	} `json:"tables"`
}

type logColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func newLogsCommand() *cobra.Command {
	var p place
	var q logQuery
	var component string
	var since time.Duration
	var asJSON, follow bool
	cmd := &cobra.Command{
		Use:   "logs [MACHINE]",
		Short: "What a machine says, or telemetry that Application Insights has kept",
		Long: `With the name of a machine, write what its console and its services have said; with
--follow until Ctrl-C. Without, write the telemetry that Application Insights has
kept.`,
		Example: `  sudo cloister logs vm-agent-0
  sudo cloister logs vm-agent-0 --follow
  sudo cloister logs
  sudo cloister logs --table requests --since 10m
  sudo cloister logs --table traces --contains timeout --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c, err := p.dial()
				if err != nil {
					return err
				}
				return daemon.Output(cmd.Context(), c, args[0], q.Limit, follow, cmd.OutOrStdout())
			}
			if follow {
				return errors.New("name a machine to follow")
			}
			if since > 0 {
				q.Since = time.Now().Add(-since).UTC().Format(time.RFC3339)
			}
			out, err := queryLogs(cmd.Context(), p, component, q)
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), out)
			}
			return writeLogs(cmd.OutOrStdout(), out)
		},
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return machineNames(cmd, p), cobra.ShellCompDirectiveNoFileComp
	}
	p.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&component, "component", "", "name of the Application Insights component (the only one)")
	flags.StringVar(&q.Table, "table", "", "requests, dependencies, traces, exceptions, customMetrics, customEvents or availabilityResults (all)")
	flags.StringVar(&q.Contains, "contains", "", "only items with this text")
	flags.IntVar(&q.Limit, "limit", 100, "how many items at most, the newest; of a machine how many lines of each service")
	flags.BoolVarP(&follow, "follow", "f", false, "write what the machine says from now on, until Ctrl-C")
	flags.DurationVar(&since, "since", 0, "only items that are at most this old, as 10m (any)")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func queryLogs(ctx context.Context, p place, component string, q logQuery) (logTables, error) {
	var out logTables
	c, err := p.dial()
	if err != nil {
		return out, err
	}
	e, err := c.Estate(ctx)
	if err != nil {
		return out, err
	}
	id, err := findComponent(e, component)
	if err != nil {
		return out, err
	}
	client, err := mission.Owner(c)
	if err != nil {
		return out, err
	}
	return out, client.Post(ctx, id, "query", q, &out)
}

func findComponent(e *arm.Estate, name string) (arm.ID, error) {
	var names []string
	for _, r := range e.OfType(service.TypeAppInsights) {
		if strings.EqualFold(r.Name, name) {
			return r.ID, nil
		}
		names = append(names, r.Name)
	}
	switch {
	case len(names) == 0:
		return "", errors.New("the estate has no Application Insights component")
	case name == "" && len(names) == 1:
		return e.OfType(service.TypeAppInsights)[0].ID, nil
	case name == "":
		return "", fmt.Errorf("name one with --component: %s", strings.Join(names, ", "))
	}
	return "", fmt.Errorf("there is no component %q; there are %s", name, strings.Join(names, ", "))
}

// writeLogs writes each table with its columns, but for those that are empty.
func writeLogs(w io.Writer, out logTables) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := 0
	for _, t := range out.Tables {
		var heading []string
		var filled []int
		for i, c := range t.Columns {
			if slices.ContainsFunc(t.Rows, func(row []any) bool { return i < len(row) && cellText(row[i]) != "" }) {
				heading, filled = append(heading, strings.ToUpper(c.Name)), append(filled, i)
			}
		}
		if rows += len(t.Rows); len(t.Rows) > 0 {
			fmt.Fprintln(tw, strings.Join(heading, "\t"))
		}
		for _, row := range t.Rows {
			var cells []string
			for _, i := range filled {
				cells = append(cells, cellText(row[i]))
			}
			fmt.Fprintln(tw, strings.Join(cells, "\t"))
		}
	}
	if rows == 0 {
		fmt.Fprintln(tw, "no telemetry")
	}
	return tw.Flush()
}

// cellText is a value in a table; an empty object or list is nothing.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.ReplaceAll(v, "\n", " ")
	case map[string]any, []any:
		data, err := json.Marshal(v)
		if err != nil || len(data) <= 2 {
			return ""
		}
		return string(data)
	}
	return fmt.Sprint(v)
}
