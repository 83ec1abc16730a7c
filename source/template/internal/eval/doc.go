// Package eval evaluates the values of a template: its parameters, variables,
// user-defined functions, loops over values and expressions.
//
// What a function says of a deployment or a cloud it asks its [Host]. It knows no
// resource and deploys nothing. Work, depth and size are bounded, so that a
// template from a stranger ends in an error and not in a machine without memory.
//
// Source: Microsoft Learn, "Understand the structure and syntax of ARM templates",
// "Parameters in ARM templates", "Variables in ARM templates", "User-defined
// functions in ARM template", "Property iteration in ARM templates".
package eval
