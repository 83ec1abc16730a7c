package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/verdict"
)

// ExfilText writes the ways out for people.
func ExfilText(w io.Writer, x *check.Exfiltration, o Options) error {
	t := &text{out: bufio.NewWriter(w), o: o}
	for _, l := range wrap(exfilTitle(x), o.width()) {
		t.line(o.paint(bold, l))
	}
	t.line("")
	for _, way := range x.Ways {
		t.way(way)
	}
	return t.out.Flush()
}

func exfilTitle(x *check.Exfiltration) string {
	certain, places := 0, "places"
	for _, way := range x.Ways {
		if way.Value == verdict.Yes {
			certain++
		}
	}
	if len(x.Places) == 1 {
		places = "place"
	}
	switch {
	case len(x.Places) == 0:
		return "no machine, compute or node pool was found from which data could leave"
	case len(x.Ways) == 0:
		return fmt.Sprintf("there is no way by which data can leave from %d %s", len(x.Places), places)
	case certain == len(x.Ways):
		return fmt.Sprintf("%d ways by which data can leave from %d %s", certain, len(x.Places), places)
	}
	return fmt.Sprintf("%d ways by which data can leave from %d %s, and %d of which it cannot be known", certain, len(x.Places), places, len(x.Ways)-certain)
}

func (t *text) way(way check.Way) {
	mark, style := "OPEN", yellow
	switch {
	case way.Value == verdict.Unknown:
		mark = "UNKNOWN"
	case way.Kind == check.WayInternet:
		style = red
	}
	head := wayTo(way)
	for i, l := range wrap(printable(head), t.o.width()-indent) {
		if i == 0 {
			t.line(t.o.paint(bold+";"+style, pad(mark, indent)) + t.o.paint(bold, l))
			continue
		}
		t.line(strings.Repeat(" ", indent) + t.o.paint(bold, l))
	}
	if way.Means != "" {
		t.block("means", way.Means)
	}
	if len(way.Destinations) > 0 {
		t.block("only", someOf(way.Destinations, mostRanges))
	}
	if len(way.Tags) > 0 {
		t.block("with", someOf(way.Tags, len(way.Tags)))
	}
	for _, d := range way.From {
		t.block("from", several(d.Places))
		t.block("", d.Reason)
		if s := t.where(d.Source, ""); s != "" {
			t.block("", s)
		}
	}
	t.line("")
}

// mostRanges is how many prefixes a line lists.
const mostRanges = 6

func someOf(list []string, most int) string {
	if n := len(list) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), n)
	}
	return strings.Join(list, ", ")
}

func wayTo(way check.Way) string {
	if s := way.Traffic.String(); s != "" {
		return way.To + ", " + s
	}
	return way.To
}

// ExfilJSON writes the ways out.
func ExfilJSON(w io.Writer, x *check.Exfiltration, o Options) error {
	ways := append([]check.Way{}, x.Ways...)
	for i := range ways {
		ways[i].From = append([]check.Door{}, ways[i].From...)
		for j := range ways[i].From {
			ways[i].From[j].Source.File = o.file(ways[i].From[j].Source)
		}
	}
	return encode(w, struct {
		Places []check.Place `json:"places"`
		Ways   []check.Way   `json:"ways"`
	}{orEmpty(x.Places), ways})
}

// ExfilMarkdown writes the ways out as a table.
func ExfilMarkdown(w io.Writer, x *check.Exfiltration, o Options) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "### Ways out\n\n%s.\n", capital(exfilTitle(x)))
	if len(x.Ways) > 0 {
		fmt.Fprintf(out, "\n| | to | what | from | why |\n|---|---|---|---|---|\n")
	}
	for _, way := range x.Ways {
		mark := "open"
		if way.Value == verdict.Unknown {
			mark = "unknown"
		}
		for _, d := range way.From {
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", mark, cell(way.To), cell(way.Traffic.String()), cell(strings.Join(d.Places, ", ")), cell(d.Reason+o.at(d.Source)))
		}
	}
	return out.Flush()
}

// mostNamed is how many places text names: of more the first, and how many there are
// beside.
const mostNamed = 12

func several(names []string) string {
	if n := len(names) - mostNamed; n > 1 {
		return fmt.Sprintf("%s and %d more (--json names all)", strings.Join(names[:mostNamed], ", "), n)
	}
	return strings.Join(names, ", ")
}
