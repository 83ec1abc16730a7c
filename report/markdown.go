package report

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
)

// Markdown writes a report as a comment on a pull request: the verdict, a table of
// what falls and what is unknown, the details folded.
func Markdown(w io.Writer, r *check.Report, o Options) error {
	out := bufio.NewWriter(w)
	s := summarise(r)
	fmt.Fprintf(out, "### Cloister: %s\n\n", markdownVerdict(s))
	fmt.Fprintf(out, "%d requirements of %d resources: %d hold, %d fall, %d cannot be known before deployment, %d are switched off.\n", s.Requirements, s.Resources, s.Holds, s.Violated, s.Unknown, s.Off)
	if s.Unread > 0 {
		fmt.Fprintf(out, "\n> %s.\n", escaped(capital(notInEstate(r))))
	}
	markdownTable(out, r, o)
	for _, g := range append(grouped(r.With(check.Violated)), grouped(r.With(check.Unknown))...) {
		markdownDetails(out, g, o)
	}
	return out.Flush()
}

func markdownVerdict(s summary) string {
	switch {
	case s.Requirements == 0:
		return "nothing to require"
	case s.Violated == 1:
		return "1 requirement falls"
	case s.Violated > 0:
		return fmt.Sprintf("%d requirements fall", s.Violated)
	case s.Unknown > 0:
		return "no requirement falls, not all can be known"
	}
	return "every requirement holds"
}

func markdownTable(out io.Writer, r *check.Report, o Options) {
	list := append(r.With(check.Violated), r.With(check.Unknown)...)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(out, "\n| | severity | requirement | where |\n|---|---|---|---|\n")
	for _, q := range list {
		mark := "falls"
		if q.Outcome == check.Unknown {
			mark = "unknown"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", mark, q.Severity, cell(q.Title), cell(strings.TrimPrefix(o.at(q.Source), " at ")))
	}
}

// markdownDetails are what one change mends, folded.
func markdownDetails(out io.Writer, g []check.Requirement, o Options) {
	q := g[0]
	fmt.Fprintf(out, "\n<details>\n<summary>%s</summary>\n\n", inHTML(q.Title))
	fmt.Fprintf(out, "%s\n", escaped(q.Reason+"."))
	for _, s := range q.Stages {
		if s.Name == check.StageConfigure {
			continue
		}
		for _, step := range s.Verdict.Steps {
			fmt.Fprintf(out, "\n- %s %s: %s", s.Name, step.Value, escaped(hopText(step, q.Reason)))
		}
	}
	fmt.Fprintln(out)
	if at := o.at(q.Source); at != "" {
		fmt.Fprintf(out, "\n**Where**%s\n", escaped(at))
	}
	if q.Remedy != "" {
		fmt.Fprintf(out, "\n**To mend it** %s\n", escaped(q.Remedy))
	}
	if len(g) > 1 {
		fmt.Fprint(out, "\n**The same change mends**\n")
		for _, also := range g[1:] {
			fmt.Fprintf(out, "\n- %s", escaped(also.Title))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, "\n</details>\n")
}

// at is where something is declared, after other words.
func (o Options) at(s arm.Source) string {
	switch {
	case s.File == "":
		return ""
	case s.Address == "":
		return fmt.Sprintf(" at %s:%d", o.file(s), s.Line)
	}
	return fmt.Sprintf(" at %s:%d (%s)", o.file(s), s.Line, s.Address)
}

// escaped is text in Markdown, in which nothing of it is markup: a name in a
// document cannot draw a link or a picture.
func escaped(s string) string {
	return strings.NewReplacer(
		"\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "|", "\\|", "#", "\\#", "~", "\\~", "@", "&#64;",
		"<", "&lt;", ">", "&gt;", "&", "&amp;", "!", "\\!", "://", "&#58;//",
	).Replace(printable(s))
}

// inHTML is text within an element, where Markdown is not read.
func inHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(printable(s)), "@", "&#64;")
}

// cell is text in a table.
func cell(s string) string {
	if s == "" {
		return " "
	}
	return escaped(s)
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// MatrixMarkdown writes the matrix as a table.
func MatrixMarkdown(w io.Writer, cells []check.Cell) error {
	out := bufio.NewWriter(w)
	places, hosts, at := axes(cells)
	fmt.Fprint(out, "| service |")
	for _, p := range places {
		fmt.Fprintf(out, " %s |", cell(p))
	}
	fmt.Fprintf(out, "\n|---|%s\n", strings.Repeat("---|", len(places)))
	for _, h := range hosts {
		for i, p := range places {
			c := at[[2]string{p, h}]
			if i == 0 {
				fmt.Fprintf(out, "| %s |", cell(rowLabel(c)))
			}
			fmt.Fprintf(out, " %s |", cell(cellWord(c)))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	legend(cells, func(word, what string) { fmt.Fprintf(out, "- %s: %s\n", cell(word), what) })
	return out.Flush()
}
