locals {
  sub = "/subscriptions/6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14/resourceGroups/ext/providers"
  net = "${local.sub}/Microsoft.Network"
  sn  = "${local.net}/virtualNetworks/v/subnets/s"
  uai = "${local.sub}/Microsoft.ManagedIdentity/userAssignedIdentities/u"
}
resource "azurerm_application_gateway" "g" {
  name                              = "agw"
  location                          = "westeurope"
  resource_group_name               = "rg"
  zones                             = ["1", "2"]
  http2_enabled                     = true
  fips_enabled                      = true
  firewall_policy_id                = azurerm_web_application_firewall_policy.w.id
  force_firewall_policy_association = true
  sku {
    name = "WAF_v2"
    tier = "WAF_v2"
  }
  autoscale_configuration {
    min_capacity = 1
    max_capacity = 3
  }
  identity {
    type         = "UserAssigned"
    identity_ids = [local.uai]
  }
  gateway_ip_configuration {
    name      = "gwip"
    subnet_id = local.sn
  }
  frontend_port {
    name = "p443"
    port = 443
  }
  frontend_port {
    name = "p80"
    port = 80
  }
  frontend_ip_configuration {
    name                 = "pub"
    public_ip_address_id = "${local.net}/publicIPAddresses/p"
  }
  frontend_ip_configuration {
    name                            = "priv"
    subnet_id                       = local.sn
    private_ip_address              = "10.0.0.9"
    private_ip_address_allocation   = "Static"
    private_link_configuration_name = "pl"
  }
  private_link_configuration {
    name = "pl"
    ip_configuration {
      name                          = "plip"
      subnet_id                     = local.sn
      private_ip_address_allocation = "Dynamic"
      primary                       = true
    }
  }
  backend_address_pool {
    name         = "pool"
    fqdns        = ["a.example.com"]
    ip_addresses = ["10.0.1.4"]
  }
  backend_http_settings {
    name                                = "set"
    cookie_based_affinity               = "Enabled"
    affinity_cookie_name                = "c"
    path                                = "/p/"
    port                                = 443
    protocol                            = "Https"
    request_timeout                     = 60
    probe_name                          = "probe"
    pick_host_name_from_backend_address = true
    trusted_root_certificate_names      = ["root"]
    connection_draining {
      enabled           = true
      drain_timeout_sec = 10
    }
  }
  http_listener {
    name                           = "lis"
    frontend_ip_configuration_name = "pub"
    frontend_port_name             = "p443"
    protocol                       = "Https"
    host_name                      = "x.example.com"
    require_sni                    = true
    ssl_certificate_name           = "cert"
    ssl_profile_name               = "prof"
    firewall_policy_id             = azurerm_web_application_firewall_policy.w.id
    custom_error_configuration {
      status_code           = "HttpStatus403"
      custom_error_page_url = "https://x/e.html"
    }
  }
  http_listener {
    name                           = "lis80"
    frontend_ip_configuration_name = "priv"
    frontend_port_name             = "p80"
    protocol                       = "Http"
    host_names                     = ["*.example.com"]
  }
  probe {
    name                                      = "probe"
    protocol                                  = "Https"
    path                                      = "/h"
    interval                                  = 30
    timeout                                   = 30
    unhealthy_threshold                       = 3
    pick_host_name_from_backend_http_settings = true
    match {
      status_code = ["200-399"]
      body        = "ok"
    }
  }
  redirect_configuration {
    name                 = "red"
    redirect_type        = "Permanent"
    target_listener_name = "lis"
    include_path         = true
    include_query_string = true
  }
  request_routing_rule {
    name                       = "rule"
    rule_type                  = "Basic"
    priority                   = 10
    http_listener_name         = "lis"
    backend_address_pool_name  = "pool"
    backend_http_settings_name = "set"
    rewrite_rule_set_name      = "rw"
  }
  request_routing_rule {
    name               = "pathrule"
    rule_type          = "PathBasedRouting"
    priority           = 20
    http_listener_name = "lis80"
    url_path_map_name  = "map"
  }
  url_path_map {
    name                               = "map"
    default_backend_address_pool_name  = "pool"
    default_backend_http_settings_name = "set"
    path_rule {
      name                       = "pr"
      paths                      = ["/a/*"]
      backend_address_pool_name  = "pool"
      backend_http_settings_name = "set"
      rewrite_rule_set_name      = "rw"
      firewall_policy_id         = azurerm_web_application_firewall_policy.w.id
    }
    path_rule {
      name                        = "pr2"
      paths                       = ["/b/*"]
      redirect_configuration_name = "red"
    }
  }
  rewrite_rule_set {
    name = "rw"
    rewrite_rule {
      name          = "r"
      rule_sequence = 100
      condition {
        variable    = "var_uri_path"
        pattern     = ".*"
        ignore_case = true
      }
      request_header_configuration {
        header_name  = "A"
        header_value = "B"
      }
      response_header_configuration {
        header_name  = "C"
        header_value = "D"
      }
      url {
        path    = "/x"
        reroute = true
      }
    }
  }
  ssl_certificate {
    name                = "cert"
    key_vault_secret_id = "https://kv.vault.azure.net/secrets/s"
  }
  trusted_root_certificate {
    name                = "root"
    key_vault_secret_id = "https://kv.vault.azure.net/secrets/r"
  }
  ssl_policy {
    policy_type = "Predefined"
    policy_name = "AppGwSslPolicy20220101"
  }
  ssl_profile {
    name                                = "prof"
    verify_client_certificate_issuer_dn = true
    ssl_policy {
      policy_type          = "Custom"
      min_protocol_version = "TLSv1_2"
      cipher_suites        = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    }
  }
  custom_error_configuration {
    status_code           = "HttpStatus502"
    custom_error_page_url = "https://x/e.html"
  }
  global {
    request_buffering_enabled  = true
    response_buffering_enabled = false
  }
  waf_configuration {
    enabled              = true
    firewall_mode        = "Prevention"
    rule_set_version     = "3.2"
    file_upload_limit_mb = 200
    disabled_rule_group {
      rule_group_name = "REQUEST-920-PROTOCOL-ENFORCEMENT"
      rules           = [920300]
    }
    exclusion {
      match_variable          = "RequestHeaderNames"
      selector_match_operator = "Equals"
      selector                = "h"
    }
  }
}
resource "azurerm_application_gateway" "m" {
  name                = "agwmin"
  location            = "westeurope"
  resource_group_name = "rg"
  sku {
    name     = "Standard_v2"
    tier     = "Standard_v2"
    capacity = 2
  }
  gateway_ip_configuration {
    name      = "gwip"
    subnet_id = local.sn
  }
  frontend_port {
    name = "p80"
    port = 80
  }
  frontend_ip_configuration {
    name                 = "pub"
    public_ip_address_id = "${local.net}/publicIPAddresses/p"
  }
  backend_address_pool {
    name = "pool"
  }
  backend_http_settings {
    name                  = "set"
    cookie_based_affinity = "Disabled"
    port                  = 80
    protocol              = "Http"
  }
  http_listener {
    name                           = "lis"
    frontend_ip_configuration_name = "pub"
    frontend_port_name             = "p80"
    protocol                       = "Http"
  }
  request_routing_rule {
    name                       = "rule"
    rule_type                  = "Basic"
    priority                   = 1
    http_listener_name         = "lis"
    backend_address_pool_name  = "pool"
    backend_http_settings_name = "set"
  }
}
resource "azurerm_web_application_firewall_policy" "w" {
  name                = "waf"
  location            = "westeurope"
  resource_group_name = "rg"
  custom_rules {
    name      = "Rule1"
    priority  = 1
    rule_type = "MatchRule"
    action    = "Block"
    match_conditions {
      match_variables {
        variable_name = "RemoteAddr"
      }
      operator           = "IPMatch"
      negation_condition = true
      match_values       = ["192.168.1.0/24"]
      transforms         = ["Lowercase"]
    }
  }
  custom_rules {
    name                 = "Rule2"
    priority             = 2
    rule_type            = "RateLimitRule"
    action               = "Block"
    rate_limit_duration  = "OneMin"
    rate_limit_threshold = 10
    group_rate_limit_by  = "ClientAddr"
    match_conditions {
      match_variables {
        variable_name = "RequestHeaders"
        selector      = "UserAgent"
      }
      operator     = "Contains"
      match_values = ["Windows"]
    }
  }
  policy_settings {
    enabled                     = true
    mode                        = "Prevention"
    request_body_check          = true
    file_upload_limit_in_mb     = 100
    max_request_body_size_in_kb = 128
    log_scrubbing {
      rule {
        match_variable          = "RequestHeaderNames"
        selector_match_operator = "Equals"
        selector                = "x"
      }
    }
  }
  managed_rules {
    exclusion {
      match_variable          = "RequestHeaderNames"
      selector                = "x-company"
      selector_match_operator = "Equals"
      excluded_rule_set {
        type    = "OWASP"
        version = "3.2"
        rule_group {
          rule_group_name = "REQUEST-920-PROTOCOL-ENFORCEMENT"
          excluded_rules  = ["920300"]
        }
      }
    }
    managed_rule_set {
      type    = "OWASP"
      version = "3.2"
      rule_group_override {
        rule_group_name = "REQUEST-920-PROTOCOL-ENFORCEMENT"
        rule {
          id      = "920300"
          enabled = true
          action  = "Log"
        }
      }
    }
  }
}
resource "azurerm_web_application_firewall_policy" "m" {
  name                = "wafmin"
  location            = "westeurope"
  resource_group_name = "rg"
  managed_rules {
    managed_rule_set {
      version = "3.2"
    }
  }
}
resource "azurerm_cdn_frontdoor_profile" "p" {
  name                     = "afd"
  resource_group_name      = "rg"
  sku_name                 = "Premium_AzureFrontDoor"
  response_timeout_seconds = 60
}
resource "azurerm_cdn_frontdoor_endpoint" "e" {
  name                     = "afde"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.p.id
}
resource "azurerm_cdn_frontdoor_origin_group" "g" {
  name                     = "og"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.p.id
  session_affinity_enabled = true
  health_probe {
    interval_in_seconds = 240
    path                = "/h"
    protocol            = "Https"
    request_type        = "HEAD"
  }
  load_balancing {
    sample_size = 8
  }
}
resource "azurerm_cdn_frontdoor_origin" "o" {
  name                           = "orig"
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.g.id
  enabled                        = true
  certificate_name_check_enabled = true
  host_name                      = "st.blob.core.windows.net"
  origin_host_header             = "st.blob.core.windows.net"
  priority                       = 1
  weight                         = 500
  private_link {
    request_message        = "please"
    target_type            = "blob"
    location               = "westeurope"
    private_link_target_id = "${local.sub}/Microsoft.Storage/storageAccounts/st"
  }
}
resource "azurerm_cdn_frontdoor_rule_set" "r" {
  name                     = "ruleset"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.p.id
}
resource "azurerm_cdn_frontdoor_route" "r" {
  name                          = "route"
  cdn_frontdoor_endpoint_id     = azurerm_cdn_frontdoor_endpoint.e.id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.g.id
  cdn_frontdoor_origin_ids      = [azurerm_cdn_frontdoor_origin.o.id]
  cdn_frontdoor_rule_set_ids    = [azurerm_cdn_frontdoor_rule_set.r.id]
  cdn_frontdoor_origin_path     = "/x"
  forwarding_protocol           = "HttpsOnly"
  https_redirect_enabled        = true
  patterns_to_match             = ["/*"]
  supported_protocols           = ["Http", "Https"]
  cache {
    query_string_caching_behavior = "IgnoreSpecifiedQueryStrings"
    query_strings                 = ["a"]
    compression_enabled           = true
    content_types_to_compress     = ["text/html"]
  }
}
resource "azurerm_cdn_frontdoor_custom_domain" "d" {
  name                     = "dom"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.p.id
  host_name                = "www.example.com"
  tls {
    certificate_type = "ManagedCertificate"
  }
}
resource "azurerm_cdn_frontdoor_firewall_policy" "w" {
  name                              = "afdwaf"
  resource_group_name               = "rg"
  sku_name                          = "Premium_AzureFrontDoor"
  mode                              = "Prevention"
  redirect_url                      = "https://x"
  custom_block_response_status_code = 403
  custom_block_response_body        = "eA=="
  custom_rule {
    name     = "Rule1"
    action   = "Block"
    type     = "MatchRule"
    priority = 1
    match_condition {
      match_variable     = "RemoteAddr"
      operator           = "IPMatch"
      negation_condition = false
      match_values       = ["10.0.1.0/24"]
    }
  }
  managed_rule {
    type    = "Microsoft_DefaultRuleSet"
    version = "2.1"
    action  = "Block"
    override {
      rule_group_name = "PHP"
      rule {
        rule_id = "933111"
        enabled = false
        action  = "AnomalyScoring"
      }
    }
  }
}
resource "azurerm_cdn_frontdoor_security_policy" "s" {
  name                     = "sec"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.p.id
  security_policies {
    firewall {
      cdn_frontdoor_firewall_policy_id = azurerm_cdn_frontdoor_firewall_policy.w.id
      association {
        domain {
          cdn_frontdoor_domain_id = azurerm_cdn_frontdoor_custom_domain.d.id
        }
        patterns_to_match = ["/*"]
      }
    }
  }
}
