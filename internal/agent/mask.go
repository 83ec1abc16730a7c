package agent

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// masker hides secrets in text: their values, and the forms that programs commonly
// give them.
type masker struct {
	mu     sync.RWMutex
	values []string
}

const maskText = "***"

// add hides a value from now on. Of a value of several lines each line is hidden
// too, because output is masked line by line.
func (m *masker) add(value string) {
	value = strings.Trim(value, "\r\n")
	if value == "" {
		return
	}
	forms := []string{value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value))}
	if quoted, err := json.Marshal(value); err == nil {
		forms = append(forms, strings.Trim(string(quoted), `"`))
	}
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= 4 { // a brace alone gives nothing away
				forms = append(forms, line)
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range forms {
		if !slices.Contains(m.values, f) {
			m.values = append(m.values, f)
		}
	}
}

// mask replaces every secret. Where secrets overlap, all that any of them covers
// is hidden.
func (m *masker) mask(text string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	type span struct{ from, to int }
	var spans []span
	for _, v := range m.values {
		for at := 0; ; {
			i := strings.Index(text[at:], v)
			if i < 0 {
				break
			}
			spans = append(spans, span{at + i, at + i + len(v)})
			at += i + 1
		}
	}
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	end := 0
	for i, s := range spans {
		if i == 0 || s.from > end {
			b.WriteString(text[end:s.from])
			b.WriteString(maskText)
		}
		end = max(end, s.to)
	}
	b.WriteString(text[end:])
	return b.String()
}
