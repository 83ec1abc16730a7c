output "names" {
  description = "Names of the agents' machines, and of the scale set."
  value       = concat(module.machine[*].name, azurerm_linux_virtual_machine_scale_set.agents[*].name)
}

output "principal_ids" {
  description = "Object ids of the agents' identities, by a short name: agent-0, agent-1, ..., agents for the scale set."
  value = merge(
    { for i, machine in module.machine : "agent-${i}" => machine.principal_id },
    { for set in azurerm_linux_virtual_machine_scale_set.agents : "agents" => set.identity[0].principal_id },
  )
}
