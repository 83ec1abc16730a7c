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

variable "network_name" {
  description = "Virtual network that holds the gateways."
  type        = string
}

variable "prefix" {
  description = "Address prefix of GatewaySubnet, a /27 or larger."
  type        = string
}

variable "vpn" {
  description = "Point-to-site VPN gateway for people, or null: its SKU, the pool of their addresses and the tenant that they log in to."
  type = object({
    sku         = optional(string, "VpnGw1AZ")
    client_pool = string
    tenant_id   = string
  })
  default = null
}

variable "express_route" {
  description = "ExpressRoute gateway, or null: its SKU and, to connect it, the circuit."
  type = object({
    sku        = optional(string, "ErGw1AZ")
    circuit_id = optional(string)
  })
  default = null
}
