package command

// CloudCommand is a command about a running cloud: cloisterd has it, and cloister
// knows what is said here.
type CloudCommand struct {
	Name, Short string
	Hidden      bool // not for people
}

// OfCloud are all commands about a running cloud.
func OfCloud() []CloudCommand {
	return []CloudCommand{
		{Name: "agent", Short: "Run jobs of Azure Pipelines on this machine"},
		{Name: "backup", Short: "Write the whole cloud into one archive, while it runs"},
		{Name: "bastion", Short: "Come in by Azure Bastion, as people do"},
		{Name: "down", Short: "End the cloud and leave nothing behind"},
		{Name: "env", Short: "What a shell needs so that Terraform, az and the SDKs speak to this cloud"},
		{Name: "exec", Short: "Run a command in a machine of the cloud"},
		{Name: "firewall", Short: "Azure Firewalls of the running cloud"},
		{Name: "logs", Short: "What a machine says, or telemetry that Application Insights has kept"},
		{Name: "machine", Short: "Be part of a virtual machine", Hidden: true},
		{Name: "ml", Short: "Work with an Azure Machine Learning workspace: jobs, models, endpoints"},
		{Name: "node", Short: "Run a compute node", Hidden: true},
		{Name: "nsg", Short: "Network security groups of the running cloud"},
		{Name: "pipelines", Short: "List and run the Azure Pipelines of the cloud"},
		{Name: "principal", Short: "Make, list and delete the cloud's service principals and users"},
		{Name: "probe", Short: "Try every place by every service with real packets, and hold it against the proof"},
		{Name: "restore", Short: "Make a cloud again from an archive of backup"},
		{Name: "route", Short: "Routes of the running cloud"},
		{Name: "serve", Short: "Run a cloud in the foreground, without an estate of its own"},
		{Name: "speaker", Short: "Speak BGP as the standard input says, and write what is learned", Hidden: true},
		{Name: "status", Short: "What runs, and how far each document is real"},
		{Name: "up", Short: "Run the estate in DIR on this machine, and its main job"},
		{Name: "verify", Short: "Check the claims of the summary again, each by doing it"},
		{Name: "vpn", Short: "Come in by a VPN gateway"},
	}
}
