package check

import "slices"

// Rule is a family of requirements of one kind.
type Rule struct {
	ID       string
	Title    string
	Severity Severity // of a requirement that does not hold, where it does not say itself
	Help     string   // what it checks and why it matters
	Source   string   // titles of the documents that say so
	derive   func(*world) []Requirement
	// cause: what falls by the rule is the cause of what falls elsewhere for the
	// same fault.
	cause bool
}

// Rules are the rules of the secured machine learning profile, in the order of a
// report: causes first, then the flows that hang on them.
func Rules() []Rule { return slices.Clone(rules) }

// RuleByID finds a rule.
func RuleByID(id string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

var rules = slices.Concat(networkRules, nameRules, serviceRules, flowRules, closedRules, ownRules)

// networkRules are about networks, their security groups and routes.
var networkRules = []Rule{
	{
		ID: "spaces-apart", Title: "Peered networks have no address in common", Severity: Critical, derive: spacesApart, cause: true,
		Help:   "Azure peers no two networks whose address spaces overlap: a packet would not know which of them it is for. The peering fails at deployment, and everything that needs it with it.",
		Source: "Virtual network peering",
	},
	{
		ID: "deployable", Title: "The estate can be deployed", Severity: Critical, derive: deployable, cause: true,
		Help:   "Azure would refuse these documents, so nothing that is said of them can come true.",
		Source: "Azure Virtual Network FAQ; Azure Resource Manager REST API",
	},
	{
		ID: "peering-connected", Title: "Peerings exist in both directions and let traffic through", Severity: High, derive: peeringsConnected, cause: true,
		Help:   "A peering is two links. With one of them missing the other stays in the state Initiated and nothing passes.",
		Source: "Create, change, or delete a virtual network peering",
	},
	{
		ID: "compute-in-network", Title: "Compute is in a network where its services are closed", Severity: High, derive: computesInside, cause: true,
		Help:   "Nodes without a subnet run in a network of Microsoft's with public addresses. Storage, registry, vault and workspace that are closed to the internet are closed to them too.",
		Source: "Secure an Azure Machine Learning training environment with virtual networks",
	},
	{
		ID: "compute-without-public-address", Title: "Compute nodes have no public address", Severity: High, derive: computeWithoutPublicAddress, cause: true,
		Help:   "Nodes with public addresses need inbound rules for the service; nodes without need none.",
		Source: "Secure an Azure Machine Learning training environment with virtual networks, no public IP",
	},
	{
		ID: "replies-return", Title: "Replies come back by the way that the connection took", Severity: High, derive: repliesReturn, cause: true,
		Help:   "A firewall drops the packets of a connection whose beginning it has not seen. A route of one subnet that leads through it needs its counterpart in the other; and nodes with public addresses must answer the service by the internet, not by the firewall of a default route.",
		Source: "Virtual network traffic routing; Configure inbound and outbound network traffic (Azure Machine Learning)",
	},
	{
		ID: "nsg-rule-reached", Title: "No security rule is shadowed", Severity: Medium, derive: rulesReached, cause: true,
		Help:   "Rules are tried by priority and the first that matches decides. A rule all of whose traffic earlier ones decide, one or several together, does nothing, whatever it says.",
		Source: "Network security groups",
	},
	{
		ID: "compute-service-tags", Title: "Security groups let compute reach the service tags it needs", Severity: High, derive: computeServiceTags, cause: true,
		Help:   "A node reports to the service, takes its orders and fetches base images at public addresses that service tags stand for. A group that denies one of them leaves nodes that never become ready, or jobs that never start. Nodes with public addresses are also called by the service.",
		Source: "Configure inbound and outbound network traffic (Azure Machine Learning); Secure an Azure Machine Learning training environment with virtual networks",
	},
	{
		ID: "nsg-rule-has-effect", Title: "Security rules change what Azure would do anyway", Severity: Low, derive: rulesHaveEffect,
		Help:   "Azure's own last rules let networks and their peers talk among themselves, and everybody call out. A list of what is allowed restricts nothing while no rule denies the rest: the group looks like a guard and is none.",
		Source: "Network security groups, default security rules",
	},
	{
		ID: "bastion-subnet", Title: "AzureBastionSubnet is large enough and has no routes of its own", Severity: High, derive: bastionSubnets, cause: true,
		Help:   "Azure Bastion is deployed only into a subnet of that name with a /26 or larger, and does not work with a route table on it.",
		Source: "About Azure Bastion configuration settings",
	},
	{
		ID: "bastion-rules", Title: "The security group on AzureBastionSubnet lets Bastion work", Severity: High, derive: bastionRules, cause: true,
		Help:   "A group there must let in people, Bastion's control plane and the probes of its load balancer, and let out the way to the machines, to Azure and to the internet. Azure refuses a group that lacks one of these.",
		Source: "Working with NSG access and Azure Bastion",
	},
	{
		ID: "ssh-closed", Title: "SSH and Remote Desktop are closed to the internet", Severity: High, derive: shellsClosed, cause: true,
		Help:   "A port for shells that everybody can knock at is found within minutes. Bastion needs none of it, and a machine without a public address today gets one tomorrow.",
		Source: "Azure security baseline for Virtual Network, NS-1; What is Azure Bastion?",
	},
	{
		ID: "compute-region", Title: "Compute is in the region of its network, and instances in that of their workspace", Severity: High, derive: computeRegions, cause: true,
		Help:   "Nodes can join only a network of their own region. A compute cluster may be in another region than its workspace, a compute instance may not.",
		Source: "Secure an Azure Machine Learning training environment with virtual networks, limitations",
	},
	{
		ID: "aks-ranges-apart", Title: "The ranges inside Kubernetes clusters are apart from the networks", Severity: High, derive: aksRangesApart,
		Help:   "Addresses of the service range mean services of the cluster to everything in it. A subnet with the same addresses cannot be reached from there; Azure refuses the cluster where it is its own network's.",
		Source: "Configure Azure CNI networking in Azure Kubernetes Service; Plan IP addressing for your cluster",
	},
	{
		ID: "peering-opens-no-more", Title: "Peerings open no more than is needed", Severity: Low, derive: peeringsOpenNoMore,
		Help:   "Forwarded traffic and gateway transit are for networks with an appliance or a gateway.",
		Source: "Create, change, or delete a virtual network peering",
	},
}

// nameRules are about private endpoints and the names that lead to them.
var nameRules = []Rule{
	{
		ID: "endpoint-sub-resource", Title: "Private endpoints are for the sub-resource that they are meant for", Severity: High, derive: endpointGroups, cause: true,
		Help:   "An endpoint covers one sub-resource. One for file that writes into the zone of blob covers no blob name, and the zone stays empty: where it is linked the name does not resolve any more.",
		Source: "What is a private endpoint?, private-link resource; Azure Private Endpoint private DNS zone values",
	},
	{
		ID: "registry-premium", Title: "Registries with private endpoints are Premium", Severity: High, derive: premiumRegistries, cause: true,
		Help:   "Private endpoints, network rules and switching public access off are features of the SKU Premium; Azure refuses them on others.",
		Source: "Connect privately to an Azure container registry using Azure Private Link",
	},
	{
		ID: "endpoint-exists", Title: "Closed services of a workspace have private endpoints", Severity: High, derive: endpointsExist, cause: true,
		Help:   "A workspace uses its storage at blob and file, its registry and its vault. Each that is closed to the internet needs a private endpoint of its own, or nobody in the network reaches it.",
		Source: "Secure an Azure Machine Learning workspace with virtual networks",
	},
	{
		ID: "batch-storage-endpoints", Title: "Batch endpoints have private endpoints for queues and tables", Severity: High, derive: batchStorageEndpoints, cause: true,
		Help:   "A batch deployment keeps the state of a job in queues and tables of the workspace's storage account. With endpoints for blob and file alone the job is created and never goes on.",
		Source: "Network isolation in batch endpoints; Secure an Azure Machine Learning workspace with virtual networks",
	},
	{
		ID: "zone-has-use", Title: "Public names lead into the zones for private endpoints", Severity: Medium, derive: zonesNamed, cause: true,
		Help:   "The public name of a service becomes an alias for a name in one zone, which Azure's table gives. Records in a zone of another name are never asked for: privatelink.vault.azure.net is such a one, and so is the public suffix itself, which also hides every other name below it.",
		Source: "Azure Private Endpoint private DNS zone values",
	},
	{
		ID: "zone-exists", Title: "The zones of private endpoints exist", Severity: High, derive: zonesExist, cause: true,
		Help:   "A private endpoint changes nothing for a client until its name resolves to the endpoint's address. A workspace needs two zones: without that for notebooks the studio shows no notebook and no file.",
		Source: "Azure Private Endpoint private DNS zone values; How to use your workspace with a custom DNS server",
	},
	{
		ID: "zone-linked", Title: "Zones are linked to the networks that ask", Severity: High, derive: zonesLinked, cause: true,
		Help:   "Azure DNS answers from a private zone only in networks that are linked to it. Peering does not share links: the network of the agents needs its own, or the name leads to the public address that the service refuses.",
		Source: "What is a virtual network link?",
	},
	{
		ID: "record-exists", Title: "Zones hold the records of private endpoints", Severity: High, derive: recordsExist, cause: true,
		Help:   "A linked zone without the record is worse than none: the name is answered with NXDOMAIN and not asked again in public. A private_dns_zone_group writes the records, and takes them away with the endpoint.",
		Source: "Azure Private Endpoint DNS integration; Fallback to internet for Azure Private DNS zones",
	},
	{
		ID: "record-one-environment", Title: "A record leads to one environment", Severity: High, derive: recordsUnmixed, cause: true,
		Help:   "Two endpoints behind one record, as of test and production in a shared zone, are given out in turn: half of the calls reach the other environment, or an address that leads nowhere.",
		Source: "Azure Private Endpoint DNS integration, private DNS zone group",
	},
	{
		ID: "private-names-stay-inside", Title: "Networks that cannot reach a private endpoint do not resolve to it", Severity: Medium, derive: privateNamesStayInside,
		Help:   "A linked network that is not connected is given an address that leads nowhere, or to another machine of its own.",
		Source: "What is a virtual network link?",
	},
}

// serviceRules are about what single services say of themselves.
var serviceRules = []Rule{
	{
		ID: "image-build-compute", Title: "Workspaces with a closed registry name a compute that builds images", Severity: High, derive: imagesAreBuilt,
		Help:   "ACR Tasks run outside every network of yours and cannot push to a closed registry. The workspace then builds images on a compute cluster, if it is told which, and the cluster must be in the network.",
		Source: "Secure an Azure Machine Learning workspace with virtual networks, Azure Container Registry",
	},
	{
		ID: "trusted-services-bypass", Title: "Trusted services pass the firewalls of a workspace's services", Severity: High, derive: trustedServices,
		Help:   "The workspace reads and writes its storage, vault and registry from outside of your network, as a trusted service or as a resource that is named. A firewall without the exception shuts it out.",
		Source: "Secure an Azure Machine Learning workspace with virtual networks; Configure Azure Storage firewalls and virtual networks",
	},
	{
		ID: "workspace-rights", Title: "The workspace's identity has its rights on its services", Severity: High, derive: workspaceRights, cause: true,
		Help:   "The workspace acts on its associated services as its own managed identity.",
		Source: "Set up authentication between Azure Machine Learning and other services",
	},
	{
		ID: "endpoint-rights", Title: "The identities of online endpoints have their rights on the workspace's services", Severity: High, derive: endpointRights, cause: true,
		Help:   "A deployment gets its image from the registry and its model from the storage account as the identity of its endpoint. Azure gives a system-assigned identity both roles when the endpoint is made; a user-assigned one must have them before.",
		Source: "Access Azure resources from an online endpoint with a managed identity",
	},
	{
		ID: "deployment-egress", Title: "Deployments reach closed services without the internet", Severity: High, derive: deploymentsReachServices,
		Help:   "A managed online deployment runs in a network of Microsoft's. Where the workspace has no managed network and the deployment leaves by the internet, closed storage and registry refuse it, and whatever it is sent can go anywhere.",
		Source: "Network isolation with managed online endpoints",
	},
	{
		ID: "aks-pulls-images", Title: "Attached Kubernetes clusters may pull from the workspace's registry", Severity: High, derive: clustersPull, cause: true,
		Help:   "Nodes pull the images of models as the identity of the cluster's kubelets, which is another than the cluster's own, and Azure gives it no role on any registry. The identity of the compute does as well, and so does the registry's admin account.",
		Source: "Authenticate with Azure Container Registry from Azure Kubernetes Service; Set up authentication between Azure Machine Learning and other services",
	},
	{
		ID: "key-usable", Title: "What is encrypted with a vault's key may use the key", Severity: High, derive: keysUsable,
		Help:   "A service reads a customer-managed key as the identity that its document names. Without the rights to get, wrap and unwrap it everything in the service becomes unreadable.",
		Source: "Customer-managed keys for Azure Storage encryption; Use customer-managed keys with Azure Machine Learning",
	},
	{
		ID: "secrets-protected", Title: "Extensions keep secrets in their protected settings", Severity: High, derive: secretsProtected,
		Help:   "Public settings of an extension are part of the machine's document: a reader of the resource group sees the agent's personal access token. Protected settings are encrypted and shown to nobody.",
		Source: "Use the Azure Custom Script Extension Version 2 with Linux virtual machines, property: protectedSettings",
	},
	{
		ID: "public-access-off", Title: "Public network access is switched off", Severity: Medium, derive: publicAccessOff, cause: true,
		Help:   "A private endpoint does not close the public one: public network access is a setting of its own, and on unless it is switched off.",
		Source: "Azure security baseline for Machine Learning, NS-2; Configure Azure Storage firewalls and virtual networks",
	},
}

// flowRules are about what must flow.
var flowRules = []Rule{
	{
		ID: "reaches-platform", Title: "Agents and compute reach the platform's shared services", Severity: High, derive: reachPlatform, cause: true,
		Help:   "Tokens come from login.microsoftonline.com and orders go to management.azure.com; agents poll Azure DevOps and download their software.",
		Source: "Allowed IP addresses and domain URLs (Azure DevOps); Configure inbound and outbound network traffic (Azure Machine Learning)",
	},
	{
		ID: "agent-reaches-service", Title: "Agents reach the workspace and its services privately", Severity: High, derive: agentsReachServices,
		Help:   "A self-hosted agent trains and deploys by calling the workspace, registry, storage and vault. Each name must lead to a private endpoint, packets must arrive, the service must let them in, and the agent's identity needs the role.",
		Source: "Azure network security for MLOps (Azure Architecture Center)",
	},
	{
		ID: "jump-host-reaches-service", Title: "Jump hosts reach the workspace and its services privately", Severity: High, derive: jumpHostsReachServices,
		Help:   "People work through the jump host: what the agents reach they must reach too, and the studio's notebooks.",
		Source: "Azure network security for MLOps (Azure Architecture Center)",
	},
	{
		ID: "compute-reaches-service", Title: "Compute reaches the workspace and its services privately", Severity: High, derive: computeReachesServices,
		Help:   "A node pulls images, reads data, writes results and reports to the workspace while all of these are closed to the public.",
		Source: "Secure an Azure Machine Learning training environment with virtual networks",
	},
	{
		ID: "aks-reaches-service", Title: "Attached Kubernetes clusters reach the workspace and its services privately", Severity: High, derive: servingReachesServices,
		Help:   "Nodes of a cluster that serves models pull their images from the registry, read them from storage and report to the workspace.",
		Source: "Configure a secure online endpoint on Azure Kubernetes Service; Network isolation for Kubernetes compute targets",
	},
	{
		ID: "aks-api-server-reached", Title: "Agents and jump hosts reach the API servers of private clusters", Severity: Medium, derive: apiServersReached,
		Help:   "A private cluster is commanded at a private address in the network of its nodes. AKS links the zone of its name to that network alone: who works from another, as the agents and jump hosts of a hub do, knows the name only from a zone of yours that is linked there too, and needs a way to the address.",
		Source: "Create a private Azure Kubernetes Service (AKS) cluster",
	},
	{
		ID: "bastion-reaches-jump-host", Title: "Bastion reaches the jump hosts", Severity: High, derive: bastionReachesJumpHosts,
		Help:   "Azure Bastion opens SSH from its own subnet; there is no other way in.",
		Source: "Working with NSG access and Azure Bastion",
	},
}

// closedRules are about what must not flow.
var closedRules = []Rule{
	{
		ID: "service-closed-to-internet", Title: "No service lets the internet in", Severity: Critical, derive: servicesClosed,
		Help:   "Whoever holds a leaked key or token must still come from inside.",
		Source: "Azure security baseline for Machine Learning, NS-2",
	},
	{
		ID: "network-closed-to-internet", Title: "No machine can be reached from the internet", Severity: Critical, derive: machinesClosed,
		Help:   "A public address with an open port is a way around Bastion.",
		Source: "What is Azure Bastion?; Network security groups",
	},
	{
		ID: "aks-api-server-closed", Title: "The API servers of attached clusters refuse the internet", Severity: High, derive: apiServersClosed,
		Help:   "Whoever commands the cluster that serves models has the models, and what they are asked. Its API server is public unless the cluster is private or names the addresses that may call.",
		Source: "Create a private Azure Kubernetes Service (AKS) cluster; Secure access to the API server using authorized IP address ranges",
	},
	{
		ID: "training-opens-no-shell", Title: "Training code opens no SSH to other machines", Severity: High, derive: trainingOpensNoShell,
		Help:   "Jobs run code that others wrote. From their subnet no machine's SSH may be open.",
		Source: "Network security groups",
	},
	{
		ID: "training-data-stays", Title: "Training data cannot be sent outside", Severity: High, derive: trainingDataStays,
		Help:   "From the training subnet only the service tags that it needs may be open, not the internet.",
		Source: "Azure Machine Learning data exfiltration prevention",
	},
}

// OwnRule is the rule of the requirements that users write themselves.
const OwnRule = "require"

var ownRules = []Rule{{
	ID: OwnRule, Title: "Your own requirements", Severity: High, derive: asked,
	Help:   "What a file *.require.hcl beside the Terraform asks for: who must reach, or must not reach, what, and what an identity may do.",
	Source: "cloister help require",
}}
