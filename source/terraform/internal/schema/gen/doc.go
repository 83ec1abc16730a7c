// Command gen writes azurerm.txt from the output of "terraform providers schema
// -json" on its standard input: the names and types of every resource and data
// source of the azurerm provider, and nothing else of it.
//
//	terraform providers schema -json | go run ./source/terraform/internal/schema/gen > source/terraform/internal/schema/azurerm.txt
//
// It never runs when Cloister does: its output is checked in.
package main
