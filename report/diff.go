package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/check"
)

// DiffText writes what changes for people: what opens first.
func DiffText(w io.Writer, d *check.Difference, o Options) error {
	t := &text{out: bufio.NewWriter(w), o: o}
	style := green
	if d.Objects() {
		style = red
	}
	t.line(o.paint(bold+";"+style, diffTitle(d)))
	t.line("")
	for _, q := range d.Requirements {
		word, style := requirementWord(q)
		t.head(word, style, q.Title)
		t.block("", q.Reason)
		if s := t.where(q.Source, ""); s != "" {
			t.block("where", s)
		}
		if q.Remedy != "" && q.After == check.Violated {
			t.block("mend", q.Remedy)
		}
	}
	for _, f := range d.Flows {
		word, style := flowWord(f)
		t.head(word, style, f.Traffic.String())
		t.block("from", strings.Join(f.From, ", "))
		t.block("to", someOf(f.To, mostEnds))
	}
	for _, c := range d.Calls {
		word, style := "CALL", yellow
		if c.Opened {
			word, style = "OPENS", red
		}
		t.head(word, style, fmt.Sprintf("%s at %s: %s, was %s", c.From, c.To, short(c.After), short(c.Before)))
		t.block("why", c.Reason)
	}
	if len(d.Resources) > 0 {
		t.line(o.paint(bold, "resources"))
	}
	for _, r := range d.Resources {
		for i, l := range wrap(printable(r.ID.Name()+o.resourceText(r)), o.width()-11) {
			what := r.Change
			if i > 0 {
				what = ""
			}
			t.line("  " + pad(what, 8) + " " + l)
		}
	}
	return t.out.Flush()
}

// mostEnds is how many destinations a flow lists.
const mostEnds = 12

func (t *text) head(word, style, what string) {
	for i, l := range wrap(printable(what), t.o.width()-indent) {
		if i > 0 {
			word = ""
		}
		t.line(t.o.paint(bold+";"+style, pad(word, indent)) + t.o.paint(bold, l))
	}
}

func (o Options) resourceText(r check.ResourceChange) string {
	s := " (" + r.ID.Type() + ")"
	if len(r.Changed) > 0 {
		s += ": " + strings.Join(r.Changed, ", ")
	}
	return s + o.at(r.Source)
}

func diffTitle(d *check.Difference) string {
	if d.Empty() {
		return "nothing changes"
	}
	opened, closed, falls, holds := 0, 0, 0, 0
	for _, f := range d.Flows {
		if f.Opened {
			opened++
		} else {
			closed++
		}
	}
	for _, c := range d.Calls {
		if c.Opened {
			opened++
		}
	}
	for _, q := range d.Requirements {
		switch q.After {
		case check.Violated:
			falls++
		case check.Holds:
			holds++
		}
	}
	return fmt.Sprintf("%d opened, %d closed; requirements: %d newly fall, %d hold again; %s", opened, closed, falls, holds, count(len(d.Resources), "resource"))
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func requirementWord(q check.RequirementChange) (word, style string) {
	switch q.After {
	case check.Violated:
		return "FALLS", red
	case check.Holds:
		return "HOLDS", green
	case check.Unknown:
		return "UNKNOWN", yellow
	case check.Off:
		return "OFF", faint
	}
	return "GONE", faint
}

func flowWord(f check.FlowChange) (word, style string) {
	switch {
	case f.Opened && f.Doubtful:
		return "OPENS*", yellow // it may have been open
	case f.Opened:
		return "OPENS", red
	case f.Doubtful:
		return "CLOSES*", yellow // it may be open still
	}
	return "CLOSES", green
}

func short(m check.Meeting) string {
	for _, x := range meetings {
		if x.word == m {
			return x.short
		}
	}
	return string(m)
}

// DiffJSON writes what changes.
func DiffJSON(w io.Writer, d *check.Difference, o Options) error {
	shown := *d
	shown.Resources = append([]check.ResourceChange{}, d.Resources...)
	for i := range shown.Resources {
		shown.Resources[i].Source.File = o.file(shown.Resources[i].Source)
	}
	shown.Requirements = append([]check.RequirementChange{}, d.Requirements...)
	for i := range shown.Requirements {
		shown.Requirements[i].Source.File = o.file(shown.Requirements[i].Source)
	}
	return encode(w, shown)
}

// DiffMarkdown writes what changes as a comment on a pull request.
func DiffMarkdown(w io.Writer, d *check.Difference, o Options) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "### Cloister: %s\n", diffTitle(d))
	if len(d.Requirements) > 0 {
		fmt.Fprint(out, "\n| | was | requirement | why |\n|---|---|---|---|\n")
	}
	for _, q := range d.Requirements {
		word, _ := requirementWord(q)
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", strings.ToLower(word), cmp.Or(string(q.Before), "not asked"), cell(q.Title), cell(q.Reason+o.at(q.Source)))
	}
	if len(d.Flows)+len(d.Calls) > 0 {
		fmt.Fprint(out, "\n| | what | from | to |\n|---|---|---|---|\n")
	}
	for _, f := range d.Flows {
		word, _ := flowWord(f)
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", cell(strings.ToLower(word)), cell(f.Traffic.String()), cell(strings.Join(f.From, ", ")), cell(someOf(f.To, mostEnds)))
	}
	for _, c := range d.Calls {
		word := "call"
		if c.Opened {
			word = "opens"
		}
		fmt.Fprintf(out, "| %s | %s, was %s | %s | %s |\n", word, short(c.After), short(c.Before), cell(c.From), cell(c.To))
	}
	if len(d.Resources) > 0 {
		fmt.Fprintf(out, "\n<details>\n<summary>%s</summary>\n", count(len(d.Resources), "changed resource"))
		for _, r := range d.Resources {
			fmt.Fprintf(out, "\n- %s %s%s", r.Change, escaped(r.ID.Name()), escaped(o.resourceText(r)))
		}
		fmt.Fprint(out, "\n\n</details>\n")
	}
	return out.Flush()
}
