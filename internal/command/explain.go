package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/check/rulebook"
)

// explanation is what explain says of a rule, as JSON.
type explanation struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Help     string `json:"help"`
	Source   string `json:"source"`
	Broken   string `json:"broken,omitempty"` // Terraform that the rule finds
	Fixed    string `json:"fixed,omitempty"`  // the same, mended
	Remedy   string `json:"remedy,omitempty"` // what check says to do
}

func newExplainCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [RULE]",
		Short: "Say what a rule of check looks at, why, and how to mend what it finds",
		Long: `explain says what a rule of cloister check looks at, why it matters, which document
of Microsoft's says so, and shows Terraform that the rule finds beside the same with
the fault mended. Both are run by Cloister's own tests.

Without RULE it lists the rules with their severities.`,
		Example: `  cloister explain
  cloister explain zone-linked
  cloister explain zone-linked --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRules,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listRules(cmd.OutOrStdout(), asJSON)
			}
			e, err := explain(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), e)
			}
			return writeExplanation(cmd.OutOrStdout(), e)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func completeRules(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, r := range check.Rules() {
		out = append(out, r.ID+"\t"+r.Title)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func explain(id string) (explanation, error) {
	r, ok := check.RuleByID(id)
	if !ok {
		// The id of a requirement begins with its rule's.
		rule, _, _ := strings.Cut(id, ":")
		if r, ok = check.RuleByID(rule); !ok {
			return explanation{}, fmt.Errorf("there is no rule %s%s; cloister explain lists them", id, nearestRule(id))
		}
	}
	e := explanation{ID: r.ID, Title: r.Title, Severity: string(r.Severity), Help: r.Help, Source: r.Source}
	examples, err := rulebook.Of(r.ID)
	if err != nil {
		return e, err
	}
	if len(examples) > 0 {
		e.Broken, e.Fixed = strings.TrimSpace(examples[0].Broken), strings.TrimSpace(examples[0].Fixed)
		e.Remedy = examples[0].Want.Remedy
	}
	return e, nil
}

func nearestRule(id string) string {
	best, at := "", 0.6
	for _, r := range check.Rules() {
		if s := levenshtein.Similarity(id, r.ID, nil); s > at {
			best, at = r.ID, s
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func listRules(out io.Writer, asJSON bool) error {
	if asJSON {
		var all []explanation
		for _, r := range check.Rules() {
			all = append(all, explanation{ID: r.ID, Title: r.Title, Severity: string(r.Severity), Help: r.Help, Source: r.Source})
		}
		return writeIndented(out, all)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range check.Rules() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Severity, r.Title)
	}
	return w.Flush()
}

func writeExplanation(out io.Writer, e explanation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n%s\n\n%s\n\nSource: %s\n", e.ID, e.Severity, e.Title, fold(e.Help, 96), e.Source)
	if e.Broken != "" {
		fmt.Fprintf(&b, "\nThis is found:\n\n%s\n", indented(e.Broken))
	}
	if e.Fixed != "" {
		fmt.Fprintf(&b, "\nThis is not:\n\n%s\n", indented(e.Fixed))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func indented(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// fold breaks a text at spaces so that no line is longer than width.
func fold(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(s) {
		switch {
		case n > 0 && n+1+len(word) > width:
			b.WriteByte('\n')
			n = 0
		case n > 0:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

func writeIndented(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
