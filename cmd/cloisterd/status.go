package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/mission"
)

func newStatusCommand() *cobra.Command {
	var p place
	var v view
	var all bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What runs, and how far each document is real",
		Example: `  sudo cloister status
  sudo cloister status --all     # every document
  sudo cloister status --watch   # again whenever something changes, until Ctrl-C
  sudo cloister status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			return show(cmd, v, c.Status, func(w io.Writer, s daemon.Status) error { return writeStatus(w, c.State, s, all) })
		},
	}
	p.flags(cmd)
	v.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "show every document, not only counts and what is not real yet")
	return cmd
}

func writeStatus(w io.Writer, state daemon.State, s daemon.Status, all bool) error {
	fmt.Fprintf(w, "cloud %s, process %d, %s, control plane https://%s, subscription %s\n", s.Name, state.PID, s.Mode, state.Listen, s.Subscription)
	for _, lack := range s.Mode.Lacks {
		fmt.Fprintln(w, "rootless: "+lack)
	}
	if len(s.Limits) > 0 {
		fmt.Fprintf(w, "this host does not enforce: %s\n", strings.Join(s.Limits, ", "))
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "\nMACHINE\tKIND\tADDRESS\tSTATE\tNETWORK NAMESPACE")
	for _, m := range s.Machines {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", m.Name, m.Kind, addressesOf(m), choose(m.Running, "running", "stopped"), m.Namespace)
	}
	if len(s.Agents) > 0 {
		fmt.Fprintln(tw, "\nAGENT\tPOOL\t\tSTATE")
		for _, a := range s.Agents {
			fmt.Fprintf(tw, "%s\t%s\t\t%s\n", a.Name, a.Pool, choose(a.Online, "online", "offline"))
		}
	}
	if all {
		writeDocuments(tw, s.Resources)
		return tw.Flush()
	}
	writeCounts(tw, s.Resources)
	if err := tw.Flush(); err != nil {
		return err
	}
	return errors.Join(mission.WriteKept(w, s.Resources, nil), mission.WriteNotes(w, s.Notes))
}

// addressesOf are a machine's addresses of both versions of IP.
func addressesOf(m daemon.Machine) string {
	if m.Address6 == "" {
		return cmp.Or(m.Address, "-")
	}
	return cmp.Or(m.Address, "-") + ", " + m.Address6
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// standing says how far a document is real.
func standing(r cloud.Status) string {
	switch {
	case r.Kept:
		return "kept, not run"
	case r.Ready:
		return "real"
	case r.Error != "":
		return fmt.Sprintf("%s: %s", r.State, r.Error)
	}
	return string(r.State)
}

func writeDocuments(w io.Writer, resources []cloud.Status) {
	fmt.Fprintln(w, "\nDOCUMENT\tTYPE\t\tSTATE")
	for _, r := range resources {
		fmt.Fprintf(w, "%s\t%s\t\t%s\n", r.ID.Name(), r.Type, standing(r))
	}
}

// writeCounts counts the documents of each type that is run, and names those that
// are not real.
func writeCounts(w io.Writer, resources []cloud.Status) {
	counts := map[string]int{}
	for _, r := range resources {
		if !r.Kept {
			counts[r.Type+"\t"+choose(r.Ready, "real", "not yet real")]++
		}
	}
	fmt.Fprintln(w, "\nDOCUMENTS\tTYPE\t\tSTATE")
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		typ, state, _ := strings.Cut(k, "\t")
		fmt.Fprintf(w, "%d\t%s\t\t%s\n", counts[k], typ, state)
	}
	for _, r := range resources {
		if !r.Ready && !r.Kept {
			fmt.Fprintf(w, "%s\t%s\t\t%s\n", r.ID.Name(), r.Type, standing(r))
		}
	}
}
