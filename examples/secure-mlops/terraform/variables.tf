variable "subscription_id" {
  description = "Subscription that holds the solution."
  type        = string
  default     = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.subscription_id)))
    error_message = "A GUID, such as 6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14."
  }
}

variable "tenant_id" {
  description = "Microsoft Entra tenant of the subscription."
  type        = string
  default     = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.tenant_id)))
    error_message = "A GUID, such as 6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14."
  }
}

variable "location" {
  description = "Azure region of everything."
  type        = string
  default     = "westeurope"
}

variable "prefix" {
  description = "Begins the names of the resources whose names are unique in all of Azure."
  type        = string
  default     = "mlops"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.prefix))
    error_message = "The prefix must have 2 to 10 lower-case letters and digits and begin with a letter."
  }
}

variable "aml_address_space" {
  description = "Address space of AML VNET, a /16."
  type        = string
  default     = "10.10.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.aml_address_space, 8, 3)) && endswith(var.aml_address_space, "/16")
    error_message = "An IPv4 prefix of 16 bits, such as 10.10.0.0/16."
  }
}

variable "bastion_address_space" {
  description = "Address space of BASTION VNET, a /16; it must not overlap AML VNET's."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.bastion_address_space, 8, 3)) && endswith(var.bastion_address_space, "/16")
    error_message = "An IPv4 prefix of 16 bits, such as 10.20.0.0/16."
  }
}

variable "egress" {
  description = "How traffic leaves the networks: nat, a NAT gateway for each, or firewall, one Azure Firewall for both."
  type        = string
  default     = "nat"

  validation {
    condition     = contains(["nat", "firewall"], var.egress)
    error_message = "The way out is nat or firewall."
  }
}

variable "vpn_gateway" {
  description = "Whether people come by VPN as well as by Bastion."
  type        = bool
  default     = false
}

variable "vpn_client_pool" {
  description = "Addresses that people who come by VPN are given; no network may have them."
  type        = string
  default     = "172.16.200.0/24"

  validation {
    condition     = can(cidrhost(var.vpn_client_pool, 0))
    error_message = "An IPv4 prefix, such as 172.16.200.0/24."
  }
}

variable "express_route_gateway" {
  description = "Whether the company's own networks come by ExpressRoute."
  type        = bool
  default     = false
}

variable "express_route_circuit_id" {
  description = "Circuit that the ExpressRoute gateway is connected to; null for none yet."
  type        = string
  default     = null
}

variable "customer_managed_key" {
  description = "What is encrypted with a key of the vault, and not with Microsoft's. Workspace and registry keep the answer for life. The registry is left out because it is refused by a closed vault when it is made: open the vault to it for that time."
  type = object({
    storage   = optional(bool, true)
    workspace = optional(bool, true)
    registry  = optional(bool, false)
  })
  default = {}
}

variable "monitor_internet_access" {
  description = "Whether telemetry may also be sent and read over the internet, beside the private link scope."
  type        = bool
  default     = true
}

variable "enforce_policies" {
  description = "Whether Azure Policy refuses what breaks the solution's rules; otherwise it only reports."
  type        = bool
  default     = true
}

variable "agent_count" {
  description = "Number of self-hosted Azure Pipelines agents that are virtual machines of their own."
  type        = number
  default     = 2

  validation {
    condition     = var.agent_count >= (var.agent_scale_set == null ? 1 : 0) && var.agent_count <= 10
    error_message = "Between 1 and 10 agents; 0 where there is a scale set of them."
  }
}

variable "agent_scale_set" {
  description = "A scale set of agents, beside the virtual machines or instead of them: how many instances it starts with. null for none."
  type = object({
    instances = optional(number, 2)
  })
  default = null
}

variable "agent_token" {
  description = "Personal access token with which the agents join their pool (scope: Agent Pools, read and manage)."
  type        = string
  sensitive   = true
}

variable "agent_pool" {
  description = "Agent pool that the agents join."
  type        = string
  default     = "mlops-agents"
}

variable "agent_package_url" {
  description = "Where the agents download the agent's package."
  type        = string
  default     = "https://download.agent.dev.azure.com/agent/cloister/agent-linux-x64.tar.gz"
}

variable "devops_url" {
  description = "Azure DevOps organisation of the pipelines."
  type        = string
  default     = "https://dev.azure.com/cloister"
}

variable "vm_size" {
  description = "Size of the jump host and of the agents."
  type        = string
  default     = "Standard_D2s_v5"
}

variable "training" {
  description = "Compute cluster that trains."
  type = object({
    vm_size   = optional(string, "Standard_DS3_v2")
    min_nodes = optional(number, 0)
    max_nodes = optional(number, 2)
  })
  default = {}
}

variable "compute_instances" {
  description = "Compute instances of data scientists, by name: size, and the object id and tenant of the person that one is made for."
  type = map(object({
    vm_size   = optional(string, "Standard_DS3_v2")
    object_id = optional(string)
    tenant_id = optional(string)
  }))
  default = { ci-notebooks = {} }
}

variable "aks" {
  description = "Whether a Kubernetes cluster serves models, too."
  type        = bool
  default     = true
}

variable "aks_tls_secret" {
  description = "Kubernetes secret, in the cluster's namespace azureml, with the certificate of the scoring address, and the name in the certificate."
  type = object({
    name  = string
    cname = string
  })
  default = { name = "azureml-tls", cname = "scoring.mlops.example" }
}

variable "admin_username" {
  description = "Login name on the virtual machines."
  type        = string
  default     = "azureuser"
}

variable "admin_ssh_public_key" {
  description = "Public key of whoever logs in through Bastion. The private half of the default was never kept, so that nobody can log in until you give your own."
  type        = string
  default     = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDuZLkwsSPWjD+IdBD+JZ5p4GaQytUXzUbSoyCqronALobUiDUGrBVVbDaRtvQIjMCAqtJL02lvR0fTogV8I9O+OYsbN0uvI21cFjf4jn/9uD+cyapAS3esd3yDZzgWrel5aWh0cT0IxkZ9dIsfvhCNZclUWgjHj5NNKmYs7eLDW8POVjCDJDzSTcWlSR1AZSG8t4Gjr8fRG4AI9NMuyEIQdnncKp2GIBneiq1NQgoSrahVpVnm3VY9/JWn/zK+aPNeq57dYp+J+f52rUPBVoJMoeBe5oMRItVOOiLOSmWz6w67EaPqVCOsssMzDS/49ZSDux+UC7AsBSNM+CWK1zKYnFw9j98iT3ohSCSkfPvxHzl1WVvlG54W6RQzzOscHlsOswlMEIgBHtdxFYxfg16UZKVZWk62o8eutHG+0VVTnQBG1XERCIx4ZHSffAG+oOzOus5rcl1kIPNf67n52FfCgB1rPPm85zP53caL8ci8x6iFxDi0SC39HTloNuCOads= nobody@example.com"
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = { solution = "secure-mlops" }
}
