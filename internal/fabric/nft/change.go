package nft

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/nftables"
)

// Change brings a loaded table to another of the same name in one transaction
// that holds only what differs: elements that stay keep their counters. from must
// be what is loaded, which [Conn.Fingerprint] tells.
func (c *Conn) Change(from, to Table) error {
	from, to = from.versioned(), to.versioned()
	if !Fits(from, to) {
		return fmt.Errorf("the table %s cannot be changed in place: a set or a chain would be another", to.Name)
	}
	d := &difference{Conn: c, table: &nftables.Table{Name: to.Name, Family: to.family()}, sets: map[string]*nftables.Set{}}
	if err := d.queue(from, to); err != nil {
		return err
	}
	if err := c.nl.Flush(); err != nil {
		return fmt.Errorf("changing the table %s: %w", to.Name, err)
	}
	if err := c.verify(Table{Name: to.Name, Six: to.Six, Sets: d.large}, d.sets); err != nil {
		return errors.Join(err, c.closeAll(to.ID()))
	}
	return nil
}

// difference is a transaction in the making.
type difference struct {
	*Conn
	table *nftables.Table
	sets  map[string]*nftables.Set
	large []Set // whose change took several messages
}

// queue orders the messages so that each refers to what is there: the kernel
// looks at them one by one, and makes them true together.
func (d *difference) queue(from, to Table) error {
	oldSets, oldChains := setsByName(from), chainsByName(from)
	for i, s := range to.Sets {
		set, err := s.declare(d.table, uint32(i+1))
		if err != nil {
			return err
		}
		d.sets[s.Name] = set
		if _, there := oldSets[s.Name]; there {
			continue
		}
		if err := d.nl.AddSet(set, nil); err != nil {
			return fmt.Errorf("declaring the set %s: %w", s.Name, err)
		}
	}
	newChains := chainsByName(to)
	for _, ch := range to.Chains {
		if _, there := oldChains[ch.Name]; !there {
			d.nl.AddChain(ch.declare(d.table))
		}
	}
	for _, s := range to.Sets {
		if err := d.elements(oldSets[s.Name], s); err != nil {
			return fmt.Errorf("changing the set %s: %w", s.Name, err)
		}
	}
	if err := d.rules(oldChains, to); err != nil {
		return err
	}
	return d.leftovers(from, to, newChains)
}

// leftovers removes what the new table does not have.
func (d *difference) leftovers(from, to Table, chains map[string]Chain) error {
	var gone []Chain
	for _, ch := range from.Chains {
		if _, stays := chains[ch.Name]; !stays {
			d.nl.FlushChain(ch.declare(d.table))
			gone = append(gone, ch)
		}
	}
	sets := setsByName(to)
	for _, s := range from.Sets {
		if _, stays := sets[s.Name]; stays {
			continue
		}
		set, err := s.declare(d.table, 0)
		if err != nil {
			return err
		}
		d.nl.DelSet(set)
	}
	for _, ch := range gone {
		d.nl.DelChain(ch.declare(d.table))
	}
	d.nl.AddChain(&nftables.Chain{Name: markerPrefix + to.Fingerprint(), Table: d.table})
	d.nl.DelChain(&nftables.Chain{Name: markerPrefix + from.Fingerprint(), Table: d.table})
	return nil
}

// rules replaces those of the chains that differ.
func (d *difference) rules(old map[string]Chain, to Table) error {
	var start counts
	for _, ch := range to.Chains {
		before, known := old[ch.Name]
		if known && reflect.DeepEqual(before.Rules, ch.Rules) {
			continue
		}
		chain := ch.declare(d.table)
		if known {
			d.nl.FlushChain(chain)
			if start == nil {
				var err error
				if start, err = d.start(to.ID()); err != nil {
					return err
				}
			}
		}
		for _, r := range ch.Rules {
			if err := d.addRule(chain, r, d.sets, start.take(ch.Name, r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// elements removes and adds those that differ; the removed go first, so that a
// range makes room for others.
func (d *difference) elements(from, to Set) error {
	if from.sum != nil && bytes.Equal(from.sum, to.sum) {
		return nil
	}
	old := make(map[string]bool, len(from.Elems)) // whether it stays
	var b []byte
	for _, e := range from.Elems {
		old[string(from.appendTo(b[:0], e))] = false
	}
	var added, removed []nftables.SetElement
	for _, e := range to.Elems {
		b = to.appendTo(b[:0], e)
		if _, same := old[string(b)]; same {
			old[string(b)] = true
			continue
		}
		added = append(added, to.encodeOne(e)...)
	}
	for _, e := range from.Elems {
		if old[string(from.appendTo(b[:0], e))] {
			continue
		}
		for _, one := range from.encodeOne(e) {
			removed = append(removed, nftables.SetElement{Key: one.Key, KeyEnd: one.KeyEnd, IntervalEnd: one.IntervalEnd})
		}
	}
	for part := range slices.Chunk(removed, maxElements) {
		if err := d.nl.SetDeleteElements(d.sets[to.Name], part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(added, maxElements) {
		if err := d.nl.SetAddElements(d.sets[to.Name], part); err != nil {
			return err
		}
	}
	if len(added)+len(removed) > maxElements {
		d.large = append(d.large, to)
	}
	return nil
}

// Fits reports whether a table can be changed into another: sets and chains that
// stay must stay what they are.
func Fits(from, to Table) bool {
	sets, chains := setsByName(from), chainsByName(from)
	for _, s := range to.Sets {
		if old, ok := sets[s.Name]; ok && !sameShape(old, s) {
			return false
		}
	}
	for _, ch := range to.Chains {
		if old, ok := chains[ch.Name]; ok && !sameBase(old, ch) {
			return false
		}
	}
	return from.ID() == to.ID()
}

func sameShape(a, b Set) bool {
	return slices.Equal(a.Key, b.Key) && a.Data == b.Data && a.Interval == b.Interval && a.Count == b.Count
}

func sameBase(a, b Chain) bool {
	return a.Hook == b.Hook && a.NAT == b.NAT && a.Priority == b.Priority && a.Drop == b.Drop
}

func setsByName(t Table) map[string]Set {
	out := make(map[string]Set, len(t.Sets))
	for _, s := range t.Sets {
		out[s.Name] = s
	}
	return out
}

func chainsByName(t Table) map[string]Chain {
	out := make(map[string]Chain, len(t.Chains))
	for _, ch := range t.Chains {
		out[ch.Name] = ch
	}
	return out
}
