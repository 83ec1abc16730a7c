// Package authorization is the Microsoft.Authorization resource provider: role
// assignments and role definitions, built-in and custom.
//
// What a role allows is package access's to say, and whether a request may pass
// the control plane's: this package only keeps the documents in order.
package authorization
