// Package management is the Microsoft.Management resource provider: management
// groups, the hierarchy that they are in, and the subscription's place in it.
//
// What a role or a deny assignment at a management group means for what is below
// it is package access's to say.
package management
