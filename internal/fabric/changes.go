package fabric

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Change is one thing that was made or taken away.
type Change struct {
	Removed bool
	Kind    string // namespace, link, address, route, rule, filter, setting
	Space   string // the namespace it is in, or is
	What    string
}

func (c Change) String() string {
	sign := "+"
	if c.Removed {
		sign = "-"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", sign, c.Kind, c.Space, c.What))
}

// Changes are what Apply did, ordered by namespace.
type Changes []Change

// Count is the number of changes of a kind.
func (c Changes) Count(kind string) int {
	n := 0
	for _, one := range c {
		if one.Kind == kind {
			n++
		}
	}
	return n
}

// recorder gathers changes from several goroutines.
type recorder struct {
	mu   sync.Mutex
	list Changes
}

func (r *recorder) add(removed bool, kind, space, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, Change{Removed: removed, Kind: kind, Space: space, What: what})
}

func (r *recorder) sorted() Changes {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What))
	})
	return r.list
}
