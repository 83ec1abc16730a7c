package authorization

import (
	"regexp"
	"strings"
)

// term is one part of a $filter.
type term struct{ name, value string }

var (
	call    = regexp.MustCompile(`(?i)^(atScope\(\)|atScopeAndBelow\(\))$`)
	callOf  = regexp.MustCompile(`(?i)^(assignedTo)\('([^']*)'\)$`)
	compare = regexp.MustCompile(`(?i)^(principalId|roleName|type)\s+eq\s+'([^']*)'$`)
	joined  = regexp.MustCompile(`(?i)\s+and\s+`)
)

// filterTerms reads a $filter: terms that all must hold.
func filterTerms(text string) ([]term, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var out []term
	for _, part := range joined.Split(text, -1) {
		part = strings.TrimSpace(part)
		switch {
		case call.MatchString(part):
			out = append(out, term{name: strings.ToLower(part)})
		case callOf.MatchString(part):
			m := callOf.FindStringSubmatch(part)
			out = append(out, term{strings.ToLower(m[1]), m[2]})
		case compare.MatchString(part):
			m := compare.FindStringSubmatch(part)
			out = append(out, term{strings.ToLower(m[1]), m[2]})
		default:
			return nil, refuse("UnsupportedQuery", "The filter '%s' cannot be read.", text)
		}
	}
	return out, nil
}
