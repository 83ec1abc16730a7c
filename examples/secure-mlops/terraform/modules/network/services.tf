# What of Azure's shared services each subnet needs, by service tag. The security
# groups let it out of the subnet; where a firewall stands behind them, it lets
# the same out of the network.

locals {
  entra     = { name = "allow-entra", why = "Tokens of managed identities.", to = "AzureActiveDirectory" }
  arm       = { name = "allow-arm", why = "Azure Resource Manager.", to = "AzureResourceManager" }
  monitor   = { name = "allow-monitor", why = "Azure Monitor, Application Insights.", to = "AzureMonitor" }
  frontdoor = { name = "allow-frontdoor", why = "Packages and image layers of Microsoft.", to = "AzureFrontDoor.FirstParty" }
  images    = { name = "allow-mcr", why = "Microsoft's base images.", to = "MicrosoftContainerRegistry" }

  # Storage is reached through its private endpoints: the tag Storage would let a
  # job write to anyone's account.
  services = {
    training = [
      local.entra,
      local.arm,
      { name = "allow-aml", why = "The service that runs the nodes.", to = "AzureMachineLearning" },
      { name = "allow-aml-udp", why = "The service that runs the nodes.", to = "AzureMachineLearning", protocol = "Udp", ports = ["5831"] },
      { name = "allow-batch", why = "Node management.", to = "BatchNodeManagement" },
      local.images,
      local.frontdoor,
      local.monitor,
    ]
    aks = [
      local.entra,
      local.arm,
      { name = "allow-aml", why = "The service that deploys into the cluster.", to = "AzureMachineLearning" },
      local.images,
      local.frontdoor,
      local.monitor,
    ]
    jump = [
      local.entra,
      local.arm,
    ]
    agents = [
      local.entra,
      local.arm,
      { name = "allow-devops", why = "Azure Pipelines: jobs, sources, logs.", to = "AzureDevOps" },
      local.frontdoor,
      local.monitor,
    ]
  }
}
