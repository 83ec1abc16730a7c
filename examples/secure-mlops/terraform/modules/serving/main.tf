# Where models are scored. An endpoint is infrastructure and stands here; what is
# deployed to it, and how much traffic that gets, is the pipeline's to say.

resource "azapi_resource" "online" {
  type      = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2024-04-01"
  name      = var.online_endpoint
  parent_id = var.workspace_id
  location  = var.location
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }

  body = {
    kind = "Managed"
    properties = {
      authMode            = "Key"
      description         = "Scores one request at a time."
      publicNetworkAccess = "Disabled" # by the workspace's private endpoint only
    }
  }
}

resource "azapi_resource" "batch" {
  type      = "Microsoft.MachineLearningServices/workspaces/batchEndpoints@2024-04-01"
  name      = var.batch_endpoint
  parent_id = var.workspace_id
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      authMode    = "AADToken"
      description = "Scores files of requests on a compute cluster."
    }
  }
}
