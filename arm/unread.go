package arm

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Unread is something that is declared and that a reader made no document of: a
// resource of a type that it gives no meaning to, a module that is not there, a
// resource whose number of instances is not known. An estate keeps them, so that
// nobody takes it for more than it is.
type Unread struct {
	Address    string `json:"address"` // as the reader's language names it
	Type       string `json:"type"`    // the reader's own name, as azurerm_bot_channel_slack
	Reason     string `json:"reason"`  // why there is no document, as a clause
	Source     Source `json:"source"`
	Attributes Object `json:"attributes,omitempty"` // as declared, unknowns as Unknown
}

// WithUnread is the estate with more of what could not be read. E is unchanged.
func (e *Estate) WithUnread(list ...Unread) *Estate {
	out := *e
	out.unread = slices.Concat(e.unread, list)
	slices.SortStableFunc(out.unread, func(a, b Unread) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Address, b.Address))
	})
	return &out
}

// Unread is what the reader made no document of, ordered by type and address.
func (e *Estate) Unread() []Unread { return e.unread }

// UnreadTypes are the types of what the reader made no document of, each once and
// in order.
func (e *Estate) UnreadTypes() []string {
	var out []string
	for _, u := range e.unread {
		if len(out) == 0 || out[len(out)-1] != u.Type {
			out = append(out, u.Type)
		}
	}
	return out
}

// UnmarshalJSON reads what Marshal of an Unread wrote, unknowns included.
func (u *Unread) UnmarshalJSON(data []byte) error {
	type plain Unread
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*u = Unread(p)
	u.Attributes, _ = revive(u.Attributes).(map[string]any)
	return nil
}
