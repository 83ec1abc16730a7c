variable "resource_group_name" {
  description = "Resource group of everything that the module makes."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "zones" {
  description = "Names of the private DNS zones."
  type        = set(string)
}

variable "networks" {
  description = "Ids of the virtual networks that must resolve the zones, by a short name."
  type        = map(string)
}
