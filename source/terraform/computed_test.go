package terraform_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Whatever deployment fills in can be referred to before it, of each type that the
// provider has: a computed attribute, one within a block that is written, and one
// within a block that the provider adds.
func TestComputedCanBeRead(t *testing.T) {
	set := schema.New()
	read := 0
	for _, typ := range set.Types() {
		if !strings.HasPrefix(typ, "azurerm_") {
			continue
		}
		b := set.Resource(typ)
		refs := computed(b, typ+".x")
		var outputs strings.Builder
		for i, ref := range refs {
			fmt.Fprintf(&outputs, "output \"o%d\" { value = %s }\n", i, ref)
		}
		read += len(refs)
		dir := t.TempDir()
		write(t, dir, "main.tf", fmt.Sprintf("resource %q \"x\" {\n%s}\n", typ, required(b)))
		write(t, dir, "outputs.tf", outputs.String())
		_, diags := terraform.Load(dir, terraform.Options{})
		for _, d := range diags.All() {
			if d.Severity == diagnostic.Error && strings.HasSuffix(d.File, "outputs.tf") {
				t.Errorf("%s: %s: %s", refs[d.Line-1], d.Summary, d.Detail)
			}
		}
	}
	if read < 3_000 {
		t.Fatalf("only %d computed attributes were found", read)
	}
}

// required is the least that a body must say; an identity is there where one may be.
func required(b *schema.Block) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		if a := b.Attributes[name]; a.Required {
			fmt.Fprintf(&out, "%s = %s\n", name, sample(a.Type))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		n := b.Blocks[name]
		for range n.Min {
			fmt.Fprintf(&out, "%s {\n%s}\n", name, required(&n.Block))
		}
		if name == "identity" && n.Min == 0 {
			fmt.Fprintf(&out, "identity {\n%s}\n", required(&n.Block))
		}
	}
	return out.String()
}

func sample(t cty.Type) string {
	switch {
	case t == cty.Number:
		return "1"
	case t == cty.Bool:
		return "true"
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		return "[]"
	case t.IsMapType():
		return "{}"
	}
	return `"x"`
}

// computed are references to what the provider fills in of a body.
func computed(b *schema.Block, at string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		if !a.Computed {
			continue
		}
		ref := at + "." + name
		out = append(out, ref)
		switch t := a.Type; {
		case t.IsListType() && t.ElementType().IsObjectType():
			for _, field := range slices.Sorted(maps.Keys(t.ElementType().AttributeTypes())) {
				out = append(out, ref+"[0]."+field)
			}
		case t.IsListType():
			out = append(out, ref+"[0]")
		case t.IsMapType():
			out = append(out, ref+`["key"]`)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		n := b.Blocks[name]
		if n.Min > 0 || n.Computed || name == "identity" {
			out = append(out, computed(&n.Block, at+"."+name+"[0]")...)
		}
	}
	return out
}
