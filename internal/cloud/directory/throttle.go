package directory

import (
	"sync"
	"time"
)

// Throttle refuses who has failed too often in a row, for a while that doubles with
// every failure after that. Its zero value is not ready; see [NewThrottle].
type Throttle struct {
	free  int
	first time.Duration

	mu     sync.Mutex
	failed map[string]failures
}

type failures struct {
	count int
	until time.Time // refused until then
	last  time.Time
}

const (
	maxPause  = time.Hour
	maxNames  = 10_000
	forgotten = time.Hour // after which a failure counts no more
)

// NewThrottle lets free failures pass; the next is refused for first.
func NewThrottle(free int, first time.Duration) *Throttle {
	return &Throttle{free: free, first: first, failed: map[string]failures{}}
}

// Refused reports whether a name must wait.
func (t *Throttle) Refused(name string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.failed[name].until)
}

// Failed counts a failure.
func (t *Throttle) Failed(name string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failed[name]
	if now.Sub(f.last) > forgotten && now.After(f.until) {
		f.count = 0
	}
	f.count, f.last = f.count+1, now
	if over := f.count - t.free; over >= 0 {
		f.until = now.Add(min(t.first<<min(over, 20), maxPause))
	}
	if _, known := t.failed[name]; !known && len(t.failed) >= maxNames {
		t.forget(now)
	}
	t.failed[name] = f
}

// forget makes room: of those that are not refused, or else of anyone.
func (t *Throttle) forget(now time.Time) {
	for name, f := range t.failed {
		if !now.Before(f.until) {
			delete(t.failed, name)
		}
	}
	for name := range t.failed {
		if len(t.failed) < maxNames {
			return
		}
		delete(t.failed, name)
	}
}

// Succeeded ends the count.
func (t *Throttle) Succeeded(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failed, name)
}
