package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
)

func main() { os.Exit(run()) }

// run is main without os.Exit, so that testscript can call it.
func run() int { return command.Run(newRootCommand()) }

func newRootCommand() *cobra.Command {
	root := command.NewRoot()
	root.AddCommand(newUpCommand(), newServeCommand(), newDownCommand(), newStatusCommand(), newEnvCommand(), newExecCommand(), newProbeCommand(), newVerifyCommand(), newLogsCommand())
	root.AddCommand(newNodeCommand(), newMLCommand(), newAgentCommand(), newPipelinesCommand(), newMachineCommand(), newBastionCommand(), newNSGCommand(), newFirewallCommand())
	root.AddCommand(newBackupCommand(), newRestoreCommand(), newPrincipalCommand(), newVPNCommand(), newRouteCommand(), newSpeakerCommand())
	return root
}
