// Package cloud is the control plane: Azure Resource Manager's REST API in front
// of a durable store, the token service, and the reconciler that brings what
// runs to what the store says.
//
// It knows resource types only through the [Provider]s that are registered with
// it, and makes nothing real itself: kernel state is the fabric's, services are
// the providers'.
package cloud
