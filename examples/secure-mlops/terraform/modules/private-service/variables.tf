variable "name" {
  description = "What the service is called in the endpoint's name."
  type        = string
}

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
  description = "Subnet in which the endpoint gets its addresses."
  type        = string
}

variable "target_id" {
  description = "The service."
  type        = string
}

variable "subresource" {
  description = "Which of the service's sub-resources."
  type        = string

  validation {
    condition     = contains(["amlworkspace", "azuremonitor", "blob", "file", "queue", "registry", "table", "vault"], var.subresource)
    error_message = "The sub-resource must be one of amlworkspace, azuremonitor, blob, file, queue, registry, table and vault."
  }
}

variable "zone_ids" {
  description = "Ids of the private DNS zones of the service's host names."
  type        = list(string)
}
