package flowlog

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	// MaxEvents is how many events of one log are kept between two writes. The rest
	// is counted, and said to be lost.
	MaxEvents = 50_000
	// interval is how often logs are written. Source: Microsoft Learn, "Virtual
	// network flow logs".
	interval = time.Minute
)

// Options of a writer.
type Options struct {
	Logs   func() []Log                 // of the estate as it is
	Client func(as arm.ID) *http.Client // calls services on behalf of a resource
	// Wrote says how writing went: an error, and how many events were lost because
	// there were too many.
	Wrote func(l Log, err error, lost int)
}

// Writer collects events and writes them, each minute, to the storage accounts that
// the logs name.
type Writer struct {
	options Options

	mu      sync.Mutex
	pending map[string]*batch // by the log's key
	hear    map[int]func(Log, []byte)
	next    int

	flush   sync.Mutex        // held while something is written
	expired map[string]string // the hour in which a log's old blobs were last looked for
}

// batch is what one log has to be told.
type batch struct {
	log  Log
	of   map[arm.ID][]Event // by network interface
	seen map[key]bool
	n    int
	lost int
}

// NewWriter makes a writer.
func NewWriter(o Options) *Writer {
	return &Writer{options: o, pending: map[string]*batch{}, hear: map[int]func(Log, []byte){}, expired: map[string]string{}}
}

// Add takes note of an event. What says the same as another of the same minute, as
// a packet that was sent again, is left out.
func (w *Writer) Add(e Event) {
	logs := For(w.options.Logs(), e)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range logs {
		b := w.pending[l.ID.Key()]
		if b == nil {
			b = &batch{of: map[arm.ID][]Event{}, seen: map[key]bool{}}
			w.pending[l.ID.Key()] = b
		}
		b.log = l
		b.add(e)
	}
}

func (b *batch) add(e Event) {
	switch {
	case b.seen[e.key()]:
		return
	case b.n == MaxEvents:
		b.lost++
		return
	}
	if !e.counted() {
		b.seen[e.key()] = true
	}
	b.n++
	b.of[e.NIC] = append(b.of[e.NIC], e)
}

// Listen calls each with every record when it is about to be written, until leave
// is called.
func (w *Writer) Listen(each func(Log, []byte)) (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	n := w.next
	w.hear[n] = each
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.hear, n)
	}
}

// Run writes each minute until ctx ends, and then once more.
func (w *Writer) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			w.Flush(ctx, now)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			w.Flush(last, time.Now())
			return
		}
	}
}

// Flush writes what has been added, and deletes what is older than a log keeps.
func (w *Writer) Flush(ctx context.Context, now time.Time) {
	w.flush.Lock()
	defer w.flush.Unlock()
	w.mu.Lock()
	pending := w.pending
	w.pending = map[string]*batch{}
	hear := slices.Collect(maps.Values(w.hear))
	w.mu.Unlock()
	for _, b := range pending {
		err := w.write(ctx, b, now, hear)
		w.options.Wrote(b.log, err, b.lost)
	}
	for _, l := range w.options.Logs() {
		if err := w.expire(ctx, l, now); err != nil {
			w.options.Wrote(l, err, 0)
		}
	}
}

// write writes a record for each network interface.
func (w *Writer) write(ctx context.Context, b *batch, now time.Time, hear []func(Log, []byte)) error {
	to, err := reach(b.log, w.options.Client)
	if err != nil {
		return err
	}
	ready := false
	for _, nic := range slices.Sorted(maps.Keys(b.of)) {
		mac := strings.ReplaceAll(service.MAC(nic), "-", "")
		record, ok := b.log.Record(now, mac, b.of[nic])
		if !ok {
			continue
		}
		for _, each := range hear {
			each(b.log, record)
		}
		if err != nil {
			continue // it is heard, although it cannot be written
		}
		if !ready {
			err, ready = to.ensure(ctx), true
		}
		if err == nil {
			var full bool
			if full, err = to.add(ctx, b.log.Blob(now, mac), record); full {
				b.lost += len(b.of[nic])
			}
		}
	}
	return err
}

// Check tries whether a log can be written, and makes its container.
func (w *Writer) Check(ctx context.Context, l Log) error {
	if !l.Enabled {
		return nil
	}
	to, err := reach(l, w.options.Client)
	if err != nil {
		return err
	}
	return to.ensure(ctx)
}

// expire deletes a log's old blobs, once an hour.
func (w *Writer) expire(ctx context.Context, l Log, now time.Time) error {
	hour := now.UTC().Format("2006010215")
	if !l.Enabled || l.Days == 0 || w.expired[l.ID.Key()] == hour {
		return nil
	}
	to, err := reach(l, w.options.Client)
	if err != nil {
		return err
	}
	if err := to.expire(ctx, l, now.AddDate(0, 0, -l.Days)); err != nil {
		return err
	}
	w.expired[l.ID.Key()] = hour
	return nil
}
