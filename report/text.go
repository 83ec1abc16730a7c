package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/verdict"
)

// Text writes a report for people: the verdict, what falls with every hop, what
// is unknown, and what holds as a table of the rules.
func Text(w io.Writer, r *check.Report, o Options) error {
	t := &text{out: bufio.NewWriter(w), o: o}
	t.verdict(r)
	for _, g := range grouped(r.With(check.Violated)) {
		t.group("FALLS", red, g)
	}
	for _, g := range grouped(r.With(check.Unknown)) {
		t.group("UNKNOWN", yellow, g)
	}
	for _, q := range r.With(check.Off) {
		t.entry("OFF", faint, q)
		t.block("reason", q.Reason)
		t.line("")
	}
	t.table(r)
	return t.out.Flush()
}

type text struct {
	out *bufio.Writer
	o   Options
}

// indent is how far the details of a requirement stand in.
const indent = 9

func (t *text) line(s string) { fmt.Fprintln(t.out, strings.TrimRight(s, " ")) }

func (t *text) verdict(r *check.Report) {
	s := summarise(r)
	what := fmt.Sprintf("%d of %d requirements fall", s.Violated, s.Requirements)
	style := red
	switch {
	case s.Requirements == 0:
		what, style = "nothing to require: no workspace, machine or service was found", yellow
	case s.Violated == 0 && s.Unknown == 0:
		what, style = fmt.Sprintf("all %d requirements hold", s.Holds), green
	case s.Violated == 0:
		what, style = fmt.Sprintf("no requirement falls, %d of %d cannot be known before deployment", s.Unknown, s.Requirements), yellow
	case s.Unknown > 0:
		what += fmt.Sprintf(", %d more cannot be known before deployment", s.Unknown)
	}
	if s.Off > 0 {
		what += fmt.Sprintf(" (%d switched off)", s.Off)
	}
	what += fmt.Sprintf(" [%d resources]", s.Resources)
	for _, l := range wrap(what, t.o.width()) {
		t.line(t.o.paint(bold+";"+style, l))
	}
	if s.Unread > 0 {
		for _, l := range wrap(notInEstate(r), t.o.width()) {
			t.line(t.o.paint(yellow, l))
		}
	}
	t.line("")
}

// notInEstate says what is declared and was not looked at.
func notInEstate(r *check.Report) string {
	s := func(n int, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", n, one)
	}
	verb := "are"
	if r.Unread == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s of %s %s not in the estate, and nothing is said of them: %s", s(r.Unread, "resource"), s(len(r.UnreadTypes), "type"), verb, strings.Join(r.UnreadTypes, ", "))
}

// grouped puts requirements together that fall for one fault or that one change
// mends, the one that says it best first.
func grouped(list []check.Requirement) [][]check.Requirement {
	at, home := map[string]int{}, map[string]int{}
	var out [][]check.Requirement
	put := func(q check.Requirement, i int) {
		home[q.ID] = i
		out[i] = append(out[i], q)
	}
	for _, q := range list {
		if q.Because != "" {
			continue
		}
		key := cmp.Or(q.Remedy, q.Reason)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		put(q, i)
	}
	for _, q := range list {
		if q.Because == "" {
			continue
		}
		i, ok := home[q.Because]
		if !ok {
			i = len(out)
			out = append(out, nil)
		}
		put(q, i)
	}
	return out
}

func (t *text) group(word, style string, g []check.Requirement) {
	first := g[0]
	t.entry(word, style, first)
	t.block("why", first.Reason)
	if first.Why != "" {
		t.block("since", first.Why)
	}
	t.stages(first)
	if s := t.where(first.Source, first.Resource); s != "" {
		t.block("where", s)
	}
	if first.Remedy != "" {
		t.block("mend", first.Remedy)
	}
	for _, list := range []struct {
		label   string
		follows bool
	}{{"also", false}, {"so", true}} {
		label := list.label
		for _, q := range g[1:] {
			if (q.Because != "") == list.follows {
				t.block(label, q.Title)
				label = ""
			}
		}
	}
	t.line("")
}

// entry is a requirement's head line.
func (t *text) entry(word, style string, q check.Requirement) {
	head := pad(word, indent-1) + " "
	room := t.o.width() - indent - 11
	for i, l := range wrap(printable(q.Title), room) {
		if i == 0 {
			t.line(t.o.paint(bold+";"+style, head) + t.o.paint(bold, pad(l, room)) + " " + t.o.paint(style, string(q.Severity)))
			continue
		}
		t.line(strings.Repeat(" ", indent) + t.o.paint(bold, l))
	}
	t.line(strings.Repeat(" ", indent) + t.o.paint(faint, printable(q.ID)))
}

// block writes a label and wrapped text beside it.
func (t *text) block(label, s string) {
	const labelWidth = 8
	left := indent + labelWidth
	for i, l := range wrap(printable(s), t.o.width()-left) {
		if i > 0 {
			label = ""
		}
		t.line(strings.Repeat(" ", indent) + t.o.paint(faint, pad(label, labelWidth)) + l)
	}
}

// stages writes the hops up to the one that decides, each with its answer.
func (t *text) stages(q check.Requirement) {
	for _, s := range q.Stages {
		if s.Name == check.StageConfigure {
			continue // the reason says it all
		}
		name := s.Name
		for _, step := range s.Verdict.Steps {
			t.hop(name, hopText(step, q.Reason), step.Value, q.Must)
			name = ""
		}
		if q.Must && s.Verdict.Value != verdict.Yes {
			return
		}
	}
}

// hopText leaves out what the requirement's reason has said.
func hopText(s verdict.Step, said string) string {
	switch {
	case strings.HasSuffix(said, s.Reason) && s.At != "":
		return s.At + ": as above"
	case strings.HasSuffix(said, s.Reason):
		return "as above"
	case s.At != "":
		return s.At + ": " + s.Reason
	}
	return s.Reason
}

func (t *text) hop(stage, what string, v verdict.Value, must bool) {
	const left = indent + 8
	for i, l := range wrap(printable(what), t.o.width()-left-18) {
		mark, style := "", ""
		if i == 0 {
			mark, style = mark3(v, must)
		}
		t.line(strings.Repeat(" ", left) + t.o.paint(faint, pad(stage, 10)) + t.o.paint(style, pad(mark, 8)) + l)
		stage = ""
	}
}

// mark3 is the word for a step's value, coloured by whether it is wanted.
func mark3(v verdict.Value, must bool) (word, style string) {
	if v == verdict.Unknown {
		return "unknown", yellow
	}
	if (v == verdict.Yes) == must {
		return v.String(), green
	}
	return v.String(), red
}

func (t *text) where(s arm.Source, id arm.ID) string {
	switch {
	case s.File == "" && id == "":
		return ""
	case s.File == "":
		return string(id)
	case s.Address == "":
		return fmt.Sprintf("%s:%d", t.o.file(s), s.Line)
	}
	return fmt.Sprintf("%s:%d (%s)", t.o.file(s), s.Line, s.Address)
}

// table counts outcomes by rule.
func (t *text) table(r *check.Report) {
	if len(r.Requirements) == 0 {
		return
	}
	room := t.o.width() - 4*9
	t.line(t.o.paint(bold, pad("rule", room)+fmt.Sprintf("%9s%9s%9s%9s", "holds", "falls", "unknown", "off")))
	for _, rule := range check.Rules() {
		count := map[check.Outcome]int{}
		for _, q := range r.Requirements {
			if q.Rule == rule.ID {
				count[q.Outcome]++
			}
		}
		if len(count) == 0 {
			continue
		}
		t.line(pad(clip(rule.Title, room-1), room) + t.number(count[check.Holds], green) + t.number(count[check.Violated], red) +
			t.number(count[check.Unknown], yellow) + t.number(count[check.Off], faint))
		if t.o.All {
			t.holding(r, rule.ID)
		}
	}
}

func (t *text) holding(r *check.Report, rule string) {
	for _, q := range r.With(check.Holds) {
		if q.Rule != rule {
			continue
		}
		t.line("  " + t.o.paint(green, "holds ") + clip(printable(q.Title), t.o.width()-8))
		for _, l := range wrap(printable(q.Reason), t.o.width()-8) {
			t.line("        " + t.o.paint(faint, l))
		}
	}
}

func (t *text) number(n int, style string) string {
	if n == 0 {
		return fmt.Sprintf("%9s", "-")
	}
	return t.o.paint(style, fmt.Sprintf("%9d", n))
}
