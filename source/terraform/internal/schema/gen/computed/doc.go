// Command computed writes computed.txt: the blocks that the azurerm provider fills in
// where a configuration has none, which the schema that Terraform prints does not tell
// apart from others.
//
// It asks the provider itself, by a plan: of each type as little as can be written, and
// once for each of its blocks, with every value unknown. What is unknown in the plan and
// was not written is filled in, and so are the attributes that may be written as blocks,
// of which the schema says it. Whatever the provider asks of Azure meanwhile ends at an
// endpoint on this machine. It needs terraform on the path and takes some two minutes:
//
//	go run ./source/terraform/internal/schema/gen/computed -provider BINARY > source/terraform/internal/schema/computed.txt
//
// "make computed" does that. Types of which the provider refuses every attempt keep
// what the table says of them, and are named.
//
// It never runs when Cloister does: its output is checked in.
package main
