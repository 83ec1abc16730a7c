# The cluster joins its subnet and writes its API server's name as one identity;
# its nodes pull images as another.

resource "azurerm_user_assigned_identity" "cluster" {
  name                = "id-aks-${var.suffix}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_user_assigned_identity" "kubelet" {
  name                = "id-aks-nodes-${var.suffix}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_role_assignment" "this" {
  for_each = {
    subnet   = { who = azurerm_user_assigned_identity.cluster, role = "Network Contributor", on = var.subnet_id }
    zone     = { who = azurerm_user_assigned_identity.cluster, role = "Private DNS Zone Contributor", on = var.dns_zone_id }
    kubelet  = { who = azurerm_user_assigned_identity.cluster, role = "Managed Identity Operator", on = azurerm_user_assigned_identity.kubelet.id }
    registry = { who = azurerm_user_assigned_identity.kubelet, role = "AcrPull", on = var.registry_id }
  }

  principal_id         = each.value.who.principal_id
  principal_type       = "ServicePrincipal"
  role_definition_name = each.value.role
  scope                = each.value.on
}
