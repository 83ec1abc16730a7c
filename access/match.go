package access

import "strings"

// matches reports whether an action is covered by a pattern of a role
// definition. A star stands for any number of characters, slashes included; case
// does not matter. Like Azure's own, "workspaces/*/read" also covers
// "workspaces/read": roles such as Virtual Machine User Login reach the
// resource itself by no other pattern.
func matches(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	if glob(pattern, action) {
		return true
	}
	return strings.Contains(pattern, "/*/") && glob(strings.ReplaceAll(pattern, "/*/", "/"), action)
}

// glob matches with stars, going back only to the latest star: its time is the
// product of the lengths at worst.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func anyMatches(patterns []string, action string) (string, bool) {
	for _, p := range patterns {
		if matches(p, action) {
			return p, true
		}
	}
	return "", false
}
