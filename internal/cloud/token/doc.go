// Package token signs and verifies the access tokens that the cloud gives out:
// JSON Web Tokens with the claims of Microsoft Entra ID's version 1.0 access
// tokens, signed RS256.
//
// It never decides who may have a token.
package token
