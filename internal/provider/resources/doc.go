// Package resources is the part of the resource provider Microsoft.Resources that
// deploys ARM templates: deployments to a resource group or to the subscription,
// their validation and what-if, their operations and outputs.
//
// A deployment writes its resources by Azure Resource Manager's own requests, as
// the principal who started it, each when those that it depends on are there. It
// does nothing else: it keeps no resource and gives none a meaning. A deployment
// that ran when the cloud was stopped has failed, and says so; what it had written
// stays.
//
// Source: Microsoft Learn, "Azure Resource Manager deployment modes" and "ARM
// template deployment what-if operation"; the REST reference of Deployments.
package resources
