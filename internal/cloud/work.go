package cloud

import (
	"net/http"
	"sync/atomic"
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
}

type work struct{ requests, handling, waiting atomic.Int64 }

// Work is what has been done up to now.
func (c *Cloud) Work() Work {
	return Work{c.work.requests.Load(), time.Duration(c.work.handling.Load()), time.Duration(c.work.waiting.Load())}
}

// measured counts what a handler does.
func (w *work) measured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		defer func() {
			w.requests.Add(1)
			w.handling.Add(int64(time.Since(start)))
		}()
		h.ServeHTTP(rw, r)
	})
}
