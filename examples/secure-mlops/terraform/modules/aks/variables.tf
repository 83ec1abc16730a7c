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


variable "suffix" {
  description = "Ends the names that are unique in all of Azure."
  type        = string
}

variable "tenant_id" {
  description = "Microsoft Entra tenant whose people may use the cluster."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the nodes."
  type        = string
}

variable "dns_zone_id" {
  description = "Private DNS zone of the API server's name, linked to the networks that must resolve it."
  type        = string
}

variable "outbound_type" {
  description = "How the nodes' traffic leaves: userAssignedNATGateway or userDefinedRouting. The subnet has it already."
  type        = string

  validation {
    condition     = contains(["userAssignedNATGateway", "userDefinedRouting"], var.outbound_type)
    error_message = "The outbound type must be userAssignedNATGateway or userDefinedRouting: a load balancer would give the nodes a public way out."
  }
}

variable "log_analytics_id" {
  description = "Log Analytics workspace of the cluster's logs."
  type        = string
}

variable "registry_id" {
  description = "Container registry that the nodes pull from."
  type        = string
}

variable "workspace_id" {
  description = "Workspace that the cluster is attached to."
  type        = string
}

variable "nodes" {
  description = "Size of the nodes, and between how many they are scaled."
  type = object({
    vm_size = optional(string, "Standard_D4s_v5")
    min     = optional(number, 2)
    max     = optional(number, 4)
  })
  default = {}

  validation {
    condition     = var.nodes.min >= 1 && var.nodes.min <= var.nodes.max
    error_message = "The nodes must have 1 <= min <= max."
  }
}

variable "pod_cidr" {
  description = "Addresses of pods, which the network does not see."
  type        = string
  default     = "192.168.0.0/16"
}

variable "service_cidr" {
  description = "Addresses of Kubernetes services, which the network does not see."
  type        = string
  default     = "172.20.0.0/16"
}

variable "tls_secret" {
  description = "Kubernetes secret, in the namespace azureml, with the certificate of the scoring address, and the name in it. Whoever holds the certificate puts it there."
  type        = object({ name = string, cname = string })
}
