package rulebook

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.txtar base/*.tf
var files embed.FS

// Example is Terraform that breaks a rule, and the same mended. Both need the
// parts of Base beside them to be a whole solution.
type Example struct {
	Rule   string
	Name   string // of one of several: the rule, or the rule@what
	Base   []Part
	Broken string
	Fixed  string
	Want   Want
}

// Part is a file that an example stands on.
type Part struct {
	Name    string
	Content string
}

// Want is what check says of the broken one.
type Want struct {
	Findings []string // ids of requirements; one that ends in * stands for all that begin so
	Reason   []string // words of the first one's reason
	Remedy   string   // words of its remedy
	Follows  []string // of a rule that follows from others: ids that fall because of the first finding
}

// Of are the examples of a rule, the one that explains it best first.
func Of(rule string) ([]Example, error) {
	names, err := fs.Glob(files, rule+"*.txtar")
	if err != nil {
		return nil, err
	}
	var out []Example
	for _, name := range names {
		stem := strings.TrimSuffix(name, ".txtar")
		if id, _, _ := strings.Cut(stem, "@"); id != rule {
			continue
		}
		e, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		e.Rule, e.Name = rule, stem
		if stem == rule {
			out = append([]Example{e}, out...)
			continue
		}
		out = append(out, e)
	}
	return out, nil
}

// Rules are the ids of the rules that have an example, in order.
func Rules() []string {
	names, err := fs.Glob(files, "*.txtar")
	if err != nil {
		return nil
	}
	var out []string
	for _, name := range names {
		if id := strings.TrimSuffix(name, ".txtar"); !strings.Contains(id, "@") {
			out = append(out, id)
		}
	}
	return out
}

func read(name string) (Example, error) {
	data, err := files.ReadFile(name)
	if err != nil {
		return Example{}, err
	}
	parts := sections(string(data))
	e := Example{Broken: parts["broken.tf"], Fixed: parts["fixed.tf"], Want: want(parts["want"])}
	for _, part := range strings.Fields(parts["use"]) {
		content, err := files.ReadFile("base/" + part + ".tf")
		if err != nil {
			return Example{}, err
		}
		e.Base = append(e.Base, Part{part + ".tf", string(content)})
	}
	return e, nil
}

// sections are the files of a txtar archive.
func sections(text string) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			name = strings.TrimSuffix(head, " --\n")
			continue
		}
		out[name] += line
	}
	return out
}

func want(text string) Want {
	var w Want
	for line := range strings.Lines(text) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch key {
		case "finding":
			w.Findings = strings.Fields(rest)
		case "follows":
			w.Follows = strings.Fields(rest)
		case "reason":
			w.Reason = append(w.Reason, rest)
		case "remedy":
			w.Remedy = rest
		}
	}
	return w
}
