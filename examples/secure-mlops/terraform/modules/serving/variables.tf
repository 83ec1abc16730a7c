variable "location" {
  description = "Azure region of the endpoints: the workspace's."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "workspace_id" {
  description = "Workspace of the endpoints."
  type        = string
}

variable "online_endpoint" {
  description = "Name of the online endpoint."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.online_endpoint))
    error_message = "An endpoint's name must have 3 to 32 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "batch_endpoint" {
  description = "Name of the batch endpoint."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.batch_endpoint))
    error_message = "An endpoint's name must have 3 to 32 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}
