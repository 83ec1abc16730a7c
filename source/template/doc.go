// Package template reads an Azure Resource Manager template, and so compiled
// Bicep, into an estate: without Azure, credentials or a network.
//
// [Load] deploys it on paper: parameters, variables, copy loops, conditions,
// nested and linked templates, template specs and deployment stacks are evaluated
// as Azure Resource Manager evaluates them, in the order of deployment, and
// reference() is answered by what has been deployed before. A rule, a subnet, any
// object in an array has the place where it is written. What only a real deployment decides is an [arm.Unknown] that
// names the expression. [Expand] is for what deploys for real: it gives the
// resources of a template in order, each to be evaluated when those before it are
// there, with a [Cloud] to answer reference() and list*().
//
// The package gives no property a meaning beyond its place in an estate, fetches
// nothing, reads no file outside the folder of the template, and never guesses a
// value.
//
// Source: Microsoft Learn, "Understand the structure and syntax of ARM templates"
// and the pages around it.
package template
