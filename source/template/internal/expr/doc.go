// Package expr parses the expressions of Azure Resource Manager templates, the
// text between the brackets of "[...]".
//
// It knows no function: it never says what an expression is worth.
//
// Source: Microsoft Learn, "Syntax and expressions in ARM templates".
package expr
