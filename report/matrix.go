package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/check"
)

// meanings of the words in a cell, in the order of the legend.
var meetings = []struct {
	word  check.Meeting
	short string
	style string
	what  string
}{
	{check.MeetAllowed, "allowed", green, "the call succeeds"},
	{check.MeetAdmitted, "admitted", green, "the service lets it in; no call is defined"},
	{check.MeetForbidden, "forbidden", yellow, "the identity may not do the call"},
	{check.MeetRefused, "refused", red, "the service's firewall refuses"},
	{check.MeetUnreachable, "blocked", red, "no connection: a route, a peering or an NSG"},
	{check.MeetNoName, "no name", red, "the name does not resolve"},
	{check.MeetUnknown, "unknown", yellow, "cannot be said before deployment"},
}

// MatrixText writes the matrix as a table: a row a service, a column a place or
// several that meet the same everywhere. A star marks what is reached by its public
// address. What is wider than the text goes on below.
func MatrixText(w io.Writer, cells []check.Cell, o Options) error {
	out := bufio.NewWriter(w)
	places, hosts, at := axes(cells)
	left := len("service")
	for _, h := range hosts {
		left = max(left, len([]rune(rowLabel(at[[2]string{places[0], h}]))))
	}
	left = min(left, o.width()/3)
	columns := alike(places, hosts, at)
	for len(columns) > 0 {
		widths := o.fit(columns, o.width()-left-2)
		o.heads(out, columns[:len(widths)], widths, left)
		for _, h := range hosts {
			row := pad(clip(rowLabel(at[[2]string{places[0], h}]), left), left+2)
			for i, width := range widths {
				row += o.cell(at[[2]string{columns[i][0], h}], width)
			}
			fmt.Fprintln(out, strings.TrimRight(row, " "))
		}
		fmt.Fprintln(out)
		columns = columns[len(widths):]
	}
	legend(cells, func(word, what string) { fmt.Fprintln(out, o.paint(faint, pad(word, 11)+what)) })
	return out.Flush()
}

// alike puts places together that meet the same at every service, in order of the
// first of them.
func alike(places, hosts []string, at map[[2]string]check.Cell) [][]string {
	index := map[string]int{}
	var out [][]string
	for _, p := range places {
		var key strings.Builder
		for _, h := range hosts {
			key.WriteString(cellWord(at[[2]string{p, h}]) + "|")
		}
		i, ok := index[key.String()]
		if !ok {
			i = len(out)
			index[key.String()] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}

// widest is how much of a place's name a column shows.
const widest = 18

// fit are the widths of as many columns as there is room for, and of one at least.
func (o Options) fit(columns [][]string, room int) []int {
	var out []int
	for _, c := range columns {
		width := len("forbidden *")
		for _, p := range c {
			width = max(width, min(len([]rune(p)), widest))
		}
		if room -= width + 1; room < 0 && len(out) > 0 {
			break
		}
		out = append(out, width+1)
	}
	return out
}

// mostHeads is how many names of one column are written: of more the first, and how
// many there are beside.
const mostHeads = 8

// heads writes the names of columns, those of one below each other.
func (o Options) heads(out io.Writer, columns [][]string, widths []int, left int) {
	columns = slices.Clone(columns)
	for i, c := range columns {
		if len(c) > mostHeads {
			columns[i] = append(slices.Clone(c[:mostHeads-1]), fmt.Sprintf("and %d more", len(c)-mostHeads+1))
		}
	}
	rows := 0
	for _, c := range columns {
		rows = max(rows, len(c))
	}
	for r := range rows {
		head := strings.Repeat(" ", left+2)
		if r == rows-1 {
			head = pad("service", left+2)
		}
		for i, c := range columns {
			name := ""
			if n := r - (rows - len(c)); n >= 0 {
				name = clip(c[n], widths[i]-1)
			}
			head += pad(name, widths[i])
		}
		fmt.Fprintln(out, strings.TrimRight(o.paint(bold, strings.TrimRight(head, " ")), " "))
	}
}

// axes are the places and hosts in their order, and the cell of each pair.
func axes(cells []check.Cell) (places, hosts []string, at map[[2]string]check.Cell) {
	at = map[[2]string]check.Cell{}
	seenPlace, seenHost := map[string]bool{}, map[string]bool{}
	for _, c := range cells {
		p, h := printable(c.From.Name), c.To.Host
		if !seenPlace[p] {
			seenPlace[p] = true
			places = append(places, p)
		}
		if !seenHost[h] {
			seenHost[h] = true
			hosts = append(hosts, h)
		}
		at[[2]string{p, h}] = c
	}
	return places, hosts, at
}

func rowLabel(c check.Cell) string {
	if c.To.Resource == "" {
		return c.To.Host
	}
	return printable(c.To.Service + " " + c.To.Resource.Name())
}

func (o Options) cell(c check.Cell, width int) string {
	word := cellWord(c)
	return o.paint(outcomeStyle(c.Outcome()), word) + strings.Repeat(" ", max(width-len(word), 1))
}

// cellWord is what a client meets, with a star where it goes by a public address.
func cellWord(c check.Cell) string {
	for _, m := range meetings {
		if m.word != c.Outcome() {
			continue
		}
		if m.word != check.MeetNoName && m.word != check.MeetUnknown && !c.Resolve.Private() {
			return m.short + " *"
		}
		return m.short
	}
	return "?"
}

// legend gives the words that occur, with what they mean.
func legend(cells []check.Cell, give func(word, what string)) {
	used, star := map[check.Meeting]bool{}, false
	for _, c := range cells {
		used[c.Outcome()] = true
		star = star || strings.HasSuffix(cellWord(c), "*")
	}
	for _, m := range meetings {
		if used[m.word] {
			give(m.short, m.what)
		}
	}
	if star {
		give("*", "by the public address")
	}
}
