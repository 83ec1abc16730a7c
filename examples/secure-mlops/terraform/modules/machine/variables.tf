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
  description = "Name of the virtual machine."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the machine's network interface."
  type        = string
}

variable "size" {
  description = "Size of the virtual machine."
  type        = string
}

variable "admin" {
  description = "Login name, and the public key of whoever logs in."
  type        = object({ username = string, ssh_public_key = string })
}

variable "image" {
  description = "Marketplace image of the machine."
  type        = object({ publisher = string, offer = string, sku = string, version = string })
}
