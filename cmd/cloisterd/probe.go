package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/probe"
)

func newProbeCommand() *cobra.Command {
	var p place
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Try every place by every service with real packets, and hold it against the proof",
		Long: `From every machine, a node of every compute cluster, what is behind each gateway (the
premises, VPN clients) and the internet, to every service: resolve its name, connect, shake hands, make an authenticated call. Each
cell is held against what "check" proves of the running estate. The exit status is
1 when a cell disagrees.`,
		Example: `  sudo cloister probe
  sudo cloister probe --verbose   # with the reason of each cell
  sudo cloister probe --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			var cells []probe.Comparison
			err = c.Probe(cmd.Context(), func(place []probe.Comparison) {
				cells = append(cells, place...)
				fmt.Fprintf(cmd.ErrOrStderr(), "probed from %s: %d services\n", place[0].Place, len(place))
			})
			if err != nil {
				return err
			}
			probe.Sort(cells)
			if asJSON {
				err = command.WriteJSON(cmd.OutOrStdout(), cells)
			} else {
				err = probe.WriteTable(cmd.OutOrStdout(), cells, verbose)
			}
			if err != nil {
				return err
			}
			if slices.ContainsFunc(cells, func(c probe.Comparison) bool { return !c.Agrees }) {
				return command.ExitStatus(command.ExitFinding)
			}
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "say for each cell what was met and why")
	cmd.AddCommand(newProbeTryCommand())
	return cmd
}

// newProbeTryCommand is what the daemon runs in a machine.
func newProbeTryCommand() *cobra.Command {
	var resolver, file string
	var patience time.Duration
	cmd := &cobra.Command{
		Use:    "try",
		Short:  "Do the tries on standard input from this machine, and write what each met",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := netip.ParseAddr(resolver)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			var tries []probe.Try
			if err := json.NewDecoder(in).Decode(&tries); err != nil {
				return fmt.Errorf("reading the tries: %w", err)
			}
			roots, err := x509.SystemCertPool()
			if err != nil {
				return err
			}
			prober := probe.Prober{Resolver: netip.AddrPortFrom(addr, 53), Roots: roots, Patience: patience}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(prober.All(cmd.Context(), tries))
		},
	}
	cmd.Flags().StringVar(&resolver, "resolver", "168.63.129.16", "DNS server")
	cmd.Flags().StringVar(&file, "tries", "", "file with the tries (standard input)")
	cmd.Flags().DurationVar(&patience, "patience", 2*time.Second, "how long to wait for an answer")
	return cmd
}
