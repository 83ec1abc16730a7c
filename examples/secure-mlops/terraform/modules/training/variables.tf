variable "location" {
  description = "Azure region of the nodes: the workspace's."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "workspace_id" {
  description = "Workspace of the compute."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the nodes."
  type        = string
}

variable "clusters" {
  description = "Compute clusters, by name."
  type = map(object({
    vm_size     = string
    min_nodes   = optional(number, 0)
    max_nodes   = number
    description = optional(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.clusters) : can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,30}[a-zA-Z0-9]$", name))])
    error_message = "A cluster's name must have 2 to 32 letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }

  validation {
    condition     = alltrue([for cluster in values(var.clusters) : cluster.min_nodes >= 0 && cluster.min_nodes <= cluster.max_nodes])
    error_message = "A cluster must have 0 <= min_nodes <= max_nodes."
  }
}

variable "instances" {
  description = "Compute instances of data scientists, by name: size and, where it is made for somebody, the object id of the person."
  type = map(object({
    vm_size   = string
    object_id = optional(string)
    tenant_id = optional(string)
  }))
  default = {}
}
