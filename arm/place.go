package arm

import "strings"

// Place is where a part of the document was declared: the nearest part on the way
// to path that has a place of its own, else the document. Path is as an [Edge]
// has it, from the document down: properties.securityRules.2.
func (r Resource) Place(path string) Source {
	for path != "" && len(r.Parts) > 0 {
		if s, ok := r.Parts[path]; ok {
			return s
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
	return r.Source
}

// moved adds the parts of the document at a path and under it to others, at
// another path.
func (r Resource) moved(to map[string]Source, from, path string) map[string]Source {
	for at, where := range r.Parts {
		if rest, ok := strings.CutPrefix(at, from); ok && (rest == "" || rest[0] == '.') {
			if to == nil {
				to = map[string]Source{}
			}
			to[path+rest] = where
		}
	}
	return to
}

// partsWithout are parts but those at a path and under it; nil where there are none.
func partsWithout(all map[string]Source, path string) map[string]Source {
	var out map[string]Source
	for at, where := range all {
		if at == path || strings.HasPrefix(at, path+".") {
			continue
		}
		if out == nil {
			out = map[string]Source{}
		}
		out[at] = where
	}
	return out
}

// places are where a document and its parts were declared, as JSON has them.
type places struct {
	Source
	Parts map[string]Source `json:"parts,omitempty"`
}

// places are those of the documents that have any, by id.
func (e *Estate) places() map[ID]places {
	out := map[ID]places{}
	for _, r := range e.resources {
		if r.Source != (Source{}) || len(r.Parts) > 0 {
			out[r.ID] = places{r.Source, r.Parts}
		}
	}
	return out
}
