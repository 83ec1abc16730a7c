package cloud

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// replays are the assertions that were shown, until they end (RFC 7523, section 3,
// rule 7). MSAL for Python shows one assertion for several resources, so that is no
// replay; for the same resource again, or from another address, it is.
type replays struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]shown
}

// shown is one assertion.
type shown struct {
	until time.Time
	from  string
	what  map[string]bool // resources that it was shown for
}

const (
	maxReplays           = 100_000
	maxResources         = 100            // of one assertion
	maxAssertionLifetime = 24 * time.Hour // as Entra's
)

var errReplay = errors.New("an assertion with its jti was shown before")

func newReplays() *replays { return &replays{seen: map[[sha256.Size]byte]shown{}} }

// first reports whether an assertion is shown for something for the first time.
func (p *replays) first(assertion, from, what string, now, until time.Time) bool {
	key := sha256.Sum256([]byte(assertion))
	p.mu.Lock()
	defer p.mu.Unlock()
	if was, ok := p.seen[key]; ok && now.Before(was.until) {
		if was.from != from || was.what[what] || len(was.what) >= maxResources {
			return false
		}
		was.what[what] = true
		return true
	}
	if len(p.seen) >= maxReplays {
		for k, was := range p.seen {
			if !now.Before(was.until) {
				delete(p.seen, k)
			}
		}
	}
	if len(p.seen) >= maxReplays {
		return false // rather refuse than forget
	}
	p.seen[key] = shown{until, from, map[string]bool{what: true}}
	return true
}

// fresh refuses a verified assertion of an application itself that was shown before,
// or that holds too long to be remembered.
func (c *Cloud) fresh(r *http.Request, a assertion) error {
	now := c.now()
	until := a.claims.Expiry.Time().Add(time.Minute) // the leeway of lives
	if until.Sub(now) > maxAssertionLifetime {
		return fmt.Errorf("%w: it holds for more than %v", errAssertion, maxAssertionLifetime)
	}
	if a.claims.ID == "" {
		return fmt.Errorf("%w: it has no jti", errAssertion)
	}
	from := sourceOf(r)
	what := r.PostForm.Get("scope") + " " + r.PostForm.Get("resource")
	if !c.replays.first(fmt.Sprintf("%q %q", a.claims.Issuer, a.claims.ID), from, what, now, until) {
		return fmt.Errorf("%w: %w", errAssertion, errReplay)
	}
	return nil
}
