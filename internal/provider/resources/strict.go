package resources

import "bytes"

// strict makes JSON of what ARM takes for it: comments, names without quotes, line
// ends within strings and commas after the last element are allowed in a template,
// and az sends it as it was written, under a name without quotes. What is no JSON
// after that is left for the decoder to refuse.
//
// Source: Azure Resource Manager, "Understand the structure and syntax of ARM
// templates", comments and multi-line strings.
func strict(data []byte) []byte {
	var out bytes.Buffer
	comma := -1 // where a comma is, of which it is not known yet whether anything follows
	for i := 0; i < len(data); {
		c := data[i]
		switch {
		case c == '"':
			i = copyString(&out, data, i)
		case c == '/' && i+1 < len(data) && data[i+1] == '/':
			i = after(data, i, "\n")
			out.WriteByte('\n')
			continue
		case c == '/' && i+1 < len(data) && data[i+1] == '*':
			i = after(data, i+2, "*/")
			out.WriteByte(' ')
			continue
		case nameByte(c) && c != '-' && (c < '0' || c > '9'):
			i = copyWord(&out, data, i)
		default:
			if (c == '}' || c == ']') && comma >= 0 {
				out.Bytes()[comma] = ' '
			}
			out.WriteByte(c)
			i++
		}
		switch c {
		case ' ', '\t', '\r', '\n':
		case ',':
			comma = out.Len() - 1
		default:
			comma = -1
		}
	}
	return out.Bytes()
}

// after is the place behind the next end, or the end of all.
func after(data []byte, from int, end string) int {
	if n := bytes.Index(data[from:], []byte(end)); n >= 0 {
		return from + n + len(end)
	}
	return len(data)
}

// copyString copies a string; line ends and tabs in it are escaped.
func copyString(out *bytes.Buffer, data []byte, i int) int {
	out.WriteByte('"')
	for i++; i < len(data); i++ {
		switch c := data[i]; c {
		case '\\':
			out.WriteByte(c)
			if i++; i < len(data) {
				out.WriteByte(data[i])
			}
		case '\n':
			out.WriteString(`\n`)
		case '\r':
			out.WriteString(`\r`)
		case '\t':
			out.WriteString(`\t`)
		default:
			out.WriteByte(c)
			if c == '"' {
				return i + 1
			}
		}
	}
	return i
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// copyWord copies a word, in quotes where a colon follows it: then it is a name.
func copyWord(out *bytes.Buffer, data []byte, i int) int {
	end := i
	for end < len(data) && nameByte(data[end]) {
		end++
	}
	next := bytes.TrimLeft(data[end:], " \t\r\n")
	if len(next) > 0 && next[0] == ':' {
		out.WriteByte('"')
		out.Write(data[i:end])
		out.WriteByte('"')
		return end
	}
	out.Write(data[i:end])
	return end
}
