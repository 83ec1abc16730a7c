package nft

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	hashed := Set{Name: "guests", Key: []Type{IfName, Addr}}
	for i := range 6 {
		hashed.Elems = append(hashed.Elems, Elem{Key: []Value{Name(fmt.Sprint("n-", i)), addr("10.0.0.4")}})
	}
	ranges := Set{Name: "ranges", Key: []Type{Addr}, Interval: true, Elems: []Elem{ // that touch: the end of one is the beginning of the next
		{Key: []Value{addr("10.0.0.0")}, To: []Value{addr("10.0.0.9")}}, {Key: []Value{addr("10.0.0.10")}, To: []Value{addr("10.0.0.19")}},
	}}
	for _, c := range []struct {
		name           string
		set            Set
		lists          func(all []int) []int // indices of what the kernel lists
		lacks, strange int
	}{
		{"all", hashed, func(all []int) []int { return all }, 0, 0},
		{"some twice, as while the table grows", hashed, func(all []int) []int { return append(all, 0, 1) }, 0, 0},
		{"one twice in another's place", hashed, func(all []int) []int { all[3] = 2; return all }, 1, 0},
		{"one missing", hashed, func(all []int) []int { return all[1:] }, 1, 0},
		{"nothing", hashed, func([]int) []int { return nil }, 6, 0},
		{"ranges that touch", ranges, func(all []int) []int { return all }, 0, 0},
		{"the end of a range missing", ranges, func(all []int) []int { return slices.Delete(all, 1, 2) }, 1, 0},
	} {
		want := c.set.encode()
		all := make([]int, len(want))
		for i := range all {
			all[i] = i
		}
		got := want[:0:0]
		for _, i := range c.lists(all) {
			got = append(got, want[i])
		}
		if lacks, strange := compare(want, got); lacks != c.lacks || strange != c.strange {
			t.Errorf("%s: lacks %d, strange %d; want %d, %d", c.name, lacks, strange, c.lacks, c.strange)
		}
	}
	other := Set{Name: "guests", Key: hashed.Key, Elems: []Elem{{Key: []Value{Name("n-9"), addr("10.0.0.4")}}}}
	if lacks, strange := compare(hashed.encode(), append(hashed.encode(), other.encode()...)); lacks != 0 || strange != 1 {
		t.Errorf("one too many: lacks %d, strange %d", lacks, strange)
	}
}

// What the kernel gives back is what it was given, for every kind of key.
func TestVerifyAllKinds(t *testing.T) {
	c := inNamespace(t)
	load := func(table Table) {
		t.Helper()
		if err := c.Load(table); err != nil {
			t.Fatal(err)
		}
	}
	load(sample())
	dual := Set{Name: "guests", Key: []Type{IfName, Addr}, Data: Mark}
	for i := range 300 {
		dual.Elems = append(dual.Elems, Elem{Key: []Value{Name(fmt.Sprint("n-", i)), addr(fmt.Sprintf("fd00::%x", i))}, Value: Num(7)})
	}
	load(Table{Name: "sample", Six: true, Sets: []Set{dual}})

	more := sample()
	set(&more, "guests", func(s *Set) { s.Elems = append(s.Elems, Elem{Key: []Value{Name("n-2"), addr("10.0.0.5")}}) })
	sets, err := c.queue(sample(), nil)
	if err == nil {
		err = c.nl.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := c.verify(more, sets); err == nil || !strings.Contains(err.Error(), "of the 2 elements of the set guests the kernel lacks 1") {
		t.Errorf("a missing element: %v", err)
	}
}
