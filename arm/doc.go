// Package arm is the ground floor: Azure Resource Manager's resource ids and
// documents, and the estate that holds them with the references between them.
//
// An estate is made by a reader (Terraform, templates, the control plane's own
// store) and read by the meanings (network, privatedns, access). A value that
// is not known before deployment is an [Unknown] that says where it came from.
//
// Package arm gives no resource type a meaning: it never says what a property
// does, only where it is and what it refers to.
//
// # How an estate is shaped
//
// Documents have the shape of ARM's REST API, with one choice made where ARM
// offers two. These child resources are documents of their own, and never
// nested in their parent: subnets, virtual network peerings, virtual network
// links, private DNS record sets, private DNS zone groups, virtual machine
// extensions, computes. These stay nested where ARM puts them: security rules
// in their network security group, routes in their route table, IP
// configurations in their network interface.
package arm
