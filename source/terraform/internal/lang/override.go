package lang

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// isOverride reports whether a file changes what the others declare.
func isOverride(path string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".tf")
	return base == "override" || strings.HasSuffix(base, "_override")
}

// override changes the blocks that other files declare by those of an override
// file (Terraform language, "Override Files"): an argument replaces the one of
// its name, and the nested blocks of a type those of the type.
func (ev *evaluator) override(base []*hcl.Block, over *hcl.Block, locals hcl.Attributes) {
	switch over.Type {
	case "terraform":
		return
	case "locals":
		attrs, diags := over.Body.JustAttributes()
		ev.report(diags)
		for name, a := range attrs {
			locals[name] = a
		}
		return
	case "moved", "import", "removed", "check":
		ev.fail(&over.DefRange, "Not to be overridden", "A block %q cannot stand in an override file: move it to another.", over.Type)
		return
	}
	alias := providerAlias(over)
	at := slices.IndexFunc(base, func(b *hcl.Block) bool {
		return b.Type == over.Type && slices.Equal(b.Labels, over.Labels) && providerAlias(b) == alias
	})
	if at < 0 {
		ev.fail(&over.DefRange, "Nothing to override", "No other file declares %s, which this override file changes.", strings.Join(append([]string{over.Type}, over.Labels...), " "))
		return
	}
	if content, _, _ := over.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "depends_on"}}}); over.Type != "provider" {
		if a, ok := content.Attributes["depends_on"]; ok {
			ev.fail(&a.NameRange, "Not to be overridden", "depends_on cannot stand in an override file.")
		}
	}
	changed := *base[at]
	changed.Body = merge(base[at].Body, over.Body)
	base[at] = &changed
}

func providerAlias(b *hcl.Block) string {
	if b.Type != "provider" {
		return ""
	}
	var alias string
	content, _, _ := b.Body.PartialContent(providerSchema)
	if a, ok := content.Attributes["alias"]; ok {
		_ = gohcl.DecodeExpression(a.Expr, nil, &alias) // reported where the block is read
	}
	return alias
}

// overlaid is a body under another whose arguments and blocks come first.
type overlaid struct {
	base, over hcl.Body
}

func merge(base, over hcl.Body) hcl.Body { return &overlaid{base, over} }

// optional is a schema without what must be there: either body may have it.
func optional(s *hcl.BodySchema) *hcl.BodySchema {
	out := &hcl.BodySchema{Blocks: s.Blocks, Attributes: slices.Clone(s.Attributes)}
	for i := range out.Attributes {
		out.Attributes[i].Required = false
	}
	return out
}

// Content is hcl.Body's.
func (o *overlaid) Content(s *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	base, diags := o.base.Content(optional(s))
	over, more := o.over.Content(optional(s))
	return o.combine(s, base, over, append(diags, more...))
}

// PartialContent is hcl.Body's.
func (o *overlaid) PartialContent(s *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	base, baseRest, diags := o.base.PartialContent(optional(s))
	over, overRest, more := o.over.PartialContent(optional(s))
	content, diags := o.combine(s, base, over, append(diags, more...))
	return content, merge(baseRest, overRest), diags
}

// JustAttributes is hcl.Body's.
func (o *overlaid) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs, diags := o.base.JustAttributes()
	over, more := o.over.JustAttributes()
	for name, a := range over {
		attrs[name] = a
	}
	return attrs, append(diags, more...)
}

// MissingItemRange is hcl.Body's.
func (o *overlaid) MissingItemRange() hcl.Range { return o.base.MissingItemRange() }

func (o *overlaid) combine(s *hcl.BodySchema, base, over *hcl.BodyContent, diags hcl.Diagnostics) (*hcl.BodyContent, hcl.Diagnostics) {
	out := &hcl.BodyContent{Attributes: hcl.Attributes{}, MissingItemRange: base.MissingItemRange}
	for _, content := range []*hcl.BodyContent{base, over} {
		for name, a := range content.Attributes {
			out.Attributes[name] = a
		}
	}
	for _, a := range s.Attributes {
		if _, ok := out.Attributes[a.Name]; a.Required && !ok {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Missing required argument", Subject: base.MissingItemRange.Ptr(),
				Detail: `The argument "` + a.Name + `" is required, but no definition was found.`,
			})
		}
	}
	out.Blocks = overBlocks(base.Blocks, over.Blocks)
	return out, diags
}

// overBlocks are the blocks of both, those of base whose type over has left out,
// but for lifecycle, whose arguments are combined.
func overBlocks(base, over hcl.Blocks) hcl.Blocks {
	replaced := map[string]bool{}
	for _, b := range over {
		replaced[blockType(b)] = true
	}
	var out hcl.Blocks
	for _, b := range base {
		switch typ := blockType(b); {
		case !replaced[typ]:
			out = append(out, b)
		case typ == "lifecycle":
			combined := *b
			for _, o := range over {
				if o.Type == typ {
					combined.Body = merge(combined.Body, o.Body)
				}
			}
			out = append(out, &combined)
			over = slices.DeleteFunc(slices.Clone(over), func(o *hcl.Block) bool { return o.Type == typ })
		}
	}
	return append(out, over...)
}

// blockType is the type of the blocks that a block stands for.
func blockType(b *hcl.Block) string {
	if b.Type == "dynamic" && len(b.Labels) == 1 {
		return b.Labels[0]
	}
	return b.Type
}
