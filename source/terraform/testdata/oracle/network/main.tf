locals {
  sub = "/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/ext/providers"
}
resource "azurerm_public_ip_prefix" "p" {
  name                = "pfx"
  location            = "westeurope"
  resource_group_name = "rg"
  prefix_length       = 30
  zones               = ["1", "2"]
  tags                = { a = "b" }
}
resource "azurerm_public_ip_prefix" "min" {
  name                = "pfxmin"
  location            = "westeurope"
  resource_group_name = "rg"
  custom_ip_prefix_id = "${local.sub}/Microsoft.Network/customIPPrefixes/c"
}
resource "azurerm_public_ip" "a" {
  name                    = "pip"
  location                = "westeurope"
  resource_group_name     = "rg"
  allocation_method       = "Static"
  zones                   = ["1", "2", "3"]
  domain_name_label       = "lab"
  domain_name_label_scope = "TenantReuse"
  reverse_fqdn            = "x.example.com."
  ip_tags                 = { RoutingPreference = "Internet" }
  idle_timeout_in_minutes = 10
  public_ip_prefix_id     = azurerm_public_ip_prefix.p.id
  ddos_protection_mode    = "Enabled"
  ddos_protection_plan_id = azurerm_network_ddos_protection_plan.d.id
}
resource "azurerm_public_ip" "b" {
  name                = "pipb"
  location            = "westeurope"
  resource_group_name = "rg"
  allocation_method   = "Static"
}
resource "azurerm_network_ddos_protection_plan" "d" {
  name                = "ddos"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_nat_gateway" "n" {
  name                    = "nat"
  location                = "westeurope"
  resource_group_name     = "rg"
  idle_timeout_in_minutes = 10
  zones                   = ["1"]
}
resource "azurerm_nat_gateway_public_ip_association" "n" {
  nat_gateway_id       = azurerm_nat_gateway.n.id
  public_ip_address_id = azurerm_public_ip.b.id
}
resource "azurerm_nat_gateway_public_ip_prefix_association" "n" {
  nat_gateway_id      = azurerm_nat_gateway.n.id
  public_ip_prefix_id = azurerm_public_ip_prefix.p.id
}
resource "azurerm_virtual_network" "v" {
  name                           = "vnet"
  location                       = "westeurope"
  resource_group_name            = "rg"
  address_space                  = ["10.0.0.0/16"]
  dns_servers                    = ["10.0.0.4"]
  bgp_community                  = "12076:20000"
  flow_timeout_in_minutes        = 5
  private_endpoint_vnet_policies = "Basic"
  ddos_protection_plan {
    id     = azurerm_network_ddos_protection_plan.d.id
    enable = true
  }
  encryption {
    enforcement = "AllowUnencrypted"
  }
}
resource "azurerm_virtual_network" "ipam" {
  name                = "vnet-ipam"
  location            = "westeurope"
  resource_group_name = "rg"
  ip_address_pool {
    id                     = "${local.sub}/Microsoft.Network/networkManagers/m/ipamPools/p"
    number_of_ip_addresses = "256"
  }
}
resource "azurerm_virtual_network" "inl" {
  name                = "vnet-inline"
  location            = "westeurope"
  resource_group_name = "rg"
  address_space       = ["10.9.0.0/16"]
  subnet {
    name                                          = "one"
    address_prefixes                              = ["10.9.1.0/24"]
    security_group                                = azurerm_network_security_group.g.id
    route_table_id                                = azurerm_route_table.r.id
    default_outbound_access_enabled               = false
    private_endpoint_network_policies             = "Enabled"
    private_link_service_network_policies_enabled = false
    service_endpoint_policy_ids                   = [azurerm_subnet_service_endpoint_storage_policy.s.id]
    service_endpoint {
      service = "Microsoft.Storage"
    }
    delegation {
      name = "d"
      service_delegation {
        name    = "Microsoft.Web/serverFarms"
        actions = ["Microsoft.Network/virtualNetworks/subnets/action"]
      }
    }
  }
  subnet {
    name             = "two"
    address_prefixes = ["10.9.2.0/24"]
  }
}
resource "azurerm_virtual_network_dns_servers" "d" {
  virtual_network_id = azurerm_virtual_network.ipam.id
  dns_servers        = ["10.0.0.5"]
}
resource "azurerm_subnet" "s" {
  name                                          = "s"
  virtual_network_name                          = azurerm_virtual_network.v.name
  resource_group_name                           = "rg"
  address_prefixes                              = ["10.0.0.0/24"]
  default_outbound_access_enabled               = false
  private_endpoint_network_policies             = "NetworkSecurityGroupEnabled"
  private_link_service_network_policies_enabled = false
  service_endpoint_policy_ids                   = [azurerm_subnet_service_endpoint_storage_policy.s.id]
  service_endpoint {
    service            = "Microsoft.Storage"
    network_identifier = azurerm_public_ip.b.id
  }
  delegation {
    name = "d"
    service_delegation {
      name    = "Microsoft.Web/serverFarms"
      actions = ["Microsoft.Network/virtualNetworks/subnets/action"]
    }
  }
}
resource "azurerm_subnet" "t" {
  name                            = "t"
  virtual_network_name            = azurerm_virtual_network.v.name
  resource_group_name             = "rg"
  sharing_scope                   = "Tenant"
  default_outbound_access_enabled = false
  ip_address_pool {
    id                     = "${local.sub}/Microsoft.Network/networkManagers/m/ipamPools/p"
    number_of_ip_addresses = "16"
  }
}
resource "azurerm_subnet" "fw" {
  name                 = "AzureFirewallSubnet"
  virtual_network_name = azurerm_virtual_network.v.name
  resource_group_name  = "rg"
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_subnet" "fwm" {
  name                 = "AzureFirewallManagementSubnet"
  virtual_network_name = azurerm_virtual_network.v.name
  resource_group_name  = "rg"
  address_prefixes     = ["10.0.2.0/24"]
}
resource "azurerm_subnet" "bas" {
  name                 = "AzureBastionSubnet"
  virtual_network_name = azurerm_virtual_network.v.name
  resource_group_name  = "rg"
  address_prefixes     = ["10.0.3.0/24"]
}
resource "azurerm_subnet" "in" {
  name                 = "in"
  virtual_network_name = azurerm_virtual_network.v.name
  resource_group_name  = "rg"
  address_prefixes     = ["10.0.4.0/24"]
}
resource "azurerm_subnet" "out" {
  name                 = "out"
  virtual_network_name = azurerm_virtual_network.v.name
  resource_group_name  = "rg"
  address_prefixes     = ["10.0.5.0/24"]
}
resource "azurerm_subnet_nat_gateway_association" "n" {
  subnet_id      = azurerm_subnet.out.id
  nat_gateway_id = azurerm_nat_gateway.n.id
}
resource "azurerm_subnet_service_endpoint_storage_policy" "s" {
  name                = "sep"
  location            = "westeurope"
  resource_group_name = "rg"
  definition {
    name              = "one"
    description       = "desc"
    service           = "Microsoft.Storage"
    service_resources = ["/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/rg"]
  }
  definition {
    name              = "two"
    service           = "Global"
    service_resources = ["/services/Azure"]
  }
}
resource "azurerm_network_security_group" "g" {
  name                = "nsg"
  location            = "westeurope"
  resource_group_name = "rg"
  security_rule {
    name                                  = "r"
    priority                              = 100
    direction                             = "Inbound"
    access                                = "Allow"
    protocol                              = "Tcp"
    source_port_range                     = "*"
    destination_port_ranges               = ["80", "443"]
    source_application_security_group_ids = [azurerm_application_security_group.a.id]
    destination_address_prefix            = "*"
    description                           = "x"
  }
}
resource "azurerm_network_security_rule" "r" {
  name                        = "r2"
  network_security_group_name = azurerm_network_security_group.g.name
  resource_group_name         = "rg"
  priority                    = 110
  direction                   = "Outbound"
  access                      = "Deny"
  protocol                    = "*"
  source_port_range           = "*"
  destination_port_range      = "*"
  source_address_prefixes     = ["10.0.0.0/8"]
  destination_address_prefix  = "Internet"
}
resource "azurerm_application_security_group" "a" {
  name                = "asg"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_route_table" "r" {
  name                          = "rt"
  location                      = "westeurope"
  resource_group_name           = "rg"
  bgp_route_propagation_enabled = false
  route {
    name                   = "a"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = "10.0.1.4"
  }
}
resource "azurerm_route_table" "r2" {
  name                = "rt2"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_route" "r" {
  name                = "b"
  route_table_name    = azurerm_route_table.r2.name
  resource_group_name = "rg"
  address_prefix      = "10.1.0.0/16"
  next_hop_type       = "VnetLocal"
}
resource "azurerm_ip_group" "g" {
  name                = "ipg"
  location            = "westeurope"
  resource_group_name = "rg"
  cidrs               = ["10.0.0.0/24", "10.0.1.4"]
}
resource "azurerm_ip_group_cidr" "c" {
  ip_group_id = azurerm_ip_group.g.id
  cidr        = "10.5.0.0/16"
}
resource "azurerm_firewall_policy" "p" {
  name                              = "fwp"
  location                          = "westeurope"
  resource_group_name               = "rg"
  sku                               = "Premium"
  base_policy_id                    = azurerm_firewall_policy.base.id
  private_ip_ranges                 = ["10.0.0.0/8"]
  auto_learn_private_ranges_enabled = true
  sql_redirect_allowed              = true
  threat_intelligence_mode          = "Deny"
  threat_intelligence_allowlist {
    fqdns        = ["a.example"]
    ip_addresses = ["192.0.2.1"]
  }
  dns {
    proxy_enabled = true
    servers       = ["10.0.4.4"]
  }
  identity {
    type         = "UserAssigned"
    identity_ids = ["${local.sub}/Microsoft.ManagedIdentity/userAssignedIdentities/u"]
  }
  insights {
    enabled                            = true
    default_log_analytics_workspace_id = "${local.sub}/Microsoft.OperationalInsights/workspaces/w"
    retention_in_days                  = 7
    log_analytics_workspace {
      id                = "${local.sub}/Microsoft.OperationalInsights/workspaces/w2"
      firewall_location = "northeurope"
    }
  }
  intrusion_detection {
    mode           = "Alert"
    private_ranges = ["172.16.0.0/12"]
    signature_overrides {
      id    = "1"
      state = "Alert"
    }
    traffic_bypass {
      name                  = "b"
      protocol              = "TCP"
      description           = "d"
      destination_addresses = ["192.0.2.3"]
      destination_ports     = ["443"]
      source_addresses      = ["*"]
    }
  }
  tls_certificate {
    key_vault_secret_id = "https://kv.vault.azure.net/secrets/s/0123456789abcdef0123456789abcdef"
    name                = "c"
  }
  explicit_proxy {
    enabled         = true
    http_port       = 8080
    https_port      = 8443
    enable_pac_file = true
    pac_file_port   = 8081
    pac_file        = "https://x/y"
  }
}
resource "azurerm_firewall_policy" "base" {
  name                = "fwpbase"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_firewall_policy_rule_collection_group" "g" {
  name               = "rcg"
  firewall_policy_id = azurerm_firewall_policy.p.id
  priority           = 500
  application_rule_collection {
    name     = "app"
    priority = 300
    action   = "Allow"
    rule {
      name              = "r"
      description       = "d"
      source_addresses  = ["10.0.0.0/24"]
      destination_fqdns = ["*.example.com"]
      protocols {
        type = "Https"
        port = 443
      }
    }
    rule {
      name                  = "t"
      source_ip_groups      = [azurerm_ip_group.g.id]
      destination_fqdn_tags = ["WindowsUpdate"]
    }
    rule {
      name             = "u"
      source_addresses = ["*"]
      destination_urls = ["example.com/a"]
      terminate_tls    = true
      web_categories   = ["Games"]
      protocols {
        type = "Https"
        port = 443
      }
      http_headers {
        name  = "X"
        value = "1"
      }
    }
  }
  network_rule_collection {
    name     = "net"
    priority = 200
    action   = "Deny"
    rule {
      name                  = "n"
      protocols             = ["TCP", "UDP"]
      source_addresses      = ["*"]
      destination_addresses = ["AzureCloud"]
      destination_ports     = ["443", "80-90"]
    }
    rule {
      name              = "f"
      protocols         = ["Any"]
      source_ip_groups  = [azurerm_ip_group.g.id]
      destination_fqdns = ["a.example"]
      destination_ports = ["*"]
    }
    rule {
      name                  = "g"
      protocols             = ["ICMP"]
      source_addresses      = ["*"]
      destination_ip_groups = [azurerm_ip_group.g.id]
      destination_ports     = ["*"]
    }
  }
  nat_rule_collection {
    name     = "nat"
    priority = 100
    action   = "Dnat"
    rule {
      name                = "d"
      protocols           = ["TCP"]
      source_addresses    = ["*"]
      destination_address = "192.0.2.7"
      destination_ports   = ["22"]
      translated_address  = "10.0.0.9"
      translated_port     = 22
    }
  }
}
resource "azurerm_firewall" "f" {
  name                = "fw"
  location            = "westeurope"
  resource_group_name = "rg"
  sku_name            = "AZFW_VNet"
  sku_tier            = "Premium"
  firewall_policy_id  = azurerm_firewall_policy.p.id
  zones               = ["1", "2"]
  private_ip_ranges   = ["10.0.0.0/8"]
  ip_configuration {
    name                 = "a"
    subnet_id            = azurerm_subnet.fw.id
    public_ip_address_id = azurerm_public_ip.a.id
  }
  ip_configuration {
    name                 = "b"
    public_ip_address_id = azurerm_public_ip.b.id
  }
  management_ip_configuration {
    name                 = "m"
    subnet_id            = azurerm_subnet.fwm.id
    public_ip_address_id = azurerm_public_ip.b.id
  }
}
resource "azurerm_firewall" "c" {
  name                = "fwc"
  location            = "westeurope"
  resource_group_name = "rg"
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  dns_servers         = ["10.0.0.4"]
  dns_proxy_enabled   = true
  threat_intel_mode   = "Deny"
  ip_configuration {
    name                 = "a"
    subnet_id            = azurerm_subnet.fw.id
    public_ip_address_id = azurerm_public_ip.a.id
  }
}
resource "azurerm_firewall" "h" {
  name                = "fwh"
  location            = "westeurope"
  resource_group_name = "rg"
  sku_name            = "AZFW_Hub"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.base.id
  virtual_hub {
    virtual_hub_id  = "${local.sub}/Microsoft.Network/virtualHubs/h"
    public_ip_count = 2
  }
}
resource "azurerm_firewall_application_rule_collection" "a" {
  name                = "app"
  azure_firewall_name = azurerm_firewall.c.name
  resource_group_name = "rg"
  priority            = 100
  action              = "Allow"
  rule {
    name             = "r"
    source_addresses = ["10.0.0.0/16"]
    target_fqdns     = ["*.google.com"]
    protocol {
      port = 443
      type = "Https"
    }
  }
  rule {
    name             = "q"
    source_ip_groups = [azurerm_ip_group.g.id]
    fqdn_tags        = ["WindowsUpdate"]
  }
}
resource "azurerm_firewall_network_rule_collection" "a" {
  name                = "net"
  azure_firewall_name = azurerm_firewall.c.name
  resource_group_name = "rg"
  priority            = 100
  action              = "Allow"
  rule {
    name                  = "r"
    description           = "x"
    source_addresses      = ["10.0.0.0/16"]
    destination_ports     = ["53"]
    destination_addresses = ["8.8.8.8"]
    protocols             = ["TCP", "UDP"]
  }
  rule {
    name              = "s"
    source_ip_groups  = [azurerm_ip_group.g.id]
    destination_ports = ["53"]
    destination_fqdns = ["x.example"]
    protocols         = ["Any"]
  }
}
resource "azurerm_firewall_nat_rule_collection" "a" {
  name                = "nat"
  azure_firewall_name = azurerm_firewall.c.name
  resource_group_name = "rg"
  priority            = 100
  action              = "Dnat"
  rule {
    name                  = "r"
    source_addresses      = ["10.0.0.0/16"]
    destination_ports     = ["53"]
    destination_addresses = [azurerm_public_ip.a.ip_address]
    translated_port       = 53
    translated_address    = "8.8.8.8"
    protocols             = ["TCP", "UDP"]
  }
}
resource "azurerm_private_dns_resolver" "r" {
  name                = "dnspr"
  location            = "westeurope"
  resource_group_name = "rg"
  virtual_network_id  = azurerm_virtual_network.v.id
}
resource "azurerm_private_dns_resolver_inbound_endpoint" "i" {
  name                    = "in"
  location                = "westeurope"
  private_dns_resolver_id = azurerm_private_dns_resolver.r.id
  ip_configurations {
    subnet_id                    = azurerm_subnet.in.id
    private_ip_allocation_method = "Static"
    private_ip_address           = "10.0.4.4"
  }
}
resource "azurerm_private_dns_resolver_inbound_endpoint" "j" {
  name                    = "in2"
  location                = "westeurope"
  private_dns_resolver_id = azurerm_private_dns_resolver.r.id
  ip_configurations {
    subnet_id = azurerm_subnet.in.id
  }
}
resource "azurerm_private_dns_resolver_outbound_endpoint" "o" {
  name                    = "out"
  location                = "westeurope"
  private_dns_resolver_id = azurerm_private_dns_resolver.r.id
  subnet_id               = azurerm_subnet.out.id
}
resource "azurerm_private_dns_resolver_dns_forwarding_ruleset" "f" {
  name                                       = "rs"
  location                                   = "westeurope"
  resource_group_name                        = "rg"
  private_dns_resolver_outbound_endpoint_ids = [azurerm_private_dns_resolver_outbound_endpoint.o.id]
}
resource "azurerm_private_dns_resolver_forwarding_rule" "f" {
  name                      = "rule"
  dns_forwarding_ruleset_id = azurerm_private_dns_resolver_dns_forwarding_ruleset.f.id
  domain_name               = "onprem.example."
  enabled                   = true
  metadata                  = { k = "v" }
  target_dns_servers {
    ip_address = "192.168.0.1"
    port       = 53
  }
  target_dns_servers {
    ip_address = "192.168.0.2"
    port       = 5353
  }
}
resource "azurerm_private_dns_resolver_forwarding_rule" "g" {
  name                      = "rule2"
  dns_forwarding_ruleset_id = azurerm_private_dns_resolver_dns_forwarding_ruleset.f.id
  domain_name               = "onprem2.example."
  target_dns_servers {
    ip_address = "192.168.0.1"
    port       = 53
  }
}
resource "azurerm_private_dns_resolver_virtual_network_link" "f" {
  name                      = "lnk"
  dns_forwarding_ruleset_id = azurerm_private_dns_resolver_dns_forwarding_ruleset.f.id
  virtual_network_id        = azurerm_virtual_network.v.id
  metadata                  = { k = "v" }
}
resource "azurerm_private_dns_zone" "z" {
  name                = "x.internal"
  resource_group_name = "rg"
  soa_record {
    email       = "admin.x.internal"
    expire_time = 100
    ttl         = 60
    tags        = { q = "r" }
  }
}
resource "azurerm_private_dns_zone_virtual_network_link" "z" {
  name                 = "l"
  private_dns_zone_id  = azurerm_private_dns_zone.z.id
  virtual_network_id   = azurerm_virtual_network.v.id
  registration_enabled = true
}
resource "azurerm_private_dns_a_record" "z" {
  name                = "a"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  records             = ["10.0.0.1"]
  tags                = { m = "n" }
}
resource "azurerm_private_dns_aaaa_record" "z" {
  name                = "aaaa"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  records             = ["fd00::1"]
}
resource "azurerm_private_dns_cname_record" "z" {
  name                = "c"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  record              = "a.x.internal"
}
resource "azurerm_private_dns_mx_record" "z" {
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  record {
    preference = 10
    exchange   = "mx.x.internal"
  }
}
resource "azurerm_private_dns_ptr_record" "z" {
  name                = "4"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  records             = ["a.x.internal"]
}
resource "azurerm_private_dns_srv_record" "z" {
  name                = "s"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  record {
    priority = 1
    weight   = 2
    port     = 80
    target   = "a.x.internal"
  }
}
resource "azurerm_private_dns_txt_record" "z" {
  name                = "t"
  private_dns_zone_id = azurerm_private_dns_zone.z.id
  ttl                 = 300
  record {
    value = "v=1"
  }
}
resource "azurerm_dns_zone" "z" {
  name                = "example.com"
  resource_group_name = "rg"
}
resource "azurerm_dns_a_record" "z" {
  name                = "a"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  records             = ["192.0.2.1"]
}
resource "azurerm_dns_a_record" "y" {
  name                = "al"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  target_resource_id  = azurerm_public_ip.a.id
}
resource "azurerm_dns_aaaa_record" "z" {
  name                = "a6"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  records             = ["2001:db8::1"]
}
resource "azurerm_dns_cname_record" "z" {
  name                = "cn"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  record              = "a.example.com"
}
resource "azurerm_dns_caa_record" "z" {
  name                = "ca"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  record {
    flags = 0
    tag   = "issue"
    value = "example.com"
  }
}
resource "azurerm_dns_mx_record" "z" {
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  record {
    preference = 10
    exchange   = "m.example.com"
  }
}
resource "azurerm_dns_ns_record" "z" {
  name                = "ns"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  records             = ["ns1.example.com."]
}
resource "azurerm_dns_ptr_record" "z" {
  name                = "pt"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  records             = ["a.example.com"]
}
resource "azurerm_dns_srv_record" "z" {
  name                = "sr"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  record {
    priority = 1
    weight   = 2
    port     = 80
    target   = "a.example.com"
  }
}
resource "azurerm_dns_txt_record" "z" {
  name                = "tx"
  zone_name           = azurerm_dns_zone.z.name
  resource_group_name = "rg"
  ttl                 = 300
  record {
    value = "x"
  }
}
resource "azurerm_bastion_host" "b" {
  name                      = "bas"
  location                  = "westeurope"
  resource_group_name       = "rg"
  sku                       = "Premium"
  scale_units               = 3
  copy_paste_enabled        = false
  file_copy_enabled         = true
  ip_connect_enabled        = true
  kerberos_enabled          = true
  session_recording_enabled = true
  shareable_link_enabled    = true
  tunneling_enabled         = true
  zones                     = ["1"]
  ip_configuration {
    name                 = "conf"
    subnet_id            = azurerm_subnet.bas.id
    public_ip_address_id = azurerm_public_ip.a.id
  }
}
resource "azurerm_bastion_host" "d" {
  name                = "basdev"
  location            = "westeurope"
  resource_group_name = "rg"
  sku                 = "Developer"
  virtual_network_id  = azurerm_virtual_network.v.id
}
resource "azurerm_bastion_host" "e" {
  name                = "basbasic"
  location            = "westeurope"
  resource_group_name = "rg"
  ip_configuration {
    name                 = "conf"
    subnet_id            = azurerm_subnet.bas.id
    public_ip_address_id = azurerm_public_ip.a.id
  }
}
resource "azurerm_network_interface" "n" {
  name                           = "nic"
  location                       = "westeurope"
  resource_group_name            = "rg"
  accelerated_networking_enabled = true
  ip_forwarding_enabled          = true
  dns_servers                    = ["10.0.0.4"]
  internal_dns_name_label        = "lab"
  auxiliary_mode                 = "AcceleratedConnections"
  auxiliary_sku                  = "A1"
  ip_configuration {
    name                          = "a"
    subnet_id                     = azurerm_subnet.in.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.4.9"
    primary                       = true
    public_ip_address_id          = azurerm_public_ip.b.id
  }
  ip_configuration {
    name                          = "b"
    subnet_id                     = azurerm_subnet.in.id
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_network_interface" "m" {
  name                = "nicm"
  location            = "westeurope"
  resource_group_name = "rg"
  ip_configuration {
    name                          = "a"
    subnet_id                     = azurerm_subnet.in.id
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_network_interface_application_security_group_association" "a" {
  network_interface_id          = azurerm_network_interface.n.id
  application_security_group_id = azurerm_application_security_group.a.id
}
resource "azurerm_network_interface_security_group_association" "a" {
  network_interface_id      = azurerm_network_interface.m.id
  network_security_group_id = azurerm_network_security_group.g.id
}
resource "azurerm_lb" "l" {
  name                = "lb"
  location            = "westeurope"
  resource_group_name = "rg"
  sku                 = "Standard"
  frontend_ip_configuration {
    name                 = "pub"
    public_ip_address_id = azurerm_public_ip.a.id
  }
  frontend_ip_configuration {
    name                          = "priv"
    subnet_id                     = azurerm_subnet.in.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.4.20"
    private_ip_address_version    = "IPv4"
    zones                         = ["1", "2", "3"]
  }
  frontend_ip_configuration {
    name      = "dyn"
    subnet_id = azurerm_subnet.in.id
  }
}
resource "azurerm_lb_backend_address_pool" "p" {
  name            = "pool"
  loadbalancer_id = azurerm_lb.l.id
}
resource "azurerm_lb_backend_address_pool" "ip" {
  name               = "ippool"
  loadbalancer_id    = azurerm_lb.l.id
  virtual_network_id = azurerm_virtual_network.v.id
  synchronous_mode   = "Automatic"
}
resource "azurerm_lb_backend_address_pool" "ip2" {
  name            = "ippool2"
  loadbalancer_id = azurerm_lb.l.id
}
resource "azurerm_lb_backend_address_pool_address" "a" {
  name                    = "addr"
  backend_address_pool_id = azurerm_lb_backend_address_pool.ip2.id
  virtual_network_id      = azurerm_virtual_network.v.id
  ip_address              = "10.0.0.77"
}
resource "azurerm_lb_probe" "p" {
  name                = "probe"
  loadbalancer_id     = azurerm_lb.l.id
  port                = 80
  protocol            = "Http"
  request_path        = "/h"
  interval_in_seconds = 10
  number_of_probes    = 3
  probe_threshold     = 2
}
resource "azurerm_lb_probe" "q" {
  name            = "probe2"
  loadbalancer_id = azurerm_lb.l.id
  port            = 22
}
resource "azurerm_lb_rule" "r" {
  name                           = "rule"
  loadbalancer_id                = azurerm_lb.l.id
  protocol                       = "Tcp"
  frontend_port                  = 80
  backend_port                   = 8080
  frontend_ip_configuration_name = "pub"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.p.id]
  probe_id                       = azurerm_lb_probe.p.id
  disable_outbound_snat          = true
  load_distribution              = "SourceIP"
  idle_timeout_in_minutes        = 8
}
resource "azurerm_lb_rule" "s" {
  name                           = "rule2"
  loadbalancer_id                = azurerm_lb.l.id
  protocol                       = "Udp"
  frontend_port                  = 53
  backend_port                   = 53
  frontend_ip_configuration_name = "priv"
}
resource "azurerm_lb_nat_rule" "n" {
  name                           = "natr"
  resource_group_name            = "rg"
  loadbalancer_id                = azurerm_lb.l.id
  protocol                       = "Tcp"
  frontend_port                  = 2222
  backend_port                   = 22
  frontend_ip_configuration_name = "pub"
}
resource "azurerm_lb_nat_rule" "m" {
  name                           = "natr2"
  resource_group_name            = "rg"
  loadbalancer_id                = azurerm_lb.l.id
  protocol                       = "Tcp"
  frontend_port_start            = 3000
  frontend_port_end              = 3009
  backend_port                   = 22
  frontend_ip_configuration_name = "pub"
  backend_address_pool_id        = azurerm_lb_backend_address_pool.p.id
}
resource "azurerm_lb_nat_pool" "n" {
  name                           = "natp"
  resource_group_name            = "rg"
  loadbalancer_id                = azurerm_lb.l.id
  protocol                       = "Tcp"
  frontend_port_start            = 4000
  frontend_port_end              = 4009
  backend_port                   = 22
  frontend_ip_configuration_name = "pub"
}
resource "azurerm_lb_outbound_rule" "o" {
  name                     = "outr"
  loadbalancer_id          = azurerm_lb.l.id
  protocol                 = "All"
  backend_address_pool_id  = azurerm_lb_backend_address_pool.p.id
  allocated_outbound_ports = 512
  frontend_ip_configuration {
    name = "pub"
  }
}
resource "azurerm_network_interface_backend_address_pool_association" "a" {
  network_interface_id    = azurerm_network_interface.m.id
  ip_configuration_name   = "a"
  backend_address_pool_id = azurerm_lb_backend_address_pool.p.id
}
resource "azurerm_network_interface_nat_rule_association" "a" {
  network_interface_id  = azurerm_network_interface.n.id
  ip_configuration_name = "b"
  nat_rule_id           = azurerm_lb_nat_rule.n.id
}
resource "azurerm_private_link_service" "p" {
  name                                        = "pls"
  location                                    = "westeurope"
  resource_group_name                         = "rg"
  load_balancer_frontend_ip_configuration_ids = [azurerm_lb.l.frontend_ip_configuration[1].id]
  auto_approval_subscription_ids              = ["6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  visibility_subscription_ids                 = ["6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"]
  proxy_protocol_enabled                      = true
  fqdns                                       = ["a.example"]
  nat_ip_configuration {
    name                       = "n1"
    primary                    = true
    subnet_id                  = azurerm_subnet.in.id
    private_ip_address         = "10.0.4.40"
    private_ip_address_version = "IPv4"
  }
  nat_ip_configuration {
    name      = "n2"
    primary   = false
    subnet_id = azurerm_subnet.in.id
  }
}
resource "azurerm_private_endpoint" "p" {
  name                          = "pe"
  location                      = "westeurope"
  resource_group_name           = "rg"
  subnet_id                     = azurerm_subnet.in.id
  custom_network_interface_name = "penic"
  private_service_connection {
    name                           = "c"
    is_manual_connection           = false
    private_connection_resource_id = azurerm_private_link_service.p.id
  }
}
resource "azurerm_private_endpoint_application_security_group_association" "p" {
  private_endpoint_id           = azurerm_private_endpoint.p.id
  application_security_group_id = azurerm_application_security_group.a.id
}
resource "azurerm_network_watcher" "w" {
  name                = "nw"
  location            = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_network_watcher_flow_log" "f" {
  name                 = "fl"
  network_watcher_name = azurerm_network_watcher.w.name
  resource_group_name  = "rg"
  target_resource_id   = azurerm_virtual_network.v.id
  storage_account_id   = "${local.sub}/Microsoft.Storage/storageAccounts/stfl"
  enabled              = true
  version              = 2
  retention_policy {
    enabled = true
    days    = 7
  }
  traffic_analytics {
    enabled               = true
    workspace_id          = "11111111-1111-1111-1111-111111111112"
    workspace_region      = "westeurope"
    workspace_resource_id = "${local.sub}/Microsoft.OperationalInsights/workspaces/w"
    interval_in_minutes   = 10
  }
}
