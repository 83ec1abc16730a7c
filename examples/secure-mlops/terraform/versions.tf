terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.2"
    }
    # What azurerm does not have: endpoints, attached Kubernetes, a key that is
    # made in a closed vault.
    azapi = {
      source  = "Azure/azapi"
      version = ">= 1.15, < 3.0"
    }
  }
}

provider "azurerm" {
  subscription_id     = var.subscription_id
  tenant_id           = var.tenant_id
  storage_use_azuread = true # the account refuses shared keys

  features {}
}

provider "azapi" {
  subscription_id = var.subscription_id
  tenant_id       = var.tenant_id
}
