package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
)

type showFlags struct {
	estate EstateFlags
	json   bool
	edges  bool
}

func newShowCommand() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show SOURCE",
		Short: "Show the estate that Terraform or a template declares",
		Long: `show evaluates SOURCE, without Terraform, credentials or a network, and prints the
estate: the Azure Resource Manager documents that it would deploy, where each is
declared, what cannot be known before deployment, and what has no document here.
SOURCE is a directory of Terraform or one of the files of "cloister help sources".

Sensitive values are never shown. The status is 0, or 1 when SOURCE is not one that
could be deployed; what is wrong is shown with its place.`,
		Example: `  cloister show examples/secure-mlops
  cloister show examples/secure-mlops --edges
  cloister show . --json --var location=northeurope --var-file prod.tfvars
  terraform show -json plan.out | cloister show - --config .
  cloister show main.json --parameters prod.parameters.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.estate.fits(args[0]); err != nil {
				return err
			}
			e, err := f.estate.read(cmd, args[0])
			var status ExitStatus
			if errors.As(err, &status) {
				return ExitStatus(ExitFinding) // it has been read, and what is wrong shown
			}
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			if f.json {
				err = showJSON(out, e, f.edges)
			} else {
				err = showText(out, e, f.edges)
			}
			return errors.Join(err, out.Flush())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "write the documents as JSON")
	flags.BoolVar(&f.edges, "edges", false, "also show the references between documents")
	f.estate.Declare(flags)
	return cmd
}

// jsonEdge is an edge as JSON has it.
type jsonEdge struct {
	From     arm.ID `json:"from"`
	To       arm.ID `json:"to"`
	Path     string `json:"path"`
	Dangling bool   `json:"dangling,omitempty"`
}

func showJSON(w io.Writer, e *arm.Estate, edges bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if !edges {
		return enc.Encode(e)
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var out struct {
		Resources json.RawMessage `json:"resources"`
		Unread    json.RawMessage `json:"unread,omitempty"`
		Sources   json.RawMessage `json:"sources,omitempty"`
		Edges     []jsonEdge      `json:"edges"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return err
	}
	for _, edge := range e.Edges() {
		out.Edges = append(out.Edges, jsonEdge(edge))
	}
	return enc.Encode(out)
}

func showText(w io.Writer, e *arm.Estate, edges bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	types := map[string]bool{}
	for _, r := range e.All() {
		types[r.Type] = true
	}
	fmt.Fprintf(t, "%d resources of %d types, %d references", e.Len(), len(types), len(e.Edges()))
	if n := len(e.Unread()); n > 0 {
		fmt.Fprintf(t, "; not in the estate: %d of %d types", n, len(e.UnreadTypes()))
	}
	fmt.Fprintln(t)
	for _, typ := range slices.Sorted(maps.Keys(types)) {
		all := e.OfType(typ)
		fmt.Fprintf(t, "\n%s (%d)\n", typ, len(all))
		for _, r := range all {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", shownName(r.ID), orDash(r.Location), r.Source.Address, declaredAt(r.Source))
		}
	}
	if edges {
		showEdges(t, e)
	}
	showUnknowns(t, e)
	showUnread(t, e)
	return t.Flush()
}

// showUnread lists what is declared and has no document, a line a type and reason
// with the first places.
func showUnread(w io.Writer, e *arm.Estate) {
	const places = 3
	if len(e.Unread()) == 0 {
		return
	}
	fmt.Fprintf(w, "\nNot in the estate (%d)\n", len(e.Unread()))
	for list := e.Unread(); len(list) > 0; {
		n := 1
		for n < len(list) && list[n].Type == list[0].Type && list[n].Reason == list[0].Reason {
			n++
		}
		var first []string
		for _, u := range list[:min(n, places)] {
			first = append(first, u.Address+" ("+declaredAt(u.Source)+")")
		}
		if n > places {
			first = append(first, "...")
		}
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\n", list[0].Type, n, list[0].Reason, strings.Join(first, ", "))
		list = list[n:]
	}
}

func showEdges(w io.Writer, e *arm.Estate) {
	fmt.Fprintf(w, "\nReferences (%d)\n", len(e.Edges()))
	for _, edge := range e.Edges() {
		outside := ""
		if edge.Dangling {
			outside = " (not in this estate)"
		}
		fmt.Fprintf(w, "  %s\t-> %s%s\t%s\n", shownName(edge.From), shownName(edge.To), outside, edge.Path)
	}
}

// showUnknowns lists what only deployment decides, or what is sensitive.
func showUnknowns(w io.Writer, e *arm.Estate) {
	var lines []string
	for _, r := range e.All() {
		eachUnknown(r.Properties, "properties", func(path string, u arm.Unknown) {
			lines = append(lines, fmt.Sprintf("  %s\t%s\t%s\t%s", shownName(r.ID), path, u.Expression, declaredAt(arm.Source{File: u.File, Line: u.Line})))
		})
		eachUnknown(r.SKU, "sku", func(path string, u arm.Unknown) {
			lines = append(lines, fmt.Sprintf("  %s\t%s\t%s\t%s", shownName(r.ID), path, u.Expression, declaredAt(arm.Source{File: u.File, Line: u.Line})))
		})
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "\nUnknown before deployment, or sensitive (%d)\n%s\n", len(lines), strings.Join(lines, "\n"))
	}
}

// eachUnknown visits the unknown values in a document, in order.
func eachUnknown(v any, path string, visit func(path string, u arm.Unknown)) {
	switch node := v.(type) {
	case arm.Unknown:
		visit(path, node)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(node)) {
			eachUnknown(node[k], path+"."+k, visit)
		}
	case []any:
		for i, e := range node {
			eachUnknown(e, path+"."+strconv.Itoa(i), visit)
		}
	}
}

// shownName is a resource's name with those of what it is within, up to the group.
func shownName(id arm.ID) string {
	parent := id.Parent()
	switch parent.Type() {
	case "", arm.TypeSubscription, arm.TypeResourceGroup:
		if parent.Type() == arm.TypeResourceGroup && strings.HasPrefix(id.Type(), "Microsoft.Authorization/") {
			return parent.Name() + "/" + id.Name()
		}
		return id.Name()
	}
	return shownName(parent) + "/" + id.Name()
}

func declaredAt(s arm.Source) string {
	if s.File == "" {
		return "-"
	}
	return s.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
