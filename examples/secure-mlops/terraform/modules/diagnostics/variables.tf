variable "log_analytics_id" {
  description = "Log Analytics workspace that takes the logs."
  type        = string
}

variable "targets" {
  description = "Resources whose logs and metrics are kept, by a short name."
  type = map(object({
    id      = string
    logs    = optional(list(string), ["allLogs"]) # category groups
    metrics = optional(list(string), ["AllMetrics"])
  }))
}
