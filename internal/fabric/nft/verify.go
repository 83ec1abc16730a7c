package nft

import (
	"fmt"
	"time"

	"github.com/google/nftables"
)

// readings is how often a set is read that is not what it should be.
const readings = 8

// verify reads every set back: an element that is missing is a hole in the fence.
// While the kernel gives a set a larger hash table, which it does in the
// background, it lists some elements twice and may leave others out (rhashtable.h,
// rhashtable_walk_next). So what does not agree is read again, a little later.
func (c *Conn) verify(t Table, sets map[string]*nftables.Set) error {
	for _, s := range t.Sets {
		want := s.encode()
		for try := 1; ; try++ {
			got, err := c.nl.GetSetElements(sets[s.Name])
			if err != nil {
				return fmt.Errorf("reading the set %s back: %w", s.Name, err)
			}
			lacks, strange := compare(want, got)
			if lacks+strange == 0 {
				break
			}
			if try == readings {
				return fmt.Errorf("of the %d elements of the set %s the kernel lacks %d, and holds %d others", len(want), s.Name, lacks, strange)
			}
			time.Sleep(time.Millisecond << try)
		}
	}
	return nil
}

// compare says how many of the elements that are wanted are missing, and how many
// others there are, however often each is listed.
func compare(want, got []nftables.SetElement) (lacks, strange int) {
	found := make(map[string]bool, len(want))
	var b []byte
	key := func(e nftables.SetElement) []byte {
		b = append(append(b[:0], e.Key...), e.KeyEnd...)
		if e.IntervalEnd {
			b = append(b, 1)
		}
		return b
	}
	for _, e := range want {
		found[string(key(e))] = false
	}
	lacks = len(want) // one that is wanted twice is not there twice
	for _, e := range got {
		k := key(e)
		before, wanted := found[string(k)]
		switch {
		case !wanted:
			strange++
		case !before:
			found[string(k)] = true
			lacks--
		}
	}
	return lacks, strange
}
