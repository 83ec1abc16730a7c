package command

import "github.com/spf13/cobra"

// NewRoot is the program with the commands that read and prove, and the topics of
// its help.
func NewRoot() *cobra.Command {
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
	root.AddCommand(newShowCommand(), newDiffCommand(), newCheckCommand(), newExplainCommand(), newGraphCommand())
	root.AddCommand(exitStatusTopic(), sourcesTopic(), requireTopic())
	return root
}

func exitStatusTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-status",
		Short: "What the exit statuses mean",
		Long: `Exit statuses:
  0  done, and nothing to object to
  1  done, and something does not hold: a requirement of check, something that diff says is opened, a way out with
     --exfil --fail-on-exfil, a cell of probe, a job or a run that failed;
     what show was given, which is not a configuration
  2  not done: bad input, something missing on this machine, or a failure; the error says what, where and what to do`,
	}
}

func sourcesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "sources",
		Short: "What an estate can be read from",
		Long: `An estate is read from any of these; which it is, is seen from the content:

  a directory of Terraform    evaluated here, with the modules beside it and those in
                              .terraform/modules; --var, --var-file, TF_VAR_ as Terraform takes them.
                              A folder "terraform" in it is taken where it has none itself
  a plan or a state as JSON   terraform show -json. --config DIR names the directory that it is of,
                              from which what it leaves unknown is evaluated (a plan holds no ids
                              of what is new and no local values), and which has the files and lines
  a state file                terraform.tfstate, version 4
  an ARM template             or a compiled Bicep file; --parameters, --resource-group,
                              --subscription, --location say how it is deployed
  an estate                   as "cloister show --json" wrote it
  -                           any of the files, from standard input

What a configuration only looks up (networks, subnets, zones, route tables that
others own) is given with --stub: documents as "az network vnet show" prints them,
a list of such, a state, an estate, or a directory of these. Without it they are
unknown, and a warning names them.`,
		Example: `  cloister show examples/secure-mlops
  terraform plan -out plan.out && terraform show -json plan.out | cloister check - --config .
  az bicep build -f main.bicep && cloister check main.json --parameters prod.parameters.json
  az network vnet show -g rg-hub -n vnet-hub > hub.json && cloister check . --stub hub.json`,
	}
}
