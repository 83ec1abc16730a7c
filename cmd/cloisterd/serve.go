package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/rootless"
)

func newServeCommand() *cobra.Command {
	var p place
	var documents storeFlags
	o := daemon.Options{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a cloud in the foreground, without an estate of its own",
		Long: `Run the control plane, the networks and the services of one cloud in the
foreground, until it is interrupted. What it has accepted is in --data, and is made
real again at the next start. "cloister up" starts this in the background.`,
		Example: `  sudo cloister serve
  sudo cloister serve --name lab --listen 127.0.0.1:8443`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return err
			}
			if rootless.Needed() {
				status, err := daemon.ServeInNamespaces(cmd.Context(), o.Listen, os.Args[1:]...)
				if err == nil && status != 0 {
					err = command.ExitStatus(status)
				}
				return err
			}
			cache, err := cacheDir()
			if err != nil {
				return err
			}
			if o.Store, err = documents.read(); err != nil {
				return err
			}
			o.Name, o.Dir, o.Cache = p.name, p.dir(), cache
			o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
			return daemon.Run(cmd.Context(), o, daemon.SignalReady)
		},
	}
	p.flags(cmd)
	documents.declare(cmd.Flags())
	cmd.Flags().StringVar(&o.Listen, "listen", "", "address of the control plane on this host (a free port of 127.0.0.1)")
	cmd.Flags().StringVar(&o.Subscription, "subscription", "", "subscription id of a new cloud (made up)")
	cmd.Flags().StringVar(&o.Tenant, "tenant", "", "tenant id of a new cloud (made up)")
	return cmd
}
