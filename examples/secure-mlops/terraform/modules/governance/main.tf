# Azure's built-in policies that say of the resource group what the modules beside
# this one build, so that it stays so whoever changes it.

locals {
  deny = var.enforce ? "Deny" : "Audit"

  policies = {
    ml-public-network     = { definition = "438c38d2-3772-465a-a9cc-7a6666a275ce", effect = local.deny, title = "Machine Learning workspaces disable public network access" }
    ml-private-link       = { definition = "45e05259-1eb5-4f70-9574-baf73e9d219b", effect = "Audit", title = "Machine Learning workspaces use private link" }
    ml-compute-network    = { definition = "7804b5c7-01dc-4723-969b-ae300cc07ff1", effect = "Audit", title = "Machine Learning computes are in a virtual network" }
    ml-compute-login      = { definition = "e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f", effect = local.deny, title = "Machine Learning computes have no local logins" }
    storage-public        = { definition = "b2982f36-99f2-4db5-8eff-283140c09693", effect = local.deny, title = "Storage accounts disable public network access" }
    storage-private       = { definition = "6edd7eda-6dd8-40f7-810d-67160c639cd9", effect = "AuditIfNotExists", title = "Storage accounts use private link" }
    registry-public       = { definition = "0fdf0491-d080-4575-b627-ad0e843cba0f", effect = local.deny, title = "Container registries disable public network access" }
    registry-private      = { definition = "e8eef0a8-67cf-4eb4-9386-14b0e78733d4", effect = "Audit", title = "Container registries use private link" }
    registry-export       = { definition = "524b0254-c285-4903-bee6-bb8126cde579", effect = local.deny, title = "Container registries do not export" }
    registry-admin        = { definition = "dc921057-6b28-4fbe-9b83-f7bec05db6c2", effect = local.deny, title = "Container registries have no admin account" }
    vault-public          = { definition = "405c5871-3e91-4644-8a63-58e19d68ff5b", effect = local.deny, title = "Key vaults disable public network access" }
    vault-private         = { definition = "a6abeaec-4d90-4a02-805f-6b26c4d3fbe9", parameter = "audit_effect", effect = "Audit", title = "Key vaults use private link" }
    aks-private           = { definition = "040732e8-d947-40b8-95d6-854c95024bf8", effect = local.deny, title = "Kubernetes clusters are private" }
    nic-public-address    = { definition = "83a86a26-fd1f-447c-b59d-e51f44264114", effect = null, title = "Network interfaces have no public address" }
    nic-forwarding        = { definition = "88c0b9da-ce96-4b03-9635-f29a937e2900", effect = null, title = "Network interfaces do not forward" }
    gateway-nsg           = { definition = "35f9c03a-cc27-418e-9c0c-539ff999d010", effect = null, title = "Gateway subnets have no security group" }
    ml-customer-key       = { definition = "ba769a63-b8cc-4b2d-abf6-ac33c7204be8", effect = "Audit", title = "Machine Learning workspaces are encrypted with a customer-managed key" }
    registry-customer-key = { definition = "5b9159ae-1701-4a6f-9a7a-aa9c8ddd0580", effect = "Audit", title = "Container registries are encrypted with a customer-managed key" }
    storage-customer-key  = { definition = "6fac406b-40ca-413b-bf8e-0bf964659c25", effect = "Audit", title = "Storage accounts are encrypted with a customer-managed key" }
  }
}

resource "azurerm_resource_group_policy_assignment" "this" {
  for_each = local.policies

  name                 = each.key
  display_name         = each.value.title
  resource_group_id    = var.resource_group_id
  policy_definition_id = "/providers/Microsoft.Authorization/policyDefinitions/${each.value.definition}"
  enforce              = var.enforce
  parameters           = each.value.effect == null ? null : jsonencode({ (try(each.value.parameter, "effect")) = { value = each.value.effect } })

  non_compliance_message {
    content = "${each.value.title}."
  }
}
