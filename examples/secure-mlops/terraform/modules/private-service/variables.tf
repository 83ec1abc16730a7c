variable "name" {
  description = "What the service is called in the endpoint's name."
  type        = string
}

variable "resource_group_name" {
  type = string
}

variable "location" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
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
  description = "Which of the service's sub-resources: blob, registry, vault, amlworkspace."
  type        = string
}

variable "zones" {
  description = "Names of the private DNS zones of the service's host names."
  type        = list(string)
}

variable "networks" {
  description = "Ids of the virtual networks that must resolve the zones, by a short name."
  type        = map(string)
}
