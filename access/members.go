package access

import (
	"maps"
	"strings"
)

// WithMembers is the model with groups of the tenant's directory, by object id, and
// the object ids of their members. Members that are such groups are nested ones.
func (m *Model) WithMembers(groups map[string][]string) *Model {
	next := *m
	next.members = maps.Clone(m.members)
	for group, list := range groups {
		set := make(map[string]bool, len(list))
		for _, member := range list {
			set[strings.ToLower(member)] = true
		}
		next.members[strings.ToLower(group)] = set
	}
	return &next
}
