package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
)

func newDownCommand() *cobra.Command {
	var p place
	var keep bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "End the cloud and leave nothing behind",
		Long: `End every machine, job and service of the cloud, take its networks out of the
kernel and delete its folder. A cloud whose processes were killed is cleaned up
likewise. The cache of base roots and packages stays.`,
		Example: `  sudo cloister down
  sudo cloister down --keep-data    # the next "up" goes on with the same data`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return err
			}
			if err := daemon.Down(cmd.Context(), p.name, p.dir(), keep); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the cloud %s is down\n", p.name)
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&keep, "keep-data", false, "keep the cloud's folder: documents, blobs, models, disks")
	return cmd
}
