# Who may do what. Every machine and service acts as its own managed identity, and
# nothing holds a key. Each line grants one role on one resource.

locals {
  scopes = {
    group     = azurerm_resource_group.this.id
    workspace = azurerm_machine_learning_workspace.this.id
    storage   = azurerm_storage_account.this.id
    registry  = azurerm_container_registry.this.id
    vault     = azurerm_key_vault.this.id
  }

  identities = merge(
    {
      workspace = azurerm_machine_learning_workspace.this.identity[0].principal_id
      training  = azurerm_machine_learning_compute_cluster.training.identity[0].principal_id
      jump      = azurerm_linux_virtual_machine.jump.identity[0].principal_id
    },
    { for i, vm in azurerm_linux_virtual_machine.agent : "agent-${i}" => vm.identity[0].principal_id },
  )

  agent_roles = [
    { role = "Reader", on = "group" },
    { role = "AzureML Data Scientist", on = "workspace" },
    { role = "Storage Blob Data Contributor", on = "storage" },
    { role = "AcrPull", on = "registry" },
    { role = "AcrPush", on = "registry" },
    { role = "Key Vault Secrets User", on = "vault" },
  ]

  roles = merge(
    {
      workspace = [
        { role = "Reader", on = "group" },
        { role = "Storage Blob Data Contributor", on = "storage" },
        { role = "AcrPull", on = "registry" },
        { role = "AcrPush", on = "registry" },
        { role = "Key Vault Administrator", on = "vault" },
      ]
      training = [
        { role = "AzureML Data Scientist", on = "workspace" },
        { role = "Storage Blob Data Contributor", on = "storage" },
        { role = "AcrPull", on = "registry" },
        { role = "Key Vault Secrets User", on = "vault" },
      ]
      jump = [
        { role = "Reader", on = "group" },
        { role = "AzureML Data Scientist", on = "workspace" },
      ]
    },
    { for i in range(var.agent_count) : "agent-${i}" => local.agent_roles },
  )

  grants = flatten([
    for who, roles in local.roles : [
      for grant in roles : { who = who, role = grant.role, on = grant.on }
    ]
  ])
}

resource "azurerm_role_assignment" "this" {
  for_each = { for grant in local.grants : "${grant.who}: ${grant.role} on ${grant.on}" => grant }

  principal_id         = local.identities[each.value.who]
  principal_type       = "ServicePrincipal"
  role_definition_name = each.value.role
  scope                = local.scopes[each.value.on]
}
