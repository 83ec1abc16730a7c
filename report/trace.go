package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// stageTitles are what a stage of a trace asks.
var stageTitles = map[string]string{
	check.StageResolve: "name", check.StageConnect: "network", check.StageAdmit: "firewall", check.StageAuthorize: "role",
}

// TraceText writes a trace for people: the verdict, each hop, and what mends it.
// With All it also shows the rules and routes that do not decide.
func TraceText(w io.Writer, tr *check.Traced, o Options) error {
	t := &text{out: bufio.NewWriter(w), o: o}
	for _, l := range wrap(printable(traceTitle(tr)), o.width()) {
		t.line(o.paint(bold, l))
	}
	style := outcomeStyle(tr.Outcome)
	t.line(o.paint(bold+";"+style, traceVerdict(tr)))
	t.line("")
	stage := ""
	for i, h := range tr.Hops {
		if h.Stage != stage {
			stage = h.Stage
			t.line(o.paint(bold, stageTitles[stage]))
		}
		t.traceHop(i+1, h)
	}
	t.line("")
	if tr.Stopped != "" {
		t.note("it stops here", stageTitles[tr.Stopped]+": "+tr.Reason)
	}
	if tr.Remedy != "" {
		t.note("to let it through", tr.Remedy)
	}
	if len(tr.Also) > 0 {
		t.note("the same resource also answers as", strings.Join(tr.Also, ", "))
	}
	return t.out.Flush()
}

func traceTitle(tr *check.Traced) string {
	s := fmt.Sprintf("%s to %s", tr.From.Name, traceTarget(tr.To))
	if tr.Protocol == network.ICMP {
		s += ", ICMP"
	} else {
		s += fmt.Sprintf(", %s %d", strings.ToUpper(string(tr.Protocol)), tr.Port)
	}
	if tr.Call != "" {
		s += ", " + tr.Call
	}
	if tr.As != "" {
		s += " as " + tr.As
	}
	return s
}

func traceTarget(to check.Target) string {
	if to.Resource != "" && to.Service != "" {
		return fmt.Sprintf("%s %s (%s)", to.Service, to.Resource.Name(), to.Name)
	}
	if to.Addr.IsValid() && to.Name != to.Addr.String() {
		return fmt.Sprintf("%s (%s)", to.Name, to.Addr)
	}
	return to.Name
}

// traceVerdict says how far the client gets.
func traceVerdict(tr *check.Traced) string {
	if tr.Value == verdict.Yes && tr.To.Service == "" {
		return "reached: the packets arrive"
	}
	for _, m := range meetings {
		if m.word == tr.Outcome {
			return m.short + ": " + m.what
		}
	}
	return string(tr.Outcome)
}

func outcomeStyle(m check.Meeting) string {
	for _, x := range meetings {
		if x.word == m {
			return x.style
		}
	}
	return faint
}

const hopIndent = 15

func (t *text) traceHop(n int, h check.Hop) {
	word, style := mark3(h.Value, true)
	head := t.o.paint(faint, fmt.Sprintf("  %2d ", n)) + t.o.paint(style, pad(word, hopIndent-5))
	body := h.Reason
	if h.At != "" {
		body = h.At + ": " + h.Reason
	}
	for i, l := range wrap(printable(body), t.o.width()-hopIndent) {
		if i > 0 {
			head = strings.Repeat(" ", hopIndent)
		}
		t.line(head + l)
	}
	for _, l := range h.Looked {
		if !t.o.All && (l.After || !l.Decides && len(h.Looked) > mostLooked) {
			continue
		}
		t.looked(l)
	}
	if s := t.where(h.Source, ""); s != "" {
		t.line(strings.Repeat(" ", hopIndent) + t.o.paint(faint, "at "+printable(s)))
	}
}

// mostLooked is how many rules are shown that do not decide, unless all are asked for.
const mostLooked = 12

func (t *text) looked(l check.Looked) {
	mark, style := "- ", faint
	if l.Decides {
		mark, style = "> ", ""
	}
	for i, s := range wrap(printable(l.Text), t.o.width()-hopIndent-2) {
		if i > 0 {
			mark = "  "
		}
		t.line(strings.Repeat(" ", hopIndent) + t.o.paint(style, mark+s))
	}
}

// note is a labelled paragraph after the hops.
func (t *text) note(label, s string) {
	const left = 4
	t.line(t.o.paint(bold, label))
	for _, l := range wrap(printable(s), t.o.width()-left) {
		t.line(strings.Repeat(" ", left) + l)
	}
}

// TraceJSON writes a trace.
func TraceJSON(w io.Writer, tr *check.Traced, o Options) error {
	shown := *tr
	shown.Hops = append([]check.Hop{}, tr.Hops...)
	for i := range shown.Hops {
		shown.Hops[i].Source.File = o.file(shown.Hops[i].Source)
	}
	return encode(w, struct {
		Trace check.Traced `json:"trace"`
	}{shown})
}
