variable "resource_group_name" {
  description = "Resource group of both networks."
  type        = string
}

variable "hub" {
  description = "The network with the ways in and out, and its short name."
  type        = object({ short = string, id = string, name = string })
}

variable "spoke" {
  description = "The network behind it, and its short name."
  type        = object({ short = string, id = string, name = string })
}

variable "forwarded_traffic" {
  description = "Whether the hub's firewall forwards traffic of others to the spoke."
  type        = bool
  default     = false
}

variable "gateway_transit" {
  description = "Whether the spoke is reached through the hub's gateways, which must exist then."
  type        = bool
  default     = false
}
