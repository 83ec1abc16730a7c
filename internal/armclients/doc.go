// Package armclients holds the whole control plane, with every resource provider
// that needs no kernel, against the management clients of the Azure SDK for Go:
// what those clients can do on Azure, they can do here.
//
// There is nothing in it but tests. The clients are judges: they are used as they
// are, and a test says nothing that a program written for Azure would not.
package armclients
