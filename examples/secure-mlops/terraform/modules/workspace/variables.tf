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
  description = "Ends the names that are unique in all of Azure: letters and digits, beginning with a letter."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.suffix))
    error_message = "The suffix must have 2 to 16 lower-case letters and digits and begin with a letter."
  }
}

variable "tenant_id" {
  description = "Microsoft Entra tenant that the vault trusts."
  type        = string
}

variable "application_insights_id" {
  description = "Application Insights component of the workspace."
  type        = string
}

variable "image_build_compute" {
  description = "Name of the compute that builds images: a closed registry cannot."
  type        = string
}

variable "customer_managed_key" {
  description = "What is encrypted with a key of the vault, and not with Microsoft's."
  type = object({
    storage   = bool
    workspace = bool
    registry  = bool
  })
}
