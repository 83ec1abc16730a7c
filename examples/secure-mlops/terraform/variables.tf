variable "subscription_id" {
  description = "Subscription that holds the solution."
  type        = string
  default     = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"
}

variable "tenant_id" {
  description = "Microsoft Entra tenant of the subscription."
  type        = string
  default     = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"
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
  description = "Address space of AML VNET."
  type        = string
  default     = "10.10.0.0/16"
}

variable "bastion_address_space" {
  description = "Address space of BASTION VNET; it must not overlap AML VNET's."
  type        = string
  default     = "10.20.0.0/16"
}

variable "agent_count" {
  description = "Number of self-hosted Azure Pipelines agents."
  type        = number
  default     = 2

  validation {
    condition     = var.agent_count >= 1 && var.agent_count <= 10
    error_message = "Between 1 and 10 agents."
  }
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
