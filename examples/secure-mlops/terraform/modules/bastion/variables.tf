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


variable "name" {
  description = "Name of the Bastion."
  type        = string
}

variable "subnet_id" {
  description = "AzureBastionSubnet, with its security group."
  type        = string
}
