// Package providertest is the cloud that a provider's own tests run in: a
// [Host] whose tokens are opaque strings and whose roles are what a test gives,
// and a [Front] that serves a provider's services over TLS at their Azure host
// names, so that official clients can be the judges.
//
// It is for tests alone, and it does no networking of its own: where a call
// comes from and whether the firewall admits it, the test says.
package providertest
