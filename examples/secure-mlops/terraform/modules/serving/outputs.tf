output "online" {
  description = "The online endpoint, with the object id of its identity."
  value = {
    id           = azapi_resource.online.id
    principal_id = azapi_resource.online.identity[0].principal_id
  }
}

output "batch_id" {
  description = "The batch endpoint."
  value       = azapi_resource.batch.id
}
