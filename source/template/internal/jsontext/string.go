package jsontext

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. It may go over several lines, which end in it as written.
func (p *parser) str() (string, error) {
	open, quote := p.pos(), p.src[p.at]
	p.at++
	from := p.at
	for p.at < len(p.src) && p.src[p.at] != quote && p.src[p.at] != '\\' {
		p.plain()
	}
	if p.peek() == quote {
		text := string(p.src[from:p.at])
		p.at++
		return p.checked(text, open)
	}
	var b strings.Builder
	b.Write(p.src[from:p.at])
	for p.at < len(p.src) {
		switch c := p.src[p.at]; c {
		case quote:
			p.at++
			return p.checked(b.String(), open)
		case '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
		default:
			p.plain()
			b.WriteByte(c)
		}
	}
	return "", &Error{open, "the string that begins here has no end"}
}

// plain passes over one byte of a string.
func (p *parser) plain() {
	if p.src[p.at] == '\n' {
		p.newline()
	}
	p.at++
}

func (p *parser) checked(text string, open Pos) (string, error) {
	if !utf8.ValidString(text) {
		return "", &Error{open, "the string that begins here is not UTF-8"}
	}
	return text, nil
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '\'': '\''}

func (p *parser) escape() (rune, error) {
	if p.at+1 >= len(p.src) {
		return 0, p.fail("the file ends in a string")
	}
	c := p.src[p.at+1]
	if r, ok := escapes[c]; ok {
		p.at += 2
		return r, nil
	}
	if c != 'u' {
		return 0, p.fail("\\%c is no escape: a backslash in a string is written \\\\", c)
	}
	r, ok := p.unit(p.at)
	if !ok {
		return 0, p.fail("\\u takes four hexadecimal digits")
	}
	p.at += 6
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if low, ok := p.unit(p.at); ok {
		if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
			p.at += 6
			return full, nil
		}
	}
	return utf8.RuneError, nil
}

// unit is the UTF-16 unit of the escape at a place.
func (p *parser) unit(at int) (rune, bool) {
	if at+6 > len(p.src) || p.src[at] != '\\' || p.src[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.src[at+2:at+6]), 16, 16)
	return rune(n), err == nil
}

// clip shortens a text for a message.
func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}
