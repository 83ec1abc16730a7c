terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}
provider "azurerm" {
  subscription_id = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"
  tenant_id       = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"
  features {}
}
