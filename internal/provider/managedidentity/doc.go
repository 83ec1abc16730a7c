// Package managedidentity is the Microsoft.ManagedIdentity resource provider:
// user-assigned identities, with the ids that they have in the directory.
//
// It gives out no tokens: the control plane's token service does.
package managedidentity
