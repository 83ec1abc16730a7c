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
  description = "Ends the names that are unique in all of Azure."
  type        = string
}

variable "internet_access" {
  description = "Whether telemetry may be sent and read over the internet; without it only by the private link scope."
  type        = bool
  default     = true
}

variable "retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.retention_days >= 30 && var.retention_days <= 730
    error_message = "Logs are kept for 30 to 730 days."
  }
}
