package report

import (
	"bufio"
	"fmt"
	"io"
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

// MatrixText writes the matrix as a table: a row a service, a column a place. A
// star marks what is reached by its public address.
func MatrixText(w io.Writer, cells []check.Cell, o Options) error {
	out := bufio.NewWriter(w)
	places, hosts, at := axes(cells)
	labels := make([]string, len(hosts))
	left := len("service")
	for i, h := range hosts {
		labels[i] = rowLabel(at[[2]string{places[0], h}])
		left = max(left, len([]rune(labels[i])))
	}
	column := 10
	for _, p := range places {
		column = max(column, len([]rune(p)))
	}
	column = min(column, 18) + 2
	for len(places) > 0 {
		n := min(max((o.width()-left-2)/column, 1), len(places))
		head := pad("service", left+2)
		for _, p := range places[:n] {
			head += pad(clip(p, column-2), column)
		}
		fmt.Fprintln(out, strings.TrimRight(o.paint(bold, head), " "))
		for i, h := range hosts {
			row := pad(labels[i], left+2)
			for _, p := range places[:n] {
				row += o.cell(at[[2]string{p, h}], column)
			}
			fmt.Fprintln(out, strings.TrimRight(row, " "))
		}
		fmt.Fprintln(out)
		places = places[n:]
	}
	o.legend(out, cells)
	return out.Flush()
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
	for _, m := range meetings {
		if m.word != c.Outcome() {
			continue
		}
		word := m.short
		if m.word != check.MeetNoName && m.word != check.MeetUnknown && !c.Resolve.Private() {
			word += " *"
		}
		return o.paint(m.style, word) + strings.Repeat(" ", max(width-len(word), 1))
	}
	return pad("?", width)
}

// legend explains the words that occur.
func (o Options) legend(out io.Writer, cells []check.Cell) {
	used, star := map[check.Meeting]bool{}, false
	for _, c := range cells {
		used[c.Outcome()] = true
		star = star || !c.Resolve.Private()
	}
	for _, m := range meetings {
		if used[m.word] {
			fmt.Fprintln(out, o.paint(faint, pad(m.short, 11)+m.what))
		}
	}
	if star {
		fmt.Fprintln(out, o.paint(faint, pad("*", 11)+"by the public address"))
	}
}
