package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/cloud/postgrestest"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// stores are the clouds that what follows is true of.
func stores(t *testing.T, test func(t *testing.T, c *cloudtest.Cloud)) {
	t.Run("SQLite", func(t *testing.T) { test(t, cloudtest.Start(t, slow)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		server := postgrestest.Start(t)
		test(t, cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), Store: server.Database(t), Providers: slow}))
	})
}

// Ten clients apply disjoint groups at once, as ten runs of Terraform do: each with
// ten requests under way. Everything becomes real, and nothing else is there.
func TestTenAppliesAtOnce(t *testing.T) {
	stores(t, func(t *testing.T, c *cloudtest.Cloud) {
		var applies sync.WaitGroup
		for n := range 10 {
			applies.Go(func() {
				if err := apply(t.Context(), c.Client(), arm.GroupID(cloudtest.Subscription, fmt.Sprint("rg", n)), 20); err != nil {
					t.Error(err)
				}
			})
		}
		applies.Wait()
		if n := c.Estate().Len(); n != 10*21 {
			t.Errorf("%d documents", n)
		}
		for _, s := range c.Status() {
			if s.State != store.Succeeded || !s.Ready {
				t.Errorf("%+v", s)
			}
		}
	})
}

func apply(ctx context.Context, c *client.Client, group arm.ID, resources int) error {
	if _, err := c.Put(ctx, arm.Resource{ID: group, Location: "westeurope"}); err != nil {
		return err
	}
	errs := make([]error, resources)
	var under sync.WaitGroup
	gate := make(chan struct{}, 10)
	for i := range resources {
		under.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			_, errs[i] = c.Put(ctx, arm.Resource{ID: group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", i)), Properties: arm.Object{"n": float64(i)}})
		})
	}
	under.Wait()
	return errors.Join(errs...)
}

// latencies are how long requests took.
type latencies struct {
	mu    sync.Mutex
	taken []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = append(l.taken, d)
}

// report reports the percentiles, in milliseconds.
func (l *latencies) report(b *testing.B) {
	slices.Sort(l.taken)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(l.taken[len(l.taken)*p/100])/1e6, fmt.Sprintf("p%d-ms", p))
	}
}

// The cloud has as many documents as a large estate while requests are timed.
const standing = 500

func benchmarkStores(b *testing.B, bench func(b *testing.B, c *cloudtest.Cloud)) {
	prepared := func(b *testing.B, address string) {
		c := cloudtest.Open(b, cloud.Options{Dir: b.TempDir(), Store: address})
		if err := apply(b.Context(), c.Client(), arm.GroupID(cloudtest.Subscription, "standing"), standing); err != nil {
			b.Fatal(err)
		}
		bench(b, c)
	}
	b.Run("SQLite", func(b *testing.B) { prepared(b, "") })
	b.Run("PostgreSQL", func(b *testing.B) {
		server := postgrestest.Start(b)
		prepared(b, server.Database(b))
	})
}

// clientsAtOnce is how many clients make requests at one time.
const clientsAtOnce = 16

// timed makes b.N requests, so many at once, each over TLS and HTTP/2 as a client's.
func timed(b *testing.B, c *cloudtest.Cloud, do func(c *client.Client, n int) error) {
	var all latencies
	next := make(chan int)
	var group sync.WaitGroup
	clients := make([]*client.Client, clientsAtOnce)
	for i := range clients {
		clients[i] = c.Client()
		if _, err := clients[i].Token(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for _, cl := range clients {
		group.Go(func() {
			for n := range next {
				start := time.Now()
				if err := do(cl, n); err != nil {
					b.Error(err)
				}
				all.add(time.Since(start))
			}
		})
	}
	for n := range b.N {
		next <- n
	}
	close(next)
	group.Wait()
	b.StopTimer()
	all.report(b)
}

func BenchmarkLoadGet(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, c *cloudtest.Cloud) {
		id := arm.GroupID(cloudtest.Subscription, "standing") + "/providers/A.B/c/n7"
		timed(b, c, func(c *client.Client, _ int) error { _, err := c.Get(context.Background(), id); return err })
	})
}

func BenchmarkLoadPut(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, c *cloudtest.Cloud) {
		group := arm.GroupID(cloudtest.Subscription, "standing")
		timed(b, c, func(c *client.Client, n int) error {
			id := group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", n%standing))
			_, err := c.BeginPut(context.Background(), arm.Resource{ID: id, Properties: arm.Object{"n": float64(n + standing)}})
			return err
		})
	})
}
