package nft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// Count is what a rule or an element has counted.
type Count struct{ Packets, Bytes uint64 }

// RuleCount is the count of one counting rule.
type RuleCount struct {
	Chain   string
	Comment string
	Count
}

// Counts are the counters of the table's rules that have one, in the rules'
// order; none where there is no such table.
func (c *Conn) Counts(table TableID) ([]RuleCount, error) {
	chains, err := c.nl.ListChainsOfTableFamily(table.family())
	if err != nil {
		return nil, fmt.Errorf("listing chains: %w", err)
	}
	var out []RuleCount
	for _, ch := range chains {
		if ch.Table.Name != table.Name || strings.HasPrefix(ch.Name, markerPrefix) || ch.Hooknum != nil {
			continue
		}
		rules, err := c.nl.GetRules(ch.Table, ch)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the rules of %s: %w", ch.Name, err)
		}
		for _, r := range rules {
			if count, ok := counter(r); ok {
				comment, _ := userdata.GetString(r.UserData, userdata.TypeComment)
				out = append(out, RuleCount{Chain: ch.Name, Comment: comment, Count: count})
			}
		}
	}
	return out, nil
}

func counter(r *nftables.Rule) (Count, bool) {
	for _, e := range r.Exprs {
		if c, ok := e.(*expr.Counter); ok {
			return Count{Packets: c.Packets, Bytes: c.Bytes}, true
		}
	}
	return Count{}, false
}

// MarkCounts are the counts of the elements of a counting map whose key is a
// mark; none where there is no such map.
func (c *Conn) MarkCounts(table TableID, set string) (map[uint32]Count, error) {
	elems, err := c.nl.GetSetElements(&nftables.Set{Table: &nftables.Table{Name: table.Name, Family: table.family()}, Name: set})
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the counts of %s: %w", set, err)
	}
	out := make(map[uint32]Count, len(elems))
	for _, e := range elems {
		if e.Counter != nil && len(e.Key) == 4 {
			out[binary.NativeEndian.Uint32(e.Key)] = Count{Packets: e.Counter.Packets, Bytes: e.Counter.Bytes}
		}
	}
	return out, nil
}
