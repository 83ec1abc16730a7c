package cloud

import (
	"net/http"
	"sync"
	"time"
)

// Work is what the control plane has done for clients on the host since it was
// opened: Azure Resource Manager, the token service and Microsoft Graph.
type Work struct {
	Requests int64 `json:"requests"`
	// Handling is the time between a request's arrival and the end of its answer,
	// summed over all; what is handled at one time counts for each. In nanoseconds.
	Handling time.Duration `json:"handling"`
	// Waiting is how much of that was spent waiting for what is being made real, on
	// behalf of a client that asked whether it is.
	Waiting time.Duration `json:"waiting"`
	// Busy is the time in which at least one request was being handled, and not
	// waiting: what clients could have been spared at most.
	Busy time.Duration `json:"busy"`
}

// work counts what is done.
type work struct {
	mu     sync.Mutex
	sum    Work
	active int       // requests that are being handled now, and do not wait
	since  time.Time // when active was last 0
}

// Work is what has been done up to now.
func (c *Cloud) Work() Work {
	w := &c.work
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := w.sum
	if w.active > 0 {
		sum.Busy += time.Since(w.since)
	}
	return sum
}

// measured counts what a handler does.
func (w *work) measured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		w.add(1, start)
		defer func() {
			end := time.Now()
			w.add(-1, end)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sum.Requests++
			w.sum.Handling += end.Sub(start)
		}()
		h.ServeHTTP(rw, r)
	})
}

// wait counts that a request waits, until the function that it returns is called.
func (w *work) wait() (over func()) {
	start := time.Now()
	w.add(-1, start)
	return func() {
		end := time.Now()
		w.add(1, end)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sum.Waiting += end.Sub(start)
	}
}

// add takes note that from now on more or fewer requests are being handled.
func (w *work) add(n int, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.active
	w.active += n
	switch {
	case before <= 0 && w.active > 0:
		w.since = now
	case before > 0 && w.active <= 0:
		w.sum.Busy += now.Sub(w.since)
	}
}
