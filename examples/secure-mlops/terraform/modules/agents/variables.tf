variable "resource_group_name" {
  description = "Resource group of everything that the module makes."
  type        = string
}

variable "location" {
  description = "Azure region of everything that the module makes."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}


variable "subnet_id" {
  description = "Subnet of the agents."
  type        = string
}

variable "virtual_machines" {
  description = "Number of agents that are virtual machines of their own."
  type        = number

  validation {
    condition     = var.virtual_machines >= 0 && var.virtual_machines <= 10
    error_message = "Between 0 and 10 virtual machines."
  }
}

variable "scale_set" {
  description = "Number of agents that are instances of a scale set, or null for no scale set."
  type        = object({ instances = number })
  default     = null

  validation {
    condition     = try(var.scale_set.instances >= 0 && var.scale_set.instances <= 100, var.scale_set == null)
    error_message = "Between 0 and 100 instances."
  }
}

variable "size" {
  description = "Size of the machines."
  type        = string
}

variable "admin" {
  description = "Login name, and the public key of whoever logs in."
  type        = object({ username = string, ssh_public_key = string })
}

variable "image" {
  description = "Marketplace image of the machines."
  type        = object({ publisher = string, offer = string, sku = string, version = string })
}

variable "package_url" {
  description = "Where the agents download the agent's package."
  type        = string
}

variable "devops_url" {
  description = "Azure DevOps organisation of the pipelines."
  type        = string
}

variable "pool" {
  description = "Agent pool that the agents join."
  type        = string
}

variable "token" {
  description = "Personal access token with which the agents join their pool (scope: Agent Pools, read and manage)."
  type        = string
  sensitive   = true
}
