package expression

import "strings"

// Macros replaces each $(name) that lookup knows; others stay as they are, as in
// Azure Pipelines, because $(date) is also how a shell runs a command. A value
// that holds a macro itself is replaced too, ten deep at most.
func Macros(text string, lookup func(name string) (string, bool)) string {
	return macros(text, lookup, 10)
}

func macros(text string, lookup func(string) (string, bool), depth int) string {
	if depth == 0 || !strings.Contains(text, "$(") {
		return text
	}
	var b strings.Builder
	for b.Len() < 1<<20 {
		start := strings.Index(text, "$(")
		if start < 0 {
			break
		}
		end := strings.IndexByte(text[start:], ')')
		if end < 0 {
			break
		}
		b.WriteString(text[:start])
		value, known := lookup(text[start+2 : start+end])
		if known {
			b.WriteString(macros(value, lookup, depth-1))
			text = text[start+end+1:]
			continue
		}
		b.WriteString("$(") // what follows may hold a macro of its own: $(echo $(x))
		text = text[start+2:]
	}
	b.WriteString(text)
	return b.String()
}

// IsRuntime says whether a variable's text is a runtime expression, $[ ... ], and
// gives what stands inside.
func IsRuntime(text string) (inner string, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "$[") || !strings.HasSuffix(text, "]") {
		return "", false
	}
	return strings.TrimSpace(text[2 : len(text)-1]), true
}
