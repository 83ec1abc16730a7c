# Who may do what. Every machine and service acts as its own managed identity, and
# nothing holds a key. Each line grants one role on one resource.

locals {
  scopes = {
    group     = azurerm_resource_group.this.id
    workspace = module.workspace.workspace.id
    storage   = module.workspace.storage.id
    registry  = module.workspace.registry.id
    vault     = module.workspace.vault.id
  }

  identities = merge(
    {
      workspace = module.workspace.workspace.principal_id
      endpoint  = module.serving.online.principal_id
      jump      = module.jump_host.principal_id
    },
    module.training.principal_ids,
    module.agents.principal_ids,
  )

  agent_roles = [
    { role = "Reader", on = "group" },
    { role = "AzureML Data Scientist", on = "workspace" },
    { role = "Storage Blob Data Contributor", on = "storage" },
    { role = "AcrPull", on = "registry" },
    { role = "AcrPush", on = "registry" },
    { role = "Key Vault Secrets User", on = "vault" },
  ]

  compute_roles = [
    { role = "AzureML Data Scientist", on = "workspace" },
    { role = "Storage Blob Data Contributor", on = "storage" },
    { role = "AcrPull", on = "registry" },
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
      endpoint = [
        { role = "Storage Blob Data Reader", on = "storage" },
        { role = "AcrPull", on = "registry" },
        { role = "AzureML Metrics Writer (preview)", on = "workspace" },
      ]
      jump = [
        { role = "Reader", on = "group" },
        { role = "AzureML Data Scientist", on = "workspace" },
      ]
      (local.image_build) = concat(local.compute_roles, [{ role = "AcrPush", on = "registry" }])
      cpu-cluster         = local.compute_roles
    },
    { for name in keys(var.compute_instances) : name => concat(local.compute_roles, [{ role = "Reader", on = "group" }]) },
    { for i in range(var.agent_count) : "agent-${i}" => local.agent_roles },
    var.agent_scale_set == null ? {} : { agents = local.agent_roles },
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
