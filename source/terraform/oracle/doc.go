// Command oracle applies a configuration with the real terraform and the real
// azurerm provider against an endpoint that records what they send, and holds the
// estate that Cloister reads from the same configuration against it, field by
// field:
//
//	go run ./source/terraform/oracle -provider OWNER/NAME@VERSION=BINARY [-update] [-var NAME=VALUE]... DIR...
//
// DIR is a configuration, or a folder that holds a recorded.json of one elsewhere.
// With -update, what was sent is written to DIR/recorded.json, where the tests of
// package terraform find it. It needs terraform on the path and the providers as
// binaries: "make oracle" builds them.
//
// With -plan and -state, the plan and the state are kept as terraform prints them,
// which "make plans" does for those that are test data.
//
// What a configuration only refers to is there already where it is in the resource
// group "ext". A provider that fails on what it reads back has sent its body by then:
// terraform applies again as long as something further is sent, and what was never
// sent is a difference.
//
// Nothing leaves the machine: the provider's connections all end at the endpoint.
package main
