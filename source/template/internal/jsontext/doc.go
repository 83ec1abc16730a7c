// Package jsontext parses JSON as Azure Resource Manager accepts it in templates,
// and keeps the place of every value: with comments, strings that go over several
// lines and commas after the last element.
//
// It bounds size and depth, and gives no member a meaning.
//
// Source: Microsoft Learn, "Understand the structure and syntax of ARM templates",
// "Comments and metadata" and "Multi-line strings"; RFC 8259.
package jsontext
