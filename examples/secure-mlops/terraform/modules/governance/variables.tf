variable "resource_group_id" {
  description = "Resource group in which the policies hold."
  type        = string
}

variable "enforce" {
  description = "Whether what breaks a policy is refused where the policy can; otherwise it is only reported."
  type        = bool
  default     = true
}
