package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
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
				if err := apply(t.Context(), c.Client(), arm.GroupID(cloudtest.Subscription, fmt.Sprint("rg", n)), 20, made); err != nil {
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

func apply(ctx context.Context, c *client.Client, group arm.ID, resources int, id func(arm.ID, int) arm.ID) error {
	// Written as the SDK does: not every peer takes it otherwise.
	lower := arm.ID(strings.Replace(string(group), "/resourceGroups/", "/resourcegroups/", 1))
	if _, err := c.Put(ctx, arm.Resource{ID: lower, Location: "westeurope"}); err != nil {
		return err
	}
	errs := make([]error, resources)
	var under sync.WaitGroup
	gate := make(chan struct{}, 10)
	for i := range resources {
		under.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			_, errs[i] = c.Put(ctx, arm.Resource{ID: id(group, i), Location: "westeurope", Properties: arm.Object{
				"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}},
			}})
		})
	}
	under.Wait()
	return errors.Join(errs...)
}

// made is the id of a document that takes a moment to become real.
func made(group arm.ID, n int) arm.ID { return group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", n)) }

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

// peer, in the environment, is the address of another's Resource Manager, which is
// timed beside ours. It takes any token.
const peer = "CLOISTER_PEER"

// benchmarkStores times our two stores, and the peer where there is one. connect
// makes a client.
func benchmarkStores(b *testing.B, bench func(b *testing.B, connect func() *client.Client)) {
	prepared := func(b *testing.B, connect func() *client.Client) {
		if err := apply(b.Context(), connect(), benchGroup, standing, document); err != nil {
			b.Fatal(err)
		}
		bench(b, connect)
	}
	b.Run("SQLite", func(b *testing.B) {
		prepared(b, cloudtest.Open(b, cloud.Options{Dir: b.TempDir()}).Client)
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		server := postgrestest.Start(b)
		prepared(b, cloudtest.Open(b, cloud.Options{Dir: b.TempDir(), Store: server.Database(b)}).Client)
	})
	if address := os.Getenv(peer); address != "" {
		b.Run("peer", func(b *testing.B) {
			prepared(b, func() *client.Client {
				transport := &http.Transport{MaxIdleConnsPerHost: clientsAtOnce}
				b.Cleanup(transport.CloseIdleConnections)
				return client.New(client.Config{Endpoint: address, Tenant: cloudtest.Tenant, ClientID: "any", ClientSecret: "any", HTTP: &http.Client{Transport: transport}})
			})
		})
	}
}

// clientsAtOnce is how many clients make requests at one time.
const clientsAtOnce = 16

var benchGroup = arm.GroupID(cloudtest.Subscription, "standing")

// timed makes b.N requests, so many at once, each as a client's over its own
// connection.
func timed(b *testing.B, connect func() *client.Client, do func(c *client.Client, n int) error) {
	var all latencies
	next := make(chan int)
	var group sync.WaitGroup
	clients := make([]*client.Client, clientsAtOnce)
	for i := range clients {
		clients[i] = connect()
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
	benchmarkStores(b, func(b *testing.B, connect func() *client.Client) {
		timed(b, connect, func(c *client.Client, _ int) error {
			_, err := c.Get(context.Background(), document(benchGroup, 7))
			return err
		})
	})
}

func BenchmarkLoadPut(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, connect func() *client.Client) {
		timed(b, connect, func(c *client.Client, n int) error {
			_, err := c.BeginPut(context.Background(), arm.Resource{ID: document(benchGroup, n%standing), Location: "westeurope", Properties: arm.Object{
				"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}, "flowTimeoutInMinutes": float64(4 + n%26),
			}})
			return err
		})
	})
}

// document is the id of one of the documents that are timed: a virtual network,
// which every peer has.
func document(group arm.ID, n int) arm.ID {
	return group + arm.ID(fmt.Sprintf("/providers/Microsoft.Network/virtualNetworks/n%d", n))
}
