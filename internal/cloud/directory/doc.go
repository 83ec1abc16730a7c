// Package directory keeps the tenant's users and groups, as Microsoft Entra ID
// does, and checks passwords.
//
// Only a slow, salted hash of a password is kept. Wrong passwords are counted by
// name, whether there is such a user or not, and after ten in a row the name is
// locked for a while that grows, as Entra's smart lockout does; so neither the
// answer nor its time says which names there are. The counts are not kept over a
// restart.
//
// It knows nothing of tokens, and it never shows or logs a password.
package directory
