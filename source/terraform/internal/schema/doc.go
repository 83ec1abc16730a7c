// Package schema says which attributes and blocks the resource types of the
// azurerm and azapi providers have, and of which types they are.
//
// azurerm.txt is generated from the real provider's schema by gen; renamed.txt adds
// the names and types of earlier releases, which people still write, by gen/older
// from those releases' documentation, and older.txt what that does not say; computed.txt,
// by gen/computed from the provider's plans, the blocks that it fills in; azapi.txt and
// helpers.txt are the few types of azapi and of the providers that generate
// values. The package gives no attribute a meaning.
//
// The files are lists of blocks by indentation: an attribute is a name, flags
// (r required, o optional, c computed, s sensitive, w write-only) and a type; a
// nested block is a name, the word block, its nesting mode and how often it may
// stand (0 for no limit).
package schema
