output "principal_ids" {
  description = "Object ids of the identities of clusters and instances, by name."
  value = merge(
    { for name, cluster in azurerm_machine_learning_compute_cluster.this : name => cluster.identity[0].principal_id },
    { for name, instance in azurerm_machine_learning_compute_instance.this : name => instance.identity[0].principal_id },
  )
}
