package function

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Source: Microsoft Learn, "Composite formatting", "Standard numeric format
// strings" and "Custom numeric format strings" of .NET.
var formats = map[string]function{
	"format": {min: 1, max: -1, open: true, call: format},
}

func format(args []any) (any, error) {
	if u, unknown := value.Unsure(args[0]); unknown {
		return u.As(symbol("format", args)), nil
	}
	pattern, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	var doubt value.Unknown
	unknown := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if b.Len() > maxText {
			return nil, errLong
		}
		if c != '{' && c != '}' {
			b.WriteByte(c)
			continue
		}
		if i+1 < len(pattern) && pattern[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		end := strings.IndexByte(pattern[i:], '}')
		if c == '}' || end < 0 {
			return nil, fmt.Errorf("the brace at character %d has no partner: a brace itself is written twice", i+1)
		}
		s, u, unsure, err := item(pattern[i+1:i+end], args[1:])
		if err != nil {
			return nil, err
		}
		if unsure && !unknown {
			doubt, unknown = u, true
		}
		b.WriteString(s)
		i += end
	}
	if unknown {
		return doubt.As(b.String()), nil
	}
	return b.String(), nil
}

// item is a format item: index[,alignment][:format].
func item(spec string, args []any) (_ string, _ value.Unknown, unsure bool, err error) {
	head, how, _ := strings.Cut(spec, ":")
	index, align, aligned := strings.Cut(head, ",")
	n, err := strconv.Atoi(strings.TrimSpace(index))
	if err != nil {
		return "", value.Unknown{}, false, fmt.Errorf("{%s} names no argument by its number", spec)
	}
	if n < 0 || n >= len(args) {
		return "", value.Unknown{}, false, fmt.Errorf("{%s} names an argument that is not there: there are %d, from 0 on", spec, len(args))
	}
	if u, unknown := value.UnsureWithin(args[n]); unknown {
		return value.Symbol(u), u, true, nil
	}
	s, err := formatted(args[n], how)
	if err != nil || !aligned {
		return s, value.Unknown{}, false, err
	}
	width, err := strconv.Atoi(strings.TrimSpace(align))
	if err != nil || width > 1<<16 || width < -1<<16 {
		return "", value.Unknown{}, false, fmt.Errorf("{%s} has no width that can be used", spec)
	}
	pad := strings.Repeat(" ", max(max(width, -width)-utf8.RuneCountInString(s), 0))
	if width < 0 {
		return s + pad, value.Unknown{}, false, nil
	}
	return pad + s, value.Unknown{}, false, nil
}

func formatted(v any, how string) (string, error) {
	var n float64
	switch x := v.(type) {
	case int64:
		if how == "" {
			return strconv.FormatInt(x, 10), nil
		}
		if s, ok := wholeFormat(x, how); ok {
			return s, nil
		}
		n = float64(x)
	case float64:
		n = x
	default:
		s, ok := value.Text(v)
		if !ok {
			return "", fmt.Errorf("%s has no text", value.Kind(v))
		}
		return s, nil
	}
	if how == "" {
		s, _ := value.Text(v)
		return s, nil
	}
	return numberFormat(n, how)
}

// precision is the number after a standard format's letter.
func precision(how string, def int) (int, bool) {
	if len(how) == 1 {
		return def, true
	}
	p, err := strconv.Atoi(how[1:])
	return p, err == nil && p >= 0 && p <= 99
}

// wholeFormat has the formats that only whole numbers have: D, X and B.
func wholeFormat(n int64, how string) (_ string, ok bool) {
	p, standard := precision(how, 0)
	if !standard {
		return "", false
	}
	switch how[0] {
	case 'D', 'd':
		s := strconv.FormatUint(magnitude(n), 10)
		s = strings.Repeat("0", max(p-len(s), 0)) + s
		if n < 0 {
			s = "-" + s
		}
		return s, true
	case 'X', 'x', 'B', 'b':
		base := map[byte]int{'X': 16, 'x': 16, 'B': 2, 'b': 2}[how[0]]
		s := strconv.FormatUint(uint64(n), base)
		if how[0] == 'X' {
			s = strings.ToUpper(s)
		}
		return strings.Repeat("0", max(p-len(s), 0)) + s, true
	}
	return "", false
}

var errFormat = errors.New("the number format is not one of C, D, E, F, G, N, P, R, X or one made of 0, #, '.' and ','")

// numberFormat has the formats of all numbers, in the invariant culture.
func numberFormat(n float64, how string) (string, error) {
	p, standard := precision(how, 2)
	if !standard {
		return customFormat(n, how)
	}
	switch how[0] {
	case 'F', 'f':
		return strconv.FormatFloat(n, 'f', p, 64), nil
	case 'N', 'n':
		return grouped(strconv.FormatFloat(n, 'f', p, 64)), nil
	case 'P', 'p':
		return grouped(strconv.FormatFloat(n*100, 'f', p, 64)) + " %", nil
	case 'C', 'c':
		if n < 0 {
			return "(¤" + grouped(strconv.FormatFloat(-n, 'f', p, 64)) + ")", nil
		}
		return "¤" + grouped(strconv.FormatFloat(n, 'f', p, 64)), nil
	case 'E', 'e':
		p, _ := precision(how, 6)
		s := strconv.FormatFloat(n, 'E', p, 64)
		if mantissa, exp, ok := strings.Cut(s, "E"); ok && len(exp) < 4 {
			s = mantissa + "E" + exp[:1] + strings.Repeat("0", 4-len(exp)) + exp[1:]
		}
		if how[0] == 'e' {
			s = strings.ToLower(s)
		}
		return s, nil
	case 'G', 'g', 'R', 'r':
		return strconv.FormatFloat(n, 'G', -1, 64), nil
	}
	return customFormat(n, how)
}

// grouped puts commas between thousands.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	digits, rest, _ := strings.Cut(s, ".")
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if rest != "" {
		b.WriteString("." + rest)
	}
	return sign + b.String()
}

// customFormat has 0 for a digit, # for one that may be missing, '.' and ','.
func customFormat(n float64, how string) (string, error) {
	if strings.Trim(how, "0#.,") != "" || strings.Count(how, ".") > 1 || len(how) > 99 {
		return "", errFormat
	}
	before, after, _ := strings.Cut(how, ".")
	thousands := strings.Contains(before, ",")
	before = strings.ReplaceAll(before, ",", "")
	s := strconv.FormatFloat(n, 'f', len(after), 64)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	digits, fraction, _ := strings.Cut(s, ".")
	least := 0
	if i := strings.IndexByte(before, '0'); i >= 0 {
		least = len(before) - i
	}
	digits = strings.TrimLeft(digits, "0")
	digits = strings.Repeat("0", max(least-len(digits), 0)) + digits
	keep := strings.LastIndexByte(after, '0') + 1
	for len(fraction) > keep && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if thousands {
		digits = grouped(digits)
	}
	if fraction != "" {
		digits += "." + fraction
	}
	return sign + digits, nil
}
