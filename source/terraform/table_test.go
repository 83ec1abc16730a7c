package terraform

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// meta are arguments that documents have at their head, or that say how the
// provider works rather than what is deployed.
var meta = []string{"id", "name", "location", "resource_group_name", "tags", "timeouts", "zones", "zone", "identity", "plan"}

// Every attribute that a table names is one of the provider's.
func TestTablesNameWhatTheSchemaHas(t *testing.T) {
	set := schema.New()
	for _, typ := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[typ]
		sch := set.Resource(typ)
		if sch == nil && len(k.rows.rows())+len(k.props) > 0 {
			t.Errorf("%s has no schema", typ)
			continue
		}
		used := map[string]bool{}
		checkRows(t, typ, k.rows.rows(), sch, "", used)
		if os.Getenv("UNMAPPED") != "" && len(k.rows.rows()) > 0 {
			for _, path := range settable(sch, "") {
				if !used[path] && !slices.Contains(meta, strings.Split(path, ".")[0]) {
					t.Logf("%s: %s is not mapped", typ, path)
				}
			}
		}
	}
}

func checkRows(t *testing.T, typ string, rs rows, sch *schema.Block, path string, used map[string]bool) {
	t.Helper()
	for _, r := range rs {
		found := r.form == asConstant
		for _, from := range r.from {
			block, last := sch, from
			for {
				head, rest, nested := strings.Cut(last, ".")
				if !nested {
					break
				}
				n, ok := nestedIn(block, head)
				if !ok {
					break
				}
				block, last = n, rest
			}
			_, attr := block.Attributes[last]
			n, isBlock := nestedIn(block, last)
			switch {
			case r.form == asAttribute && attr:
				found = true
				used[path+from] = true
			case r.form != asAttribute && isBlock:
				found = true
				checkRows(t, typ, r.under, n, path+from+".", used)
			default:
				t.Errorf("%s: %s%s is not in the schema", typ, path, from)
			}
		}
		if !found {
			t.Errorf("%s: nothing of %s%v is in the schema", typ, path, r.from)
		}
	}
}

func nestedIn(b *schema.Block, name string) (*schema.Block, bool) {
	if n, ok := b.Blocks[name]; ok {
		return &n.Block, true
	}
	a, ok := b.Attributes[name]
	if !ok || !a.Type.IsListType() || !a.Type.ElementType().IsObjectType() {
		return nil, false
	}
	out := &schema.Block{Attributes: map[string]schema.Attribute{}}
	for name, at := range a.Type.ElementType().AttributeTypes() {
		out.Attributes[name] = schema.Attribute{Type: at, Optional: true}
	}
	return out, true
}

func settable(b *schema.Block, path string) []string {
	var out []string
	for name, a := range b.Attributes {
		if a.Settable() {
			out = append(out, path+name)
		}
	}
	for name, n := range b.Blocks {
		out = append(out, settable(&n.Block, path+name+".")...)
	}
	slices.Sort(out)
	return out
}
