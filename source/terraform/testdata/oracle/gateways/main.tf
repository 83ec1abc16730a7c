locals {
  sub  = "/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/ext/providers"
  net  = "${local.sub}/Microsoft.Network"
  gws  = "${local.net}/virtualNetworks/v/subnets/GatewaySubnet"
  sn   = "${local.net}/virtualNetworks/v/subnets/s"
  pip  = "${local.net}/publicIPAddresses/p"
  vnet = "${local.net}/virtualNetworks/v"
}
resource "azurerm_local_network_gateway" "a" {
  name                = "lng"
  location            = "westeurope"
  resource_group_name = "rg"
  gateway_address     = "192.0.2.1"
  address_space       = ["192.168.0.0/16"]
  bgp_settings {
    asn                 = 65010
    bgp_peering_address = "192.168.0.1"
    peer_weight         = 5
  }
}
resource "azurerm_local_network_gateway" "b" {
  name                = "lng2"
  location            = "westeurope"
  resource_group_name = "rg"
  gateway_fqdn        = "gw.example.com"
}
resource "azurerm_virtual_network_gateway" "v" {
  name                                  = "vgw"
  location                              = "westeurope"
  resource_group_name                   = "rg"
  type                                  = "Vpn"
  vpn_type                              = "RouteBased"
  sku                                   = "VpnGw2AZ"
  generation                            = "Generation2"
  active_active                         = true
  bgp_enabled                           = true
  private_ip_address_enabled            = true
  bgp_route_translation_for_nat_enabled = true
  dns_forwarding_enabled                = true
  ip_sec_replay_protection_enabled      = false
  default_local_network_gateway_id      = azurerm_local_network_gateway.a.id
  ip_configuration {
    name                 = "one"
    subnet_id            = local.gws
    public_ip_address_id = local.pip
  }
  ip_configuration {
    name                          = "two"
    subnet_id                     = local.gws
    public_ip_address_id          = "${local.pip}2"
    private_ip_address_allocation = "Dynamic"
  }
  bgp_settings {
    asn         = 65515
    peer_weight = 10
    peering_addresses {
      ip_configuration_name = "one"
      apipa_addresses       = ["169.254.21.2"]
    }
    peering_addresses {
      ip_configuration_name = "two"
    }
  }
  custom_route {
    address_prefixes = ["10.77.0.0/16"]
  }
  vpn_client_configuration {
    address_space        = ["172.16.0.0/24"]
    vpn_client_protocols = ["OpenVPN"]
    vpn_auth_types       = ["AAD", "Certificate"]
    aad_tenant           = "https://login.microsoftonline.com/c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53/"
    aad_audience         = "41b23e61-6c1e-4545-b367-cd054e0ed4b4"
    aad_issuer           = "https://sts.windows.net/c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53/"
    root_certificate {
      name             = "root"
      public_cert_data = "MIIC"
    }
    revoked_certificate {
      name       = "rev"
      thumbprint = "912309232CC7FB2EC2FB2EC2"
    }
    ipsec_policy {
      dh_group                  = "DHGroup14"
      ike_encryption            = "AES256"
      ike_integrity             = "SHA256"
      ipsec_encryption          = "AES256"
      ipsec_integrity           = "SHA256"
      pfs_group                 = "PFS14"
      sa_data_size_in_kilobytes = 102400000
      sa_lifetime_in_seconds    = 28800
    }
    virtual_network_gateway_client_connection {
      name               = "cc"
      address_prefixes   = ["172.16.1.0/24"]
      policy_group_names = ["pg"]
    }
  }
  policy_group {
    name       = "pg"
    is_default = true
    priority   = 1
    policy_member {
      name  = "m"
      type  = "CertificateGroupId"
      value = "x"
    }
  }
}
resource "azurerm_virtual_network_gateway" "e" {
  name                        = "ergw"
  location                    = "westeurope"
  resource_group_name         = "rg"
  type                        = "ExpressRoute"
  sku                         = "ErGw1AZ"
  remote_vnet_traffic_enabled = true
  virtual_wan_traffic_enabled = true
  ip_configuration {
    subnet_id = local.gws
  }
}
resource "azurerm_virtual_network_gateway" "m" {
  name                = "vgwmin"
  location            = "westeurope"
  resource_group_name = "rg"
  type                = "Vpn"
  sku                 = "VpnGw1AZ"
  ip_configuration {
    subnet_id            = local.gws
    public_ip_address_id = local.pip
  }
  vpn_client_configuration {
    address_space        = ["172.16.0.0/24"]
    vpn_client_protocols = ["IkeV2"]
    radius_server {
      address = "10.0.0.9"
      score   = 10
      secret  = "s3cr3t"
    }
  }
}
resource "azurerm_virtual_network_gateway_connection" "s" {
  name                               = "s2s"
  location                           = "westeurope"
  resource_group_name                = "rg"
  type                               = "IPsec"
  virtual_network_gateway_id         = azurerm_virtual_network_gateway.v.id
  local_network_gateway_id           = azurerm_local_network_gateway.a.id
  shared_key                         = "psk"
  bgp_enabled                        = true
  connection_mode                    = "InitiatorOnly"
  connection_protocol                = "IKEv2"
  dpd_timeout_seconds                = 45
  routing_weight                     = 5
  local_azure_ip_address_enabled     = true
  use_policy_based_traffic_selectors = true
  egress_nat_rule_ids                = [azurerm_virtual_network_gateway_nat_rule.n.id]
  ipsec_policy {
    dh_group         = "DHGroup14"
    ike_encryption   = "AES256"
    ike_integrity    = "SHA256"
    ipsec_encryption = "AES256"
    ipsec_integrity  = "SHA256"
    pfs_group        = "PFS14"
    sa_datasize      = 102400000
    sa_lifetime      = 27000
  }
  traffic_selector_policy {
    local_address_cidrs  = ["10.0.0.0/16"]
    remote_address_cidrs = ["192.168.0.0/16"]
  }
}
resource "azurerm_virtual_network_gateway_connection" "v" {
  name                            = "v2v"
  location                        = "westeurope"
  resource_group_name             = "rg"
  type                            = "Vnet2Vnet"
  virtual_network_gateway_id      = azurerm_virtual_network_gateway.v.id
  peer_virtual_network_gateway_id = azurerm_virtual_network_gateway.m.id
  shared_key                      = "psk"
}
resource "azurerm_virtual_network_gateway_connection" "e" {
  name                           = "er"
  location                       = "westeurope"
  resource_group_name            = "rg"
  type                           = "ExpressRoute"
  virtual_network_gateway_id     = azurerm_virtual_network_gateway.e.id
  express_route_circuit_id       = azurerm_express_route_circuit.c.id
  express_route_gateway_bypass   = true
  private_link_fast_path_enabled = true
  authorization_key              = "authkey"
}
resource "azurerm_virtual_network_gateway_nat_rule" "n" {
  name                       = "nat"
  resource_group_name        = "rg"
  virtual_network_gateway_id = azurerm_virtual_network_gateway.v.id
  mode                       = "EgressSnat"
  type                       = "Dynamic"
  ip_configuration_id        = "${azurerm_virtual_network_gateway.v.id}/ipConfigurations/one"
  external_mapping {
    address_space = "10.2.0.0/26"
    port_range    = "200"
  }
  internal_mapping {
    address_space = "10.4.0.0/26"
    port_range    = "400"
  }
}
resource "azurerm_express_route_circuit" "c" {
  name                  = "erc"
  location              = "westeurope"
  resource_group_name   = "rg"
  service_provider_name = "Equinix"
  peering_location      = "Amsterdam"
  bandwidth_in_mbps     = 50
  sku {
    tier   = "Standard"
    family = "MeteredData"
  }
}
resource "azurerm_express_route_circuit" "d" {
  name                  = "ercd"
  location              = "westeurope"
  resource_group_name   = "rg"
  express_route_port_id = azurerm_express_route_port.p.id
  bandwidth_in_gbps     = 5
  rate_limiting_enabled = true
  sku {
    tier   = "Premium"
    family = "UnlimitedData"
  }
}
resource "azurerm_express_route_circuit_authorization" "a" {
  name                       = "auth"
  express_route_circuit_name = azurerm_express_route_circuit.c.name
  resource_group_name        = "rg"
}
resource "azurerm_express_route_circuit_peering" "p" {
  peering_type                  = "AzurePrivatePeering"
  express_route_circuit_name    = azurerm_express_route_circuit.c.name
  resource_group_name           = "rg"
  peer_asn                      = 100
  primary_peer_address_prefix   = "192.168.1.0/30"
  secondary_peer_address_prefix = "192.168.2.0/30"
  vlan_id                       = 100
  shared_key                    = "abcd"
}
resource "azurerm_express_route_circuit_peering" "m" {
  peering_type                  = "MicrosoftPeering"
  express_route_circuit_name    = azurerm_express_route_circuit.c.name
  resource_group_name           = "rg"
  peer_asn                      = 100
  primary_peer_address_prefix   = "123.0.0.0/30"
  secondary_peer_address_prefix = "123.0.0.4/30"
  vlan_id                       = 300
  route_filter_id               = azurerm_route_filter.f.id
  microsoft_peering_config {
    advertised_public_prefixes = ["123.1.0.0/24"]
    customer_asn               = 64511
    routing_registry_name      = "ARIN"
  }
  ipv6 {
    primary_peer_address_prefix   = "2002:db01::/126"
    secondary_peer_address_prefix = "2003:db01::/126"
    microsoft_peering {
      advertised_public_prefixes = ["2002:db01::/126"]
    }
  }
}
resource "azurerm_route_filter" "f" {
  name                = "rf"
  location            = "westeurope"
  resource_group_name = "rg"
  rule {
    name        = "r"
    access      = "Allow"
    rule_type   = "Community"
    communities = ["12076:52004"]
  }
}
resource "azurerm_express_route_port" "p" {
  name                = "erp"
  location            = "westeurope"
  resource_group_name = "rg"
  peering_location    = "Airtel-Chennai-CLS"
  bandwidth_in_gbps   = 10
  encapsulation       = "Dot1Q"
  billing_type        = "MeteredData"
}
resource "azurerm_virtual_wan" "w" {
  name                              = "wan"
  location                          = "westeurope"
  resource_group_name               = "rg"
  allow_branch_to_branch_traffic    = false
  disable_vpn_encryption            = true
  office365_local_breakout_category = "All"
}
resource "azurerm_virtual_hub" "h" {
  name                                   = "hub"
  location                               = "westeurope"
  resource_group_name                    = "rg"
  virtual_wan_id                         = azurerm_virtual_wan.w.id
  address_prefix                         = "10.50.0.0/23"
  sku                                    = "Standard"
  hub_routing_preference                 = "VpnGateway"
  branch_to_branch_traffic_enabled       = true
  virtual_router_auto_scale_min_capacity = 3
  route {
    address_prefixes    = ["10.60.0.0/16"]
    next_hop_ip_address = "10.50.0.4"
  }
}
resource "azurerm_virtual_hub" "m" {
  name                = "hubmin"
  location            = "westeurope"
  resource_group_name = "rg"
  virtual_wan_id      = azurerm_virtual_wan.w.id
  address_prefix      = "10.51.0.0/23"
}
resource "azurerm_virtual_hub_route_table" "t" {
  name           = "hrt"
  virtual_hub_id = azurerm_virtual_hub.h.id
  labels         = ["l1"]
  route {
    name              = "r"
    destinations_type = "CIDR"
    destinations      = ["10.0.0.0/16"]
    next_hop_type     = "ResourceId"
    next_hop          = "${local.net}/azureFirewalls/f"
  }
}
resource "azurerm_virtual_hub_route_table" "u" {
  name           = "hrt2"
  virtual_hub_id = azurerm_virtual_hub.h.id
}
resource "azurerm_virtual_hub_route_table_route" "r" {
  route_table_id    = azurerm_virtual_hub_route_table.u.id
  name              = "rr"
  destinations_type = "CIDR"
  destinations      = ["10.1.0.0/16"]
  next_hop          = azurerm_virtual_hub_connection.c.id
}
resource "azurerm_virtual_hub_connection" "c" {
  name                      = "conn"
  virtual_hub_id            = azurerm_virtual_hub.h.id
  remote_virtual_network_id = local.vnet
  internet_security_enabled = true
  routing {
    associated_route_table_id                   = azurerm_virtual_hub_route_table.t.id
    static_vnet_propagate_static_routes_enabled = false
    static_vnet_local_route_override_criteria   = "Equal"
    propagated_route_table {
      labels          = ["default"]
      route_table_ids = [azurerm_virtual_hub_route_table.t.id]
    }
    static_vnet_route {
      name                = "s"
      address_prefixes    = ["10.70.0.0/16"]
      next_hop_ip_address = "10.0.0.4"
    }
  }
}
resource "azurerm_virtual_hub_connection" "d" {
  name                      = "connmin"
  virtual_hub_id            = azurerm_virtual_hub.m.id
  remote_virtual_network_id = local.vnet
}
resource "azurerm_virtual_hub_routing_intent" "i" {
  name           = "intent"
  virtual_hub_id = azurerm_virtual_hub.m.id
  routing_policy {
    name         = "Internet"
    destinations = ["Internet"]
    next_hop     = "${local.net}/azureFirewalls/f"
  }
}
resource "azurerm_route_map" "m" {
  name           = "rmap"
  virtual_hub_id = azurerm_virtual_hub.h.id
  rule {
    name                 = "r1"
    next_step_if_matched = "Continue"
    action {
      type = "Add"
      parameter {
        as_path = ["22334"]
      }
    }
    match_criterion {
      match_condition = "Contains"
      route_prefix    = ["10.0.0.0/8"]
    }
  }
}
resource "azurerm_vpn_gateway" "g" {
  name                                  = "vpng"
  location                              = "westeurope"
  resource_group_name                   = "rg"
  virtual_hub_id                        = azurerm_virtual_hub.h.id
  scale_unit                            = 2
  routing_preference                    = "Internet"
  bgp_route_translation_for_nat_enabled = true
  bgp_settings {
    asn         = 65515
    peer_weight = 0
  }
}
resource "azurerm_vpn_gateway_connection" "c" {
  name               = "vpnc"
  vpn_gateway_id     = azurerm_vpn_gateway.g.id
  remote_vpn_site_id = azurerm_vpn_site.s.id
  vpn_link {
    name             = "link1"
    vpn_site_link_id = "${azurerm_vpn_site.s.id}/vpnSiteLinks/link1"
    bandwidth_mbps   = 20
    bgp_enabled      = true
    shared_key       = "k"
    ipsec_policy {
      dh_group                 = "DHGroup14"
      encryption_algorithm     = "AES256"
      ike_encryption_algorithm = "AES256"
      ike_integrity_algorithm  = "SHA256"
      integrity_algorithm      = "SHA256"
      pfs_group                = "PFS14"
      sa_data_size_kb          = 102400000
      sa_lifetime_sec          = 27000
    }
  }
  routing {
    associated_route_table = azurerm_virtual_hub_route_table.t.id
    propagated_route_table {
      labels          = ["l1"]
      route_table_ids = [azurerm_virtual_hub_route_table.t.id]
    }
  }
  traffic_selector_policy {
    local_address_ranges  = ["10.0.0.0/16"]
    remote_address_ranges = ["192.168.0.0/16"]
  }
}
resource "azurerm_vpn_site" "s" {
  name                = "site"
  location            = "westeurope"
  resource_group_name = "rg"
  virtual_wan_id      = azurerm_virtual_wan.w.id
  address_cidrs       = ["192.168.0.0/16"]
  device_vendor       = "Cisco"
  device_model        = "ISR"
  link {
    name          = "link1"
    ip_address    = "192.0.2.9"
    provider_name = "AT&T"
    speed_in_mbps = 10
    bgp {
      asn             = 65001
      peering_address = "192.168.1.1"
    }
  }
  o365_policy {
    traffic_category {
      allow_endpoint_enabled = true
    }
  }
}
resource "azurerm_vpn_server_configuration" "s" {
  name                     = "vsc"
  location                 = "westeurope"
  resource_group_name      = "rg"
  vpn_authentication_types = ["Certificate", "AAD"]
  vpn_protocols            = ["OpenVPN", "IkeV2"]
  client_root_certificate {
    name             = "root"
    public_cert_data = "MIIC"
  }
  azure_active_directory_authentication {
    audience = "a"
    issuer   = "https://sts"
    tenant   = "https://login"
  }
}
resource "azurerm_point_to_site_vpn_gateway" "p" {
  name                                = "p2s"
  location                            = "westeurope"
  resource_group_name                 = "rg"
  virtual_hub_id                      = azurerm_virtual_hub.h.id
  vpn_server_configuration_id         = azurerm_vpn_server_configuration.s.id
  scale_unit                          = 1
  dns_servers                         = ["10.0.0.4"]
  routing_preference_internet_enabled = true
  connection_configuration {
    name                      = "c"
    internet_security_enabled = true
    vpn_client_address_pool {
      address_prefixes = ["172.30.0.0/24"]
    }
    route {
      associated_route_table_id = azurerm_virtual_hub_route_table.t.id
      propagated_route_table {
        ids    = [azurerm_virtual_hub_route_table.t.id]
        labels = ["l"]
      }
    }
  }
}
resource "azurerm_express_route_gateway" "g" {
  name                          = "erg"
  location                      = "westeurope"
  resource_group_name           = "rg"
  virtual_hub_id                = azurerm_virtual_hub.h.id
  scale_units                   = 1
  allow_non_virtual_wan_traffic = true
}
resource "azurerm_express_route_connection" "c" {
  name                             = "ercon"
  express_route_gateway_id         = azurerm_express_route_gateway.g.id
  express_route_circuit_peering_id = azurerm_express_route_circuit_peering.p.id
  routing_weight                   = 1
  internet_security_enabled        = true
}
resource "azurerm_route_server" "r" {
  name                             = "rs"
  location                         = "westeurope"
  resource_group_name              = "rg"
  sku                              = "Standard"
  public_ip_address_id             = local.pip
  subnet_id                        = "${local.vnet}/subnets/RouteServerSubnet"
  branch_to_branch_traffic_enabled = true
}
resource "azurerm_route_server_bgp_connection" "r" {
  name            = "rsb"
  route_server_id = azurerm_route_server.r.id
  peer_asn        = 65501
  peer_ip         = "10.0.0.100"
}
resource "azurerm_virtual_hub_bgp_connection" "r" {
  name                          = "hubbgp"
  virtual_hub_id                = azurerm_virtual_hub.h.id
  peer_asn                      = 65502
  peer_ip                       = "10.0.0.101"
  virtual_network_connection_id = azurerm_virtual_hub_connection.c.id
}
resource "azurerm_virtual_hub_ip" "i" {
  name                         = "hubip"
  virtual_hub_id               = azurerm_virtual_hub.m.id
  private_ip_address           = "10.5.1.18"
  private_ip_allocation_method = "Static"
  public_ip_address_id         = local.pip
  subnet_id                    = local.sn
}
resource "azurerm_network_manager" "m" {
  name                = "nm"
  location            = "westeurope"
  resource_group_name = "rg"
  description         = "d"
  scope_accesses      = ["Connectivity", "SecurityAdmin"]
  scope {
    subscription_ids = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  }
}
resource "azurerm_network_manager_network_group" "g" {
  name               = "ng"
  network_manager_id = azurerm_network_manager.m.id
  description        = "x"
}
resource "azurerm_network_manager_static_member" "s" {
  name                      = "sm"
  network_group_id          = azurerm_network_manager_network_group.g.id
  target_virtual_network_id = local.vnet
}
resource "azurerm_network_manager_security_admin_configuration" "c" {
  name                                          = "sac"
  network_manager_id                            = azurerm_network_manager.m.id
  apply_on_network_intent_policy_based_services = ["None"]
}
resource "azurerm_network_manager_admin_rule_collection" "c" {
  name                            = "arc"
  security_admin_configuration_id = azurerm_network_manager_security_admin_configuration.c.id
  network_group_ids               = [azurerm_network_manager_network_group.g.id]
}
resource "azurerm_network_manager_admin_rule" "r" {
  name                     = "ar"
  admin_rule_collection_id = azurerm_network_manager_admin_rule_collection.c.id
  action                   = "Deny"
  direction                = "Inbound"
  priority                 = 1
  protocol                 = "Tcp"
  description              = "x"
  source_port_ranges       = ["80", "1024-65535"]
  destination_port_ranges  = ["22"]
  source {
    address_prefix_type = "ServiceTag"
    address_prefix      = "Internet"
  }
  destination {
    address_prefix_type = "IPPrefix"
    address_prefix      = "10.1.0.1"
  }
}
resource "azurerm_network_manager_connectivity_configuration" "c" {
  name                            = "cc"
  network_manager_id              = azurerm_network_manager.m.id
  connectivity_topology           = "HubAndSpoke"
  delete_existing_peering_enabled = true
  global_mesh_enabled             = true
  applies_to_group {
    group_connectivity  = "DirectlyConnected"
    network_group_id    = azurerm_network_manager_network_group.g.id
    use_hub_gateway     = true
    global_mesh_enabled = true
  }
  hub {
    resource_id   = local.vnet
    resource_type = "Microsoft.Network/virtualNetworks"
  }
}
resource "azurerm_network_manager_ipam_pool" "p" {
  name               = "ipam"
  location           = "westeurope"
  network_manager_id = azurerm_network_manager.m.id
  display_name       = "ipam"
  address_prefixes   = ["10.0.0.0/8"]
}
resource "azurerm_network_security_perimeter" "p" {
  name                = "nsp"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_network_security_perimeter_profile" "p" {
  name                          = "prof"
  network_security_perimeter_id = azurerm_network_security_perimeter.p.id
}
resource "azurerm_network_security_perimeter_access_rule" "i" {
  name                                  = "in"
  network_security_perimeter_profile_id = azurerm_network_security_perimeter_profile.p.id
  direction                             = "Inbound"
  address_prefixes                      = ["8.8.8.8/32"]
}
resource "azurerm_network_security_perimeter_access_rule" "o" {
  name                                  = "out"
  network_security_perimeter_profile_id = azurerm_network_security_perimeter_profile.p.id
  direction                             = "Outbound"
  fqdns                                 = ["a.example"]
}
resource "azurerm_network_security_perimeter_access_rule" "s" {
  name                                  = "sub"
  network_security_perimeter_profile_id = azurerm_network_security_perimeter_profile.p.id
  direction                             = "Inbound"
  subscription_ids                      = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
}
resource "azurerm_network_security_perimeter_association" "a" {
  name                                  = "assoc"
  access_mode                           = "Enforced"
  network_security_perimeter_profile_id = azurerm_network_security_perimeter_profile.p.id
  resource_id                           = "${local.sub}/Microsoft.KeyVault/vaults/kv"
}
resource "azurerm_network_profile" "p" {
  name                = "np"
  location            = "westeurope"
  resource_group_name = "rg"
  container_network_interface {
    name = "cnic"
    ip_configuration {
      name      = "ipc"
      subnet_id = local.sn
    }
  }
}
resource "azurerm_traffic_manager_profile" "p" {
  name                   = "tm"
  resource_group_name    = "rg"
  traffic_routing_method = "Weighted"
  traffic_view_enabled   = true
  dns_config {
    relative_name = "tmx"
    ttl           = 100
  }
  monitor_config {
    protocol                     = "HTTPS"
    port                         = 443
    path                         = "/"
    interval_in_seconds          = 30
    timeout_in_seconds           = 9
    tolerated_number_of_failures = 3
    expected_status_code_ranges  = ["200-202"]
    custom_header {
      name  = "h"
      value = "v"
    }
  }
}
resource "azurerm_traffic_manager_azure_endpoint" "e" {
  name               = "tma"
  profile_id         = azurerm_traffic_manager_profile.p.id
  target_resource_id = local.pip
  weight             = 5
  subnet {
    first = "10.1.0.0"
    scope = 16
  }
  subnet {
    first = "10.2.0.1"
    last  = "10.2.0.9"
  }
}
resource "azurerm_traffic_manager_external_endpoint" "e" {
  name              = "tme"
  profile_id        = azurerm_traffic_manager_profile.p.id
  target            = "www.example.com"
  endpoint_location = "West Europe"
  priority          = 3
  geo_mappings      = ["WORLD"]
  custom_header {
    name  = "h"
    value = "v"
  }
}
resource "azurerm_traffic_manager_profile" "c" {
  name                   = "tmc"
  resource_group_name    = "rg"
  traffic_routing_method = "Priority"
  dns_config {
    relative_name = "tmc"
    ttl           = 30
  }
  monitor_config {
    protocol = "TCP"
    port     = 443
  }
}
resource "azurerm_traffic_manager_nested_endpoint" "e" {
  name                    = "tmn"
  profile_id              = azurerm_traffic_manager_profile.p.id
  target_resource_id      = azurerm_traffic_manager_profile.c.id
  minimum_child_endpoints = 2
  enabled                 = false
}
resource "azurerm_network_connection_monitor" "c" {
  name               = "ncm"
  network_watcher_id = "${local.net}/networkWatchers/nw"
  location           = "westeurope"
  notes              = "n"
  endpoint {
    name               = "src"
    target_resource_id = "${local.sub}/Microsoft.Compute/virtualMachines/vm"
    filter {
      item {
        address = "${local.sub}/Microsoft.Compute/virtualMachines/vm"
      }
    }
  }
  endpoint {
    name    = "dst"
    address = "terraform.io"
  }
  test_configuration {
    name                      = "tcp"
    protocol                  = "Tcp"
    test_frequency_in_seconds = 60
    tcp_configuration {
      port = 80
    }
    success_threshold {
      checks_failed_percent = 50
    }
  }
  test_configuration {
    name     = "http"
    protocol = "Http"
    http_configuration {
      port = 443
      request_header {
        name  = "a"
        value = "b"
      }
    }
  }
  test_configuration {
    name     = "icmp"
    protocol = "Icmp"
    icmp_configuration {
      trace_route_enabled = false
    }
  }
  test_group {
    name                     = "g"
    destination_endpoints    = ["dst"]
    source_endpoints         = ["src"]
    test_configuration_names = ["tcp", "http", "icmp"]
  }
  output_workspace_resource_ids = ["${local.sub}/Microsoft.OperationalInsights/workspaces/w"]
}
