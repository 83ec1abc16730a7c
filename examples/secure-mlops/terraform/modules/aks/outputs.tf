output "id" {
  description = "The cluster."
  value       = azurerm_kubernetes_cluster.this.id
}

output "compute_id" {
  description = "The compute target in the workspace."
  value       = azapi_resource.compute.id
}
