// Package terraform reads a directory of Terraform for Azure into an estate,
// without Terraform, credentials or a network.
//
// The language is evaluated as Terraform's plan evaluates it. Each azurerm
// resource becomes the documents that the provider would send to Azure Resource
// Manager, with the ids and other attributes that Azure's own rules decide, so
// that references hold before anything is deployed. What cannot be known yet is
// an [arm.Unknown] that names the expression it comes from.
//
// The files are by service, as Azure has them: network.go, storage.go and so on
// hold one table a resource type. The package gives no property a meaning beyond
// its name and place, deploys nothing, and never guesses a value.
package terraform
