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

variable "mode" {
  description = "Way out of the networks: nat or firewall."
  type        = string

  validation {
    condition     = contains(["nat", "firewall"], var.mode)
    error_message = "The way out must be nat or firewall."
  }
}

variable "subnets" {
  description = "The subnets that need a way out, with the short name of their network and the service tags that they call."
  type = map(object({
    id      = string
    prefix  = string
    network = string
    services = list(object({
      tag      = string
      protocol = string
      ports    = list(string)
    }))
  }))
}

variable "firewall_network_name" {
  description = "Virtual network that holds the firewall."
  type        = string
}

variable "firewall_prefix" {
  description = "Address prefix of the firewall's subnet, a /26 or larger."
  type        = string
}

variable "firewall_sku" {
  description = "SKU of the firewall: Standard or Premium."
  type        = string
  default     = "Standard"

  validation {
    condition     = contains(["Standard", "Premium"], var.firewall_sku)
    error_message = "The firewall's SKU must be Standard or Premium."
  }
}
