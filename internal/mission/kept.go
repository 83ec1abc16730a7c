package mission

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// named bounds how many documents of a type are named in a table.
const named = 3

// WriteKept prints what is part of the estate and does not run: documents that the
// cloud keeps because no provider runs them, and what the reader made no document
// of, each by type with how many there are. It prints nothing where all runs.
func WriteKept(w io.Writer, resources []cloud.Status, unread []arm.Unread) error {
	kept := map[string][]string{}
	for _, r := range resources {
		if r.Kept {
			kept[r.Type] = append(kept[r.Type], keptName(r.ID))
		}
	}
	lost := map[string][]string{}
	for _, u := range unread {
		lost[u.Type] = append(lost[u.Type], u.Address)
	}
	if err := writeTypes(w, "Kept, not run: no service answers for", kept); err != nil {
		return err
	}
	return writeTypes(w, "Not in the estate: no meaning is known of", lost)
}

// WriteNotes prints what of the networks is not built as the documents say.
func WriteNotes(w io.Writer, notes []string) error {
	if len(notes) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nNot built as the documents say\n  %s\n", strings.Join(notes, "\n  "))
	return err
}

func writeTypes(w io.Writer, title string, types map[string][]string) error {
	if len(types) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, typ := range slices.SortedFunc(maps.Keys(types), func(a, b string) int {
		return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
	}) {
		names := types[typ]
		more := ""
		if n := len(names) - named; n > 0 {
			names, more = names[:named], fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(t, "  %d\t%s\t%s%s\n", len(types[typ]), typ, strings.Join(names, ", "), more)
	}
	return t.Flush()
}

// keptName is a document's name, after its parent's where it has one: many
// settings and children are called default.
func keptName(id arm.ID) string {
	parent := id.Parent()
	if parent.Type() == arm.TypeResourceGroup || parent.Level() != arm.LevelResource {
		return id.Name()
	}
	return parent.Name() + "/" + id.Name()
}
