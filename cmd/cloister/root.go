package main

import "github.com/spf13/cobra"

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "cloister",
		Short: "Run machine learning operations behind private networks, and prove that they are private",
		Long: `Cloister reads the Terraform of an Azure Machine Learning solution and does three
things with it: check proves which flows exist and which do not, up runs the same
estate on this machine with real packets and real clients, and probe holds the
packets against the proof.`,
		Example: `  cloister show examples/secure-mlops
  cloister check examples/secure-mlops
  sudo cloister up examples/secure-mlops
  sudo cloister probe
  sudo cloister down`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newShowCommand())
	root.AddCommand(newCheckCommand(), newGraphCommand())
	root.AddCommand(newUpCommand(), newServeCommand(), newDownCommand(), newStatusCommand(), newEnvCommand(), newExecCommand(), newProbeCommand(), newVerifyCommand(), newLogsCommand(), newNodeCommand(), newMLCommand(), newAgentCommand(), newPipelinesCommand(), newMachineCommand(), exitStatusTopic())
	return root
}

func exitStatusTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-status",
		Short: "What the exit statuses mean",
		Long: `Exit statuses:
  0  done, and nothing to object to
  1  done, and something does not hold: a requirement of check, a cell of probe, a job or a run that failed;
     what show was given, which is not a configuration
  2  not done: bad input, something missing on this machine, or a failure; the error says what, where and what to do`,
	}
}
