output "workspace" {
  description = "The Azure Machine Learning workspace."
  value = {
    id   = module.workspace.workspace.id
    name = module.workspace.workspace.name
  }
}

output "storage_account" {
  description = "Blob endpoint of the workspace's storage account."
  value       = module.workspace.storage.blob_endpoint
}

output "registry" {
  description = "Login server of the workspace's registry."
  value       = module.workspace.registry.login_server
}

output "vault" {
  description = "Address of the workspace's key vault."
  value       = module.workspace.vault.uri
}

output "endpoints" {
  description = "The online and the batch endpoint."
  value       = { online = module.serving.online.id, batch = module.serving.batch_id }
}

output "kubernetes_cluster" {
  description = "The Kubernetes cluster, or null."
  value       = one(module.aks[*].id)
}

output "jump_host" {
  description = "The machine that people reach through Bastion."
  value       = module.jump_host.id
}

output "agents" {
  description = "The machines that run the pipelines."
  value       = module.agents.names
}

output "private_endpoints" {
  description = "The private endpoints by service."
  value       = { for name, service in module.private_service : name => service.endpoint_id }
}

output "firewall_address" {
  description = "Private address of the firewall, or null where NAT gateways are the way out."
  value       = try(module.egress.firewall.address, null)
}

output "gateways" {
  description = "The VPN and ExpressRoute gateways that there are."
  value       = module.gateways.ids
}
