// Package containerregistry is the resource provider
// Microsoft.ContainerRegistry: registries that answer at {name}.azurecr.io with
// the OCI distribution protocol, and at {name}.{region}.data.azurecr.io with the
// layers of those whose dedicated data endpoint is on.
//
// The protocol itself is CNCF Distribution's, one instance a registry over a
// folder of its own. In front of it stand the registry's firewall and Azure's
// authentication: an Entra token is exchanged for a refresh token
// (/oauth2/exchange), that for an access token with a scope (/oauth2/token).
// A role is asked for again at each request, so that one taken away is gone at
// once. As on Azure, who may pull may list repositories.
//
// Not offered: geo-replication, tasks, webhooks, scope maps and tokens,
// quarantine, retention, and the /acr/v1 metadata API.
package containerregistry
