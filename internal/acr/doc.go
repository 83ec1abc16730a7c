// Package acr is the client's side of Azure Container Registry's
// authentication, for go-containerregistry: it exchanges an Entra token for a
// registry's refresh token.
//
// It knows nothing of images, and gets no Entra tokens itself.
package acr
