package check

import "slices"

// Rule is a family of requirements of one kind.
type Rule struct {
	ID       string
	Title    string
	Severity Severity // of a requirement that does not hold, where it does not say itself
	Help     string   // why it matters
	derive   func(*world) []Requirement
}

// Rules are the rules of the secured machine learning profile, in the order of a report.
func Rules() []Rule { return slices.Clone(rules) }

var rules = []Rule{
	{
		ID: "deployable", Title: "The estate can be deployed", Severity: Critical, derive: deployable,
		Help: "Azure would refuse these documents, so nothing that is said of them can come true.",
	},
	{
		ID: "peering-connected", Title: "Peerings exist in both directions and let traffic through", Severity: High, derive: peeringsConnected,
		Help: "A peering is two links. With one of them missing the other stays in the state Initiated and nothing passes.",
	},
	{
		ID: "agent-reaches-service", Title: "Agents reach the workspace and its services privately", Severity: High, derive: agentsReachServices,
		Help: "A self-hosted agent trains and deploys by calling the workspace, registry, storage and vault. Each name must lead to a private endpoint, packets must arrive, the service must let them in, and the agent's identity needs the role.",
	},
	{
		ID: "jump-host-reaches-service", Title: "Jump hosts reach the workspace and its services privately", Severity: High, derive: jumpHostsReachServices,
		Help: "People work through the jump host: what the agents reach they must reach too, and the studio's notebooks.",
	},
	{
		ID: "compute-reaches-service", Title: "Compute reaches the workspace and its services privately", Severity: High, derive: computeReachesServices,
		Help: "A node pulls images, reads data, writes results and reports to the workspace while all of these are closed to the public.",
	},
	{
		ID: "reaches-platform", Title: "Agents and compute reach the platform's shared services", Severity: High, derive: reachPlatform,
		Help: "Tokens come from login.microsoftonline.com and orders go to management.azure.com; agents poll Azure DevOps and download their software.",
	},
	{
		ID: "workspace-rights", Title: "The workspace's identity has its rights on its services", Severity: High, derive: workspaceRights,
		Help: "The workspace acts on its associated services as its own managed identity.",
	},
	{
		ID: "bastion-reaches-jump-host", Title: "Bastion reaches the jump hosts", Severity: High, derive: bastionReachesJumpHosts,
		Help: "Azure Bastion opens SSH from its own subnet; there is no other way in.",
	},
	{
		ID: "service-closed-to-internet", Title: "No service lets the internet in", Severity: Critical, derive: servicesClosed,
		Help: "Whoever holds a leaked key or token must still come from inside.",
	},
	{
		ID: "public-access-off", Title: "Public network access is switched off", Severity: Medium, derive: publicAccessOff,
		Help: "A private endpoint does not close the public one: public network access is a setting of its own, and on unless it is switched off.",
	},
	{
		ID: "network-closed-to-internet", Title: "No machine can be reached from the internet", Severity: Critical, derive: machinesClosed,
		Help: "A public address with an open port is a way around Bastion.",
	},
	{
		ID: "training-opens-no-shell", Title: "Training code opens no SSH to other machines", Severity: High, derive: trainingOpensNoShell,
		Help: "Jobs run code that others wrote. From their subnet no machine's SSH may be open.",
	},
	{
		ID: "training-data-stays", Title: "Training data cannot be sent outside", Severity: High, derive: trainingDataStays,
		Help: "From the training subnet only the service tags that it needs may be open, not the internet.",
	},
	{
		ID: "compute-without-public-address", Title: "Compute nodes have no public address", Severity: High, derive: computeWithoutPublicAddress,
		Help: "Nodes with public addresses need inbound rules for the service; nodes without need none.",
	},
	{
		ID: "private-names-stay-inside", Title: "Networks that cannot reach a private endpoint do not resolve to it", Severity: Medium, derive: privateNamesStayInside,
		Help: "A linked network that is not connected is given an address that leads nowhere, or to another machine of its own.",
	},
	{
		ID: "peering-opens-no-more", Title: "Peerings open no more than is needed", Severity: Low, derive: peeringsOpenNoMore,
		Help: "Forwarded traffic and gateway transit are for networks with an appliance or a gateway.",
	},
}
