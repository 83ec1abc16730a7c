package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/mission"
)

func newUpCommand() *cobra.Command {
	var p place
	var estate command.EstateFlags
	var documents storeFlags
	var noRun, empty bool
	o := mission.Options{}
	cmd := &cobra.Command{
		Use:   "up DIR",
		Short: "Run the estate in DIR on this machine, and its main job",
		Long: `Read the Terraform in DIR, prove what it lets pass, and run the same estate on this
machine: networks, private endpoints, DNS, storage, registry, vault, workspace,
agents. Then run the pipelines that DIR's cloister.hcl names, and verify with real
calls what the summary says. The cloud keeps running; "cloister down" ends it.

As root, machines have user ids of their own and limits of processor, memory and
processes. As an ordinary user, all runs in a user namespace of that user, where the
kernel lets it: the networks are the same, and "up" and "status" say what is not.

A second "up" changes only what changed. When it fails before the estate is up, it
takes down what it has started.

The status is 0 when all was done and holds, 1 when a requirement, a run or a claim
falls, and 2 when it could not be done.`,
		Example: `  sudo cloister up examples/secure-mlops
  cloister up --no-run --name lab .                # as an ordinary user
  sudo cloister up --empty . && eval "$(sudo cloister env)" && terraform apply`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.check(); err != nil {
				return err
			}
			var err error
			if o.Cache, err = cacheDir(); err != nil {
				return err
			}
			if o.Source, err = estate.Options(); err != nil {
				return err
			}
			if o.Store, err = documents.read(); err != nil {
				return err
			}
			o.Dir, o.Name, o.Data, o.Run, o.Empty, o.Out = args[0], p.name, p.dir(), !noRun, empty, cmd.OutOrStdout()
			err = mission.Up(cmd.Context(), o)
			if errors.Is(err, mission.ErrFallen) {
				return command.ExitStatus(command.ExitFinding)
			}
			return err
		},
	}
	p.flags(cmd)
	flags := cmd.Flags()
	estate.Declare(flags)
	documents.declare(flags)
	flags.StringVar(&o.Listen, "listen", "", "address of the control plane on this host (a free port of 127.0.0.1)")
	flags.BoolVar(&empty, "empty", false, "start the cloud and its DevOps organisation without the estate, for the real Terraform to apply")
	flags.BoolVar(&noRun, "no-run", false, "bring the estate up and run no pipeline")
	return cmd
}

func newVerifyCommand() *cobra.Command {
	var p place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check the claims of the summary again, each by doing it",
		Long: `Check what "up" says at its end, against the cloud as it runs now: the registered
model, a score from inside and what it should be, the same call from the internet,
every place by every service, and the proof. The status is 1 when a claim falls.`,
		Example: `  sudo cloister verify examples/secure-mlops`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := p.dial(); err != nil {
				return err
			}
			var claims []mission.Claim
			err := mission.Verify(cmd.Context(), args[0], p.dir(), func(c mission.Claim) { claims = append(claims, c) })
			if err != nil {
				return err
			}
			held := true
			if asJSON {
				for _, c := range claims {
					held = held && c.Holds
				}
				err = command.WriteJSON(cmd.OutOrStdout(), claims)
			} else {
				held = mission.WriteClaims(cmd.OutOrStdout(), claims)
			}
			if err == nil && !held {
				err = command.ExitStatus(command.ExitFinding)
			}
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
