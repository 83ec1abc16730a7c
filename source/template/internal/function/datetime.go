package function

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// standard are the .NET formats of one letter in the invariant culture, as
// custom ones.
//
// Source: Microsoft Learn, "Standard date and time format strings".
var standard = map[string]string{
	"d": "M/d/yyyy", "D": "dddd, dd MMMM yyyy", "f": "dddd, dd MMMM yyyy HH:mm", "F": "dddd, dd MMMM yyyy HH:mm:ss",
	"g": "M/d/yyyy h:mm tt", "G": "M/d/yyyy h:mm:ss tt", "M": "MMMM dd", "m": "MMMM dd",
	"o": "yyyy-MM-ddTHH:mm:ss.fffffffZ", "O": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
	"r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'", "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
	"s": "yyyy-MM-ddTHH:mm:ss", "t": "h:mm tt", "T": "h:mm:ss tt", "u": "yyyy-MM-dd HH:mm:ssZ",
	"U": "dddd, dd MMMM yyyy HH:mm:ss", "Y": "yyyy MMMM", "y": "yyyy MMMM",
}

// FormatTime writes a point of time in UTC in a .NET format.
//
// Source: Microsoft Learn, "Custom date and time format strings".
func FormatTime(t time.Time, net string) (string, error) {
	t = t.UTC()
	if custom, ok := standard[net]; ok {
		net = custom
	} else if len(net) == 1 && strings.Contains("abcehijklnpqvwxzABCEHIJKLNPQSVWXZ", net) {
		return "", errors.New("the date format is not one that .NET has")
	}
	if len(net) > 1000 {
		return "", errors.New("the date format has more than 1000 characters")
	}
	net = strings.TrimPrefix(net, "%")
	var b strings.Builder
	for i := 0; i < len(net); {
		n := run(net[i:])
		switch c := net[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(net[i+1:], c)
			if end < 0 {
				return "", errors.New("the date format has a quote without an end")
			}
			b.WriteString(net[i+1 : i+1+end])
			n = end + 2
		case c == '\\' && i+1 < len(net):
			b.WriteByte(net[i+1])
			n = 2
		default:
			b.WriteString(timePart(t, c, n))
		}
		i += n
	}
	return b.String(), nil
}

// run is how often the first character follows itself.
func run(s string) int {
	n := 1
	for n < len(s) && s[n] == s[0] {
		n++
	}
	return n
}

// timePart is what n of a letter stand for; what is no letter of a date is itself.
func timePart(t time.Time, c byte, n int) string {
	switch c {
	case 'y':
		return yearPart(t, n)
	case 'M':
		return named(n, int(t.Month()), t.Month().String())
	case 'd':
		return named(n, t.Day(), t.Weekday().String())
	case 'H':
		return padded(t.Hour(), n)
	case 'h':
		return padded((t.Hour()+11)%12+1, n)
	case 'm':
		return padded(t.Minute(), n)
	case 's':
		return padded(t.Second(), n)
	case 'f', 'F':
		return fraction(t, c, n)
	case 't':
		return t.Format("PM")[:min(n, 2)]
	case 'z':
		return []string{"+0", "+00", "+00:00"}[min(n, 3)-1]
	case 'K':
		return "Z"
	}
	return strings.Repeat(string(rune(c)), n)
}

func yearPart(t time.Time, n int) string {
	if n <= 2 {
		return padded(t.Year()%100, n)
	}
	s := strconv.Itoa(t.Year())
	return strings.Repeat("0", max(n-len(s), 0)) + s
}

// named is a number of one or two digits, or a name, cut to three letters or whole.
func named(n, number int, name string) string {
	switch {
	case n <= 2:
		return padded(number, n)
	case n == 3:
		return name[:3]
	}
	return name
}

func padded(v, n int) string {
	s := strconv.Itoa(v)
	if n >= 2 && len(s) < 2 {
		return "0" + s
	}
	return s
}

func fraction(t time.Time, c byte, n int) string {
	s := strconv.Itoa(1e9 + t.Nanosecond())[1:]
	s = s[:min(n, 7)]
	if c == 'F' {
		s = strings.TrimRight(s, "0")
	}
	return s
}
