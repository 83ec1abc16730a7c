package arm

import (
	"encoding/json"
	"fmt"
	"io"
)

// maxEstate bounds what ReadEstate takes, in bytes.
const maxEstate = 1 << 30

// MarshalJSON writes {"resources": [...], "unread": [...], "sources": {...}},
// resources ordered by id. There is no "unread" where everything was read.
// "sources" says by id where a document was declared, and in its "parts" by path
// where those of its parts were that stand elsewhere; there is none where nothing
// is known of it.
func (e *Estate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Resources []Resource    `json:"resources"`
		Unread    []Unread      `json:"unread,omitempty"`
		Sources   map[ID]places `json:"sources,omitempty"`
	}{append([]Resource{}, e.resources...), e.unread, e.places()})
}

// ReadEstate reads what MarshalJSON wrote, of at most 1 GiB.
func ReadEstate(r io.Reader) (*Estate, error) {
	var raw struct {
		Resources []json.RawMessage `json:"resources"`
		Unread    []Unread          `json:"unread"`
		Sources   map[ID]places     `json:"sources"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxEstate)).Decode(&raw); err != nil {
		return nil, fmt.Errorf("reading an estate: %w", err)
	}
	resources := make([]Resource, 0, len(raw.Resources))
	for i, m := range raw.Resources {
		res, err := Decode(m)
		if err != nil {
			return nil, fmt.Errorf("reading resource %d of the estate: %w", i, err)
		}
		if _, err := ParseID(string(res.ID)); err != nil {
			return nil, fmt.Errorf("reading resource %d of the estate: %w", i, err)
		}
		at := raw.Sources[res.ID]
		res.Source, res.Parts = at.Source, at.Parts
		resources = append(resources, res)
	}
	e, err := NewEstate(resources...)
	if err != nil {
		return nil, fmt.Errorf("reading an estate: %w", err)
	}
	return e.WithUnread(raw.Unread...), nil
}

// Decode reads one document as Marshal of a Resource wrote it, unknowns included.
func Decode(data []byte) (Resource, error) {
	var r Resource
	if err := json.Unmarshal(data, &r); err != nil {
		return Resource{}, err
	}
	r.Properties, _ = revive(r.Properties).(map[string]any)
	r.SKU, _ = revive(r.SKU).(map[string]any)
	r.Plan, _ = revive(r.Plan).(map[string]any)
	return r, nil
}

// revive turns {"$unknown": {...}} back into an Unknown.
func revive(v any) any {
	switch node := v.(type) {
	case map[string]any:
		if u, ok := node["$unknown"].(map[string]any); ok && len(node) == 1 {
			return Unknown{Expression: String(u, "expression"), File: String(u, "file"), Line: Int(u, "line", 0)}
		}
		for k, e := range node {
			node[k] = revive(e)
		}
		return node
	case []any:
		for i, e := range node {
			node[i] = revive(e)
		}
		return node
	}
	return v
}
