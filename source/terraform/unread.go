package terraform

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// keep puts the resources of a type that has no mapping beside the estate, and
// names them.
func (b *builder) keep(typ string, rs []*lang.Resource) {
	var names []string
	for _, r := range rs[:min(len(rs), 5)] {
		names = append(names, r.Address)
	}
	if more := len(rs) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	hint := ""
	if rs[0].Schema == nil && strings.HasPrefix(typ, "azurerm_") {
		hint = lang.DidYouMean(typ, kinds)
	}
	b.warn(rs[0].Range, "Type not in the estate", "%s has no mapping to Azure Resource Manager here, so the estate lacks %d of it: %s.%s", typ, len(rs), strings.Join(names, ", "), hint)
	for _, r := range rs {
		v := b.types.view(r, b.secrets)
		b.unread = append(b.unread, arm.Unread{
			Address: r.Address, Type: typ, Reason: "this type has no mapping to Azure Resource Manager here",
			Source: source(r), Attributes: v.attributes(r.Config, r.Schema, ""),
		})
	}
}

// absent puts what the language could not evaluate beside the estate.
func (b *builder) absent(list []lang.Missing) {
	for _, m := range list {
		r := &lang.Resource{Address: m.Address, Type: m.Type, Range: m.Range, Config: m.Config}
		u := arm.Unread{Address: m.Address, Type: m.Type, Reason: m.Reason, Source: source(r)}
		if m.Config != nil {
			u.Attributes = b.types.view(r, b.secrets).attributes(m.Config, m.Schema, "")
		}
		b.unread = append(b.unread, u)
	}
}

// attributes is all that a body says, each block as an object in an array. What
// the schema calls sensitive is withheld, and without one what is named like a
// secret.
func (v view) attributes(body *lang.Body, sch *schema.Block, path string) arm.Object {
	out := arm.Object{}
	for name, val := range body.Attrs {
		if v.withheld(name, sch) {
			out[name] = v.unknown(val, path+name)
			continue
		}
		if doc := v.document(val, path+name); doc != nil {
			out[name] = doc
		}
	}
	for name, blocks := range body.Blocks {
		var inner *schema.Block
		if sch != nil {
			if n, ok := sch.Blocks[name]; ok {
				inner = &n.Block
			}
		}
		list := make([]any, len(blocks))
		for i, b := range blocks {
			list[i] = v.attributes(b, inner, path+name+".")
		}
		out[name] = list
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// secretNames are attributes that hold secrets, in providers without a schema here.
var secretNames = regexp.MustCompile(`(?i)password|passwd|secret|token|private_?key|access_?key|connection_?string|credential|sas_?url`)

func (v view) withheld(name string, sch *schema.Block) bool {
	if v.secrets {
		return false
	}
	if sch == nil {
		return secretNames.MatchString(name)
	}
	return sch.Attributes[name].Sensitive
}
