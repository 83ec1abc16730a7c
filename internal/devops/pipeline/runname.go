package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

// DefaultRunName is the format of a run's name where the pipeline gives none.
const DefaultRunName = "$(Date:yyyyMMdd)$(Rev:.r)"

const maxRunName = 255

// RunName makes a run's name of a format. revision answers how many runs of the
// same name without its revision there were, and one.
func RunName(format string, at time.Time, variables map[string]string, revision func(name string) (int64, error)) (string, error) {
	if format == "" {
		format = DefaultRunName
	}
	revisions := ""
	name := expression.Macros(format, func(word string) (string, bool) {
		kind, argument, _ := strings.Cut(word, ":")
		switch strings.ToLower(kind) {
		case "date":
			return formatDate(argument, at), true
		case "rev":
			revisions = argument
			return "\x00", true // where the revision will stand
		}
		for k, v := range variables {
			if strings.EqualFold(k, word) {
				return v, true
			}
		}
		return "", false
	})
	if strings.Contains(name, "\x00") {
		n, err := revision(name)
		if err != nil {
			return "", err
		}
		name = strings.ReplaceAll(name, "\x00", formatRevision(revisions, n))
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"/:<>\\|?@*\n\r\t", r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(name))
	if len(name) > maxRunName {
		name = name[:maxRunName]
	}
	return strings.ToValidUTF8(name, ""), nil
}

// formatRevision writes .r as .7 and .rrr as .007.
func formatRevision(format string, n int64) string {
	digits := strings.Count(format, "r")
	prefix, _, _ := strings.Cut(format, "r")
	return fmt.Sprintf("%s%0*d", prefix, digits, n)
}

var dateWords = []struct{ word, layout string }{
	{"yyyy", "2006"}, {"yy", "06"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"},
	{"dd", "02"}, {"d", "2"}, {"HH", "15"}, {"mm", "04"}, {"ss", "05"}, {"DayOfYear", ""},
}

func formatDate(format string, at time.Time) string {
	if format == "" {
		format = "yyyyMMdd"
	}
	var b strings.Builder
next:
	for format != "" {
		for _, w := range dateWords {
			if !strings.HasPrefix(format, w.word) {
				continue
			}
			if w.layout == "" {
				fmt.Fprint(&b, at.YearDay())
			} else {
				b.WriteString(at.Format(w.layout))
			}
			format = format[len(w.word):]
			continue next
		}
		b.WriteByte(format[0])
		format = format[1:]
	}
	return b.String()
}
