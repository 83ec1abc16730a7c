variable "name" {
  description = "Name of the network security group."
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
  description = "Subnet that is guarded."
  type        = string
}

variable "inbound" {
  description = "What may come in, in order."
  type = list(object({
    name     = string
    why      = optional(string)
    from     = optional(list(string), ["*"])
    to       = optional(string, "*")
    protocol = optional(string, "Tcp")
    ports    = optional(list(string), ["443"])
  }))
  default = []
}

variable "outbound" {
  description = "What may go out, in order."
  type = list(object({
    name     = string
    why      = optional(string)
    from     = optional(list(string), ["*"])
    to       = optional(string, "*")
    protocol = optional(string, "Tcp")
    ports    = optional(list(string), ["443"])
  }))
  default = []
}
