package floorplan

import "strings"

// widths are the advances of the letters of Arial, in thousandths of the size, as
// far as they differ from the digits' 556.
var widths = func() [128]int {
	var w [128]int
	for i := range w {
		w[i] = 556
	}
	for _, g := range []struct {
		letters string
		width   int
	}{
		{"ijl'|", 230}, {" .,:;/!tfI[]\\", 278}, {"()-r`", 333}, {"\"", 355}, {"*", 389}, {"ckvxyszJ", 500},
		{"+<=>~", 584}, {"TFZ", 611}, {"ABEKPSVXY&", 667}, {"w", 722}, {"CDHNRU", 722}, {"GOQ", 778}, {"mM", 833}, {"%", 889}, {"W", 944}, {"@", 1015},
	} {
		for _, c := range g.letters {
			w[c] = g.width
		}
	}
	return w
}()

// slack allows for readers that have a wider font than Arial.
const slack = 1.08

// width estimates how wide text is drawn, in pixels; never too little by much.
func width(s string, size float64, style string) int {
	if style == mono {
		return int(float64(len([]rune(s)))*size*0.602 + 1)
	}
	sum := 0
	for _, c := range s {
		if c < 128 {
			sum += widths[c]
			continue
		}
		sum += 700
	}
	f := float64(sum) / 1000 * size * slack
	if style == bold {
		f *= 1.07
	}
	return int(f + 1)
}

const (
	plain = ""
	bold  = "bold"
	mono  = "mono"
)

// clip shortens text in its middle until it fits: names differ at both ends.
func clip(s string, room int, size float64, style string) string {
	if width(s, size, style) <= room {
		return s
	}
	runes := []rune(s)
	for keep := len(runes) - 1; keep > 1; keep-- {
		head := (keep + 1) / 2
		short := string(runes[:head]) + "…" + string(runes[len(runes)-(keep-head):])
		if width(short, size, style) <= room {
			return short
		}
	}
	return "…"
}

// wrapText breaks text into at most lines lines that fit; the last ends in an
// ellipsis where something is left out.
func wrapText(s string, room int, size float64, lines int) []string {
	var out []string
	line := ""
	words := strings.Fields(s)
	for i, w := range words {
		next := strings.TrimSpace(line + " " + w)
		if width(next, size, plain) <= room || line == "" {
			line = next
			continue
		}
		if len(out) == lines-1 {
			rest := strings.Join(append([]string{line}, words[i:]...), " ")
			return append(out, clipEnd(rest, room, size))
		}
		out = append(out, line)
		line = w
	}
	if line == "" {
		return out
	}
	return append(out, clipEnd(line, room, size))
}

// clipEnd shortens text at its end.
func clipEnd(s string, room int, size float64) string {
	if width(s, size, plain) <= room {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && width(string(runes)+"…", size, plain) > room {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// clean makes text fit to stand in XML: what XML 1.0 does not allow becomes U+FFFD.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case r < 0x20, r == 0xFFFE, r == 0xFFFF, r >= 0xD800 && r <= 0xDFFF:
			return '\uFFFD'
		}
		return r
	}, s)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// esc is text as it stands in an element or an attribute.
func esc(s string) string { return escaper.Replace(clean(strings.ToValidUTF8(s, "\uFFFD"))) }
