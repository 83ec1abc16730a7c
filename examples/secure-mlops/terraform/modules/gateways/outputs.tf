output "ids" {
  description = "Ids of the gateways that there are: vpn, express_route."
  value = merge(
    { for gateway in azurerm_virtual_network_gateway.vpn : "vpn" => gateway.id },
    { for gateway in azurerm_virtual_network_gateway.express_route : "express_route" => gateway.id },
  )
}
