package fabric

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/network"
)

// Plans with and without memory are the same, and of two groups of which one has
// changed only that one is compiled anew.
func TestMemory(t *testing.T) {
	t.Parallel()
	holdMemory(t, manyRules(50))
}

// The same group is another in a table of IPv6.
func TestMemoryOfBothVersions(t *testing.T) {
	t.Parallel()
	h := manyRules(50).dual()
	var rules []network.Match
	for i := range 20 {
		rules = append(rules, rule(fmt.Sprint("from-", i), true, "Tcp", fmt.Sprintf("fd00:1::%x/128", i+16), "::/0", port(uint16(400+i))))
	}
	h.filter(nicID("worker"), network.Inbound, "six", rules...)
	var m Memory
	for range 2 {
		with, without := h.planWith(&m), h.plan()
		for i, s := range without.Spaces {
			if s.Filter != nil && s.Filter.Fingerprint() != with.Spaces[i].Filter.Fingerprint() {
				t.Errorf("the filter of %s is another with memory", s.Name)
			}
			if s.Filter6 != nil && s.Filter6.Fingerprint() != with.Spaces[i].Filter6.Fingerprint() {
				t.Errorf("the IPv6 filter of %s is another with memory", s.Name)
			}
		}
	}
}

func holdMemory(t *testing.T, h *handmade) {
	var m Memory
	same := func(step string) {
		t.Helper()
		with, without := h.planWith(&m), h.plan()
		for i, s := range without.Spaces {
			if s.Filter != nil && s.Filter.Fingerprint() != with.Spaces[i].Filter.Fingerprint() {
				t.Errorf("%s: the filter of %s is another with memory", step, s.Name)
			}
		}
	}
	same("nothing remembered")
	first := len(m.now)
	same("all remembered")
	if len(m.now) != first {
		t.Errorf("%d groups remembered, %d before", len(m.now), first)
	}
	filters := h.filters[nicID("worker")][network.Inbound]
	filters[0].Matches = slices.Clone(filters[0].Matches)
	filters[0].Matches[3].Rule.Allow = !filters[0].Matches[3].Rule.Allow
	same("one changed")
	anew := 0
	for key := range m.now {
		if _, ok := m.before[key]; !ok {
			anew++
		}
	}
	if anew != 1 || len(m.now) != first {
		t.Errorf("%d of %d groups were compiled anew, want 1 of %d", anew, len(m.now), first)
	}
}
