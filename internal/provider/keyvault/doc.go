// Package keyvault is the resource provider Microsoft.KeyVault: vaults, and
// their secrets, served at {vault}.vault.azure.net.
//
// A request passes the vault's firewall, authentication and authorisation (by
// role at the secret, or by the vault's access policies where it has no role
// authorisation), and then is carried out. Values are sealed on disk: each
// vault has a key of its own, which is wrapped by the provider's.
//
// Not offered: keys, certificates, managed storage, backup and restore of
// secrets, and the recovery of a whole deleted vault: deleting a vault deletes
// its secrets for good.
package keyvault
