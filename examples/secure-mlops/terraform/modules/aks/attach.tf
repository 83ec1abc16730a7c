# The cluster as a compute target of the workspace: the extension runs Azure
# Machine Learning's part in it, behind a load balancer of the network.

resource "azurerm_kubernetes_cluster_extension" "azureml" {
  name           = "azureml"
  cluster_id     = azurerm_kubernetes_cluster.this.id
  extension_type = "Microsoft.AzureML.Kubernetes"

  configuration_settings = {
    enableTraining               = "False" # jobs run on the compute clusters
    enableInference              = "True"
    inferenceRouterServiceType   = "LoadBalancer"
    internalLoadBalancerProvider = "azure"
    allowInsecureConnections     = "False"
    sslSecret                    = var.tls_secret.name
    sslCname                     = var.tls_secret.cname
  }
}

# azurerm attaches the older kind of cluster only.
resource "azapi_resource" "compute" {
  type      = "Microsoft.MachineLearningServices/workspaces/computes@2024-04-01"
  name      = "aks"
  parent_id = var.workspace_id
  location  = var.location
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }

  body = {
    properties = {
      computeType = "Kubernetes"
      description = "Serves models in the private cluster."
      resourceId  = azurerm_kubernetes_cluster.this.id
      properties = {
        namespace           = "default"
        defaultInstanceType = "defaultinstancetype"
        instanceTypes = {
          defaultinstancetype = {
            resources = {
              requests = { cpu = "1", memory = "2Gi" }
              limits   = { cpu = "2", memory = "4Gi" }
            }
          }
        }
      }
    }
  }

  depends_on = [azurerm_kubernetes_cluster_extension.azureml]
}
