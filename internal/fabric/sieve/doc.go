// Package sieve is the part of an Azure Firewall that looks at names: connections
// that application rules are for come here, and go on where a rule allows the name
// that the client asks for, in the ClientHello of TLS or the Host of HTTP.
//
// It opens nothing of TLS: what it passes on it has not read beyond the name. A
// name is resolved here, not believed: a client that names an allowed host gets
// that host, whatever address it had dialled. Of HTTP one request is passed on for
// a connection, so that a second cannot name another host.
//
// It never decides about addresses: the packet filter has done so before.
//
// Source: Microsoft Learn, "Azure Firewall rule processing logic", "Azure Firewall
// FQDN filtering".
package sieve
