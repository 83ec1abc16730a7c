output "assignments" {
  description = "Ids of the policy assignments, by name."
  value       = { for name, assignment in azurerm_resource_group_policy_assignment.this : name => assignment.id }
}
