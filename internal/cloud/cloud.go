package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/ca"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/cloud/token"
)

// Options are what a cloud is opened with.
type Options struct {
	Dir          string // where everything is kept; made with mode 0700
	Tenant       string // GUID; where "", the one it was first opened with, or a new one
	Subscription string // likewise
	// Store is the address of the PostgreSQL database that keeps the documents; where
	// "", the one that the cloud was made with: a file in Dir unless it was another.
	Store string
	Log   *slog.Logger
	// Providers are asked for once, while the cloud opens.
	Providers func(Host) []Provider
	// Deliberate keeps the pauses that a client makes between two polls on real
	// Azure; otherwise it is told that it need not wait.
	Deliberate bool
	// GiveUp is after how long of failing a document is shown as Failed (it is
	// tried again all the same); ten minutes where 0.
	GiveUp time.Duration
	// PageSize is how many documents one answer lists; a thousand where 0.
	PageSize int
}

// Cloud is the control plane of one subscription.
type Cloud struct {
	options Options
	log     *slog.Logger
	now     func() time.Time
	lock    *os.File
	store   store.Store
	tokens  *token.Signer
	ca      *ca.Authority
	types   *registry

	writing sync.Mutex // one change is drafted at a time
	commits commits
	version int64
	current atomic.Pointer[snapshot]

	principals *principals
	directory  *directory.Directory
	sessions   *session.Sessions
	codes      *session.Codes
	devices    *session.Devices
	attempts   *directory.Throttle // at user codes, by address
	replays    *replays
	journal    *journal
	reconciler *reconciler
	front      *front
	audiences  *audiences
	work       work
}

// Open opens the cloud in o.Dir, or makes one there. Nothing is made real before
// [Cloud.Start].
func Open(ctx context.Context, o Options) (*Cloud, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.GiveUp == 0 {
		o.GiveUp = 10 * time.Minute
	}
	if o.PageSize == 0 {
		o.PageSize = 1000
	}
	c := &Cloud{options: o, log: o.Log, now: time.Now, audiences: newAudiences()}
	if err := c.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the cloud in %s: %w", o.Dir, err), c.Close())
	}
	return c, nil
}

func (c *Cloud) open(ctx context.Context) error {
	for _, dir := range []string{c.options.Dir, c.path("keys"), c.path("providers")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o700); err != nil { // one that was there may be open to others
			return err
		}
	}
	var err error
	if c.lock, err = lockDir(c.path("lock")); err != nil {
		return err
	}
	if c.store, err = openStore(ctx, c.options.Dir, c.options.Store); err != nil {
		return err
	}
	if err := c.identify(ctx); err != nil {
		return err
	}
	if c.ca, err = ca.Open(c.path("keys")); err != nil {
		return err
	}
	if c.tokens, err = token.Open(c.path("keys", "token.pem"), c.options.Tenant); err != nil {
		return err
	}
	if c.principals, err = openPrincipals(ctx, c.store, c.options.Tenant, c.now()); err != nil {
		return err
	}
	if c.directory, err = directory.Open(ctx, c.store, c.now); err != nil {
		return err
	}
	if c.sessions, err = session.Open(ctx, c.store, c.now); err != nil {
		return err
	}
	c.codes, c.devices = session.NewCodes(c.now), session.NewDevices(c.now)
	c.attempts, c.replays = directory.NewThrottle(freeCodes, time.Minute), newReplays()
	if err := c.load(ctx); err != nil {
		return err
	}
	c.journal = newJournal(c.store, c.log)
	c.reconciler = newReconciler(c)
	c.front = newFront(c)
	var providers []Provider
	if c.options.Providers != nil {
		providers = c.options.Providers(c)
	}
	c.types, err = newRegistry(providers)
	if err != nil {
		return err
	}
	c.types.serve("arm", c.ARM())
	c.types.serve("login", c.Login())
	c.types.serve("graph", c.Graph())
	return nil
}

// identify settles the tenant and the subscription: a store keeps those that it
// was made with.
func (c *Cloud) identify(ctx context.Context) error {
	for name, value := range map[string]*string{"tenant": &c.options.Tenant, "subscription": &c.options.Subscription} {
		kept, err := c.store.Setting(ctx, name)
		if err != nil {
			return err
		}
		if *value == "" {
			*value = kept
		}
		if *value == "" {
			*value = uuid.NewString()
		}
		id, err := uuid.Parse(*value)
		if err != nil {
			return fmt.Errorf("the %s %q is not a GUID", name, *value)
		}
		*value = id.String()
		if kept != "" && kept != *value {
			return fmt.Errorf("it was made for the %s %s and cannot be opened for %s", name, kept, *value)
		}
		if kept == "" {
			if err := c.store.Set(ctx, name, *value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cloud) load(ctx context.Context) error {
	rows, err := c.store.Load(ctx)
	if err != nil {
		return err
	}
	byKey := make(map[string]*store.Row, len(rows))
	for _, r := range rows {
		if r.Resource.Properties == nil { // an empty object is not written
			r.Resource.Properties = arm.Object{}
		}
		byKey[r.Key()] = r
		c.version = max(c.version, r.Version)
	}
	c.current.Store(newSnapshot(byKey, c.rootGroup()))
	return nil
}

func (c *Cloud) path(elem ...string) string {
	return filepath.Join(append([]string{c.options.Dir}, elem...)...)
}

func (c *Cloud) snapshot() *snapshot { return c.current.Load() }

// Start begins to make real what is accepted: first everything that the store
// holds, since what the kernel held is gone after a restart.
func (c *Cloud) Start() { c.reconciler.start() }

// Close stops making things real, waits for what is being made, and releases the
// store. What was accepted is on disk in any case.
func (c *Cloud) Close() error {
	var errs []error
	if c.front != nil {
		errs = append(errs, c.front.close())
	}
	if c.reconciler != nil {
		c.reconciler.stop()
	}
	if c.journal != nil {
		c.journal.close()
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	if c.lock != nil {
		errs = append(errs, c.lock.Close())
	}
	return errors.Join(errs...)
}

// Tenant is the tenant's GUID.
func (c *Cloud) Tenant() string { return c.options.Tenant }

// Subscription is the subscription's GUID.
func (c *Cloud) Subscription() string { return c.options.Subscription }

// CA is the cloud's certificate authority.
func (c *Cloud) CA() *ca.Authority { return c.ca }
