package function

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var texts = map[string]function{
	"string":  {min: 1, max: 1, deep: true, call: func(args []any) (any, error) { return asText(args, 0) }},
	"toLower": {min: 1, max: 1, call: one(strings.ToLower)},
	"toUpper": {min: 1, max: 1, call: one(strings.ToUpper)},
	"trim":    {min: 1, max: 1, call: one(strings.TrimSpace)},
	"base64":  {min: 1, max: 1, call: one(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })},
	"base64ToString": {min: 1, max: 1, call: func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		return fromBase64(s)
	}},
	"base64ToJson": {min: 1, max: 1, call: func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		if s, err = fromBase64(s); err != nil {
			return nil, err
		}
		return fromJSON(s)
	}},
	"startsWith": {min: 2, max: 2, call: two(func(s, part string) any { return len(s) >= len(part) && strings.EqualFold(s[:len(part)], part) })},
	"endsWith": {min: 2, max: 2, call: two(func(s, part string) any {
		return len(s) >= len(part) && strings.EqualFold(s[len(s)-len(part):], part)
	})},
	"indexOf":     {min: 2, max: 2, deep: true, call: func(args []any) (any, error) { return find(args, strings.Index, false) }},
	"lastIndexOf": {min: 2, max: 2, deep: true, call: func(args []any) (any, error) { return find(args, strings.LastIndex, true) }},
	"like":        {min: 2, max: 2, call: two(func(s, pattern string) any { return like(strings.ToLower(s), strings.ToLower(pattern)) })},
	"join":        {min: 2, max: 2, deep: true, call: join},
	"padLeft":     {min: 2, max: 3, call: padLeft},
	"replace":     {min: 3, max: 3, call: replace},
	"split":       {min: 2, max: 2, deep: true, call: split},
	"substring":   {min: 2, max: 3, call: substring},
}

func one(f func(string) string) func([]any) (any, error) {
	return func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

func two(f func(a, b string) any) func([]any) (any, error) {
	return func(args []any) (any, error) {
		a, b, err := twoTexts(args)
		if err != nil {
			return nil, err
		}
		return f(a, b), nil
	}
}

// asText is a value that is known as string() gives it.
func asText(args []any, i int) (string, error) {
	s, ok := value.Text(args[i])
	if !ok {
		return "", wrong(i, "a value that has a text", args[i])
	}
	return s, nil
}

func fromBase64(s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("the text is not base64")
	}
	if !utf8.Valid(raw) {
		return "", errors.New("what the base64 stands for is not text in UTF-8")
	}
	return string(raw), nil
}

// find is the place of a part, without regard to case, or of an array's element;
// -1 where there is none.
func find(args []any, index func(s, part string) int, last bool) (any, error) {
	if l, ok := args[0].([]any); ok {
		at := int64(-1)
		for i, e := range l {
			if same, _, _ := value.Equal(e, args[1]); same {
				if at = int64(i); !last {
					break
				}
			}
		}
		return at, nil
	}
	s, part, err := twoTexts(args)
	if err != nil {
		return nil, err
	}
	lower := strings.ToLower(s)
	at := index(lower, strings.ToLower(part))
	if at < 0 {
		return int64(-1), nil
	}
	return int64(utf8.RuneCountInString(lower[:at])), nil
}

// like matches * for any text and ? for any character.
func like(s, pattern string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, mark = j, i
			j++
		case j < len(pattern) && (pattern[j] == '?' || pattern[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}

func join(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	by, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, e := range l {
		s, ok := value.Text(e)
		if !ok {
			return nil, fmt.Errorf("element %d is %s", i, value.Kind(e))
		}
		if b.Len()+len(s)+len(by) > maxText {
			return nil, errLong
		}
		if i > 0 {
			b.WriteString(by)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func padLeft(args []any) (any, error) {
	s, err := asText(args, 0)
	if err != nil {
		return nil, err
	}
	width, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	pad := " "
	if len(args) == 3 {
		if pad, err = text(args, 2); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(pad) != 1 {
			return nil, fmt.Errorf("argument 3 should be one character and is %q", pad)
		}
	}
	if width > maxText/4 {
		return nil, errLong
	}
	if n := int(width) - utf8.RuneCountInString(s); n > 0 {
		s = strings.Repeat(pad, n) + s
	}
	return s, nil
}

func replace(args []any) (any, error) {
	s, old, err := twoTexts(args)
	if err != nil {
		return nil, err
	}
	by, err := text(args, 2)
	if err != nil {
		return nil, err
	}
	if old == "" {
		return nil, errors.New("argument 2 is empty")
	}
	if grow := len(by) - len(old); grow > 0 && strings.Count(s, old) > (maxText-min(len(s), maxText))/grow {
		return nil, errLong
	}
	return strings.ReplaceAll(s, old, by), nil
}

// split takes one delimiter or an array of them.
func split(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	var by []string
	switch d := args[1].(type) {
	case string:
		by = []string{d}
	case []any:
		for i := range d {
			one, err := text(d, i)
			if err != nil {
				return nil, err
			}
			by = append(by, one)
		}
	default:
		return nil, wrong(1, "a string or an array of them", args[1])
	}
	out := []any{}
	for from, at := 0, 0; ; {
		n := delimiter(s[at:], by)
		switch {
		case len(out) > maxItems:
			return nil, errMany
		case at >= len(s):
			return append(out, s[from:]), nil
		case n > 0:
			out = append(out, s[from:at])
			at += n
			from = at
		default:
			at++
		}
	}
}

// delimiter is the length of the delimiter that s begins with, or 0.
func delimiter(s string, by []string) int {
	for _, d := range by {
		if d != "" && strings.HasPrefix(s, d) {
			return len(d)
		}
	}
	return 0
}

func substring(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	r := []rune(s)
	start, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	size := int64(len(r)) - start
	if len(args) == 3 {
		if size, err = whole(args, 2); err != nil {
			return nil, err
		}
	}
	if start < 0 || size < 0 || start > int64(len(r)) || size > int64(len(r))-start {
		return nil, fmt.Errorf("it asks for %d characters from %d on, and the string has %s", size, start, strconv.Itoa(len(r)))
	}
	return string(r[start : start+size]), nil
}
