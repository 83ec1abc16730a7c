// Package lang evaluates the Terraform language: a directory of configuration
// becomes the instances of its resources, each with the values that are known
// before deployment and, in place of those that are not, where they come from.
//
// Everything is evaluated when it is first asked for, so the order in which
// things are written plays no part, and a circle is found when it closes.
//
// The package knows no cloud: what a resource type's attributes are comes from
// package schema, and which computed attributes follow from its configuration
// from a [Decider]. It runs no provider, reaches no network and never writes.
package lang
