// Package value is what expressions of templates are worth: nil, bool, int64,
// float64, string, []any, map[string]any, and what is not known before
// deployment, as [Unknown] or in part as [Partial].
//
// It converts and compares, and never evaluates.
package value
