package cloud

import (
	"context"
	"maps"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// draft is a change in the making: the store as it would be. It is a View, so a
// document is checked against those that are written with it.
type draft struct {
	base    *snapshot
	rows    map[string]*store.Row // the changed ones; nil where deleted
	now     time.Time
	caller  Caller
	version func() int64 // the next, for a changed document
	estate  *arm.Estate  // of the draft, until the next change
	docs    bool         // whether a document was changed, or only states
}

// row is the row as the draft has it, or nil.
func (d *draft) row(id arm.ID) *store.Row {
	if r, ok := d.rows[id.Key()]; ok {
		return r
	}
	return d.base.rows[id.Key()]
}

// Get implements View.
func (d *draft) Get(id arm.ID) (arm.Resource, bool) {
	r := d.row(id)
	if r == nil || r.State == store.Deleting {
		return arm.Resource{}, false
	}
	return r.Resource, true
}

// Estate implements View.
func (d *draft) Estate() *arm.Estate {
	if len(d.rows) == 0 {
		return d.base.Estate()
	}
	if d.estate == nil {
		d.estate = estateOf(d.all(), false)
	}
	return d.estate
}

// all are the rows of the draft.
func (d *draft) all() map[string]*store.Row {
	rows := maps.Clone(d.base.rows)
	for key, r := range d.rows {
		if r == nil {
			delete(rows, key)
		} else {
			rows[key] = r
		}
	}
	return rows
}

// write puts a row whose document is new.
func (d *draft) write(r *store.Row) {
	d.rows[r.Key()] = r
	d.docs, d.estate = true, nil
}

// remove takes a row out.
func (d *draft) remove(id arm.ID) {
	d.rows[id.Key()] = nil
	d.docs, d.estate = true, nil
}

// mark changes what is known of a document and not the document itself.
func (d *draft) mark(r *store.Row) { d.rows[r.Key()] = r }

// change makes a draft, commits it and only then shows it. One draft is made at a
// time, from those before it, which may still be on their way to the store. The
// client going away does not undo it.
func (c *Cloud) change(ctx context.Context, caller Caller, log []store.Entry, f func(*draft) error) error {
	w, err := c.draft(ctx, caller, log, f)
	if err != nil || w == nil {
		return err
	}
	return <-w.done
}

// draft makes the change and has it written; nil where nothing changes.
func (c *Cloud) draft(ctx context.Context, caller Caller, log []store.Entry, f func(*draft) error) (*write, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	base, err := c.base(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now().UTC().Truncate(time.Microsecond)
	d := &draft{base: base, rows: map[string]*store.Row{}, now: now, caller: caller, version: c.nextVersion}
	if err := f(d); err != nil {
		return nil, err
	}
	batch := store.Batch{Log: log}
	for key, row := range d.rows {
		var was int64
		if old := base.rows[key]; old != nil {
			was = old.Version
		} else if row == nil {
			continue // made and taken back within the draft
		}
		batch.Changes = append(batch.Changes, store.Change{Key: key, Was: was, Row: row})
	}
	if len(batch.Changes)+len(batch.Log) == 0 {
		return nil, nil
	}
	w := &write{batch: batch, next: base.with(d.all(), d.docs), touched: d.written(), done: make(chan error, 1)}
	c.stage(w)
	return w, nil
}

// written are the rows of the draft whose document or deletion is news.
func (d *draft) written() []*store.Row {
	var out []*store.Row
	for key, r := range d.rows {
		old := d.base.rows[key]
		if r != nil && (old == nil || old.Version != r.Version || (old.State == store.Deleting) != (r.State == store.Deleting)) {
			out = append(out, r)
		}
	}
	return out
}

// nextVersion grows with the clock, so that a version is not given out again
// after a document was deleted and the cloud started anew. The caller holds
// c.writing.
func (c *Cloud) nextVersion() int64 {
	c.version = max(c.version+1, c.now().UnixMicro())
	return c.version
}
