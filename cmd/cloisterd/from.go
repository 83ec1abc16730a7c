package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/machine"
)

// fromMachine lets commands that talk to private services be given on the host of
// a running cloud: there they run once more in the network of a machine inside,
// with its identity. In a machine, with credentials of one's own, and where no
// cloud runs they run as they are.
func fromMachine(f *pflag.FlagSet) func(*cobra.Command, []string) error {
	var p place
	from := f.String("from", os.Getenv("CLOISTER_FROM"), "machine of the running cloud to call from (CLOISTER_FROM; the first)")
	f.StringVar(&p.name, "cloud", envOr("CLOISTER_NAME", "cloister"), "which running cloud (CLOISTER_NAME)")
	f.StringVar(&p.data, "data", os.Getenv("CLOISTER_DATA"), "folder that keeps the cloud (CLOISTER_DATA)")
	return func(cmd *cobra.Command, _ []string) error {
		_, inside := os.Stat(machine.Marker)
		if daemon.AdoptResolver() || inside == nil || os.Getenv("AZURE_CLIENT_SECRET") != "" {
			return nil
		}
		c, err := daemon.Dial(p.dir())
		if err != nil {
			if *from != "" {
				return err
			}
			return nil
		}
		status, err := daemon.RunFrom(cmd.Context(), c, *from, os.Args[1:], os.Stdin, cmd.OutOrStdout(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return command.ExitStatus(status) // the command has run: end with its status, 0 too
	}
}
