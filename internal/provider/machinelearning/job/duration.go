package job

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration reads an ISO 8601 duration without years and months, as ARM writes
// them: PT30S, PT1H30M, P1D.
func Duration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration such as PT30S or PT1H30M", clip(s))
	rest, ok := strings.CutPrefix(strings.ToUpper(s), "P")
	if !ok || rest == "" {
		return 0, bad
	}
	date, clock, hasClock := strings.Cut(rest, "T")
	if hasClock && clock == "" {
		return 0, bad
	}
	d, err := units(date, map[byte]time.Duration{'D': 24 * time.Hour, 'W': 7 * 24 * time.Hour})
	if err != nil {
		return 0, bad
	}
	c, err := units(clock, map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second})
	if err != nil {
		return 0, bad
	}
	return d + c, nil
}

func units(s string, unit map[byte]time.Duration) (time.Duration, error) {
	var total time.Duration
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 || unit[s[end]] == 0 {
			return 0, strconv.ErrSyntax
		}
		n, err := strconv.ParseFloat(s[:end], 64)
		if err != nil || n > 1e6 {
			return 0, strconv.ErrSyntax
		}
		total += time.Duration(n * float64(unit[s[end]]))
		s = s[end+1:]
	}
	return total, nil
}

// FormatDuration writes a duration as ARM does: PT90S is PT1M30S.
func FormatDuration(d time.Duration) string {
	if d < time.Millisecond {
		return "PT0S"
	}
	out := "PT"
	if h := int64(d.Hours()); h > 0 {
		out += strconv.FormatInt(h, 10) + "H"
		d %= time.Hour
	}
	if m := int64(d.Minutes()); m > 0 {
		out += strconv.FormatInt(m, 10) + "M"
		d %= time.Minute
	}
	if d > 0 {
		out += strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S"
	}
	return out
}
