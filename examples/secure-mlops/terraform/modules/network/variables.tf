variable "resource_group_name" {
  description = "Resource group of the networks."
  type        = string
}

variable "location" {
  description = "Azure region of the networks."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "address_spaces" {
  description = "Address space of each virtual network."
  type = object({
    aml     = string
    bastion = string
  })
}

variable "subnets" {
  description = "Address prefix of each subnet."
  type = object({
    endpoints = string
    training  = string
    aks       = string
    bastion   = string
    jump      = string
    agents    = string
  })

  validation {
    condition     = alltrue([for prefix in values(var.subnets) : can(cidrhost(prefix, 0))])
    error_message = "Each subnet must be an address prefix, such as 10.10.1.0/24."
  }
}

variable "vpn_clients" {
  description = "Address pool of people who come by VPN and may use the private endpoints; null for nobody."
  type        = string
  default     = null
}
