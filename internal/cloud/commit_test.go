package cloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/durable"
)

// faulty is a store that can be made to fail.
type faulty struct {
	store.Store
	mu    sync.Mutex
	fails func(store.Batch) error
	after bool // fail after the batch was written
}

func (f *faulty) set(after bool, fails func(store.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after, f.fails = after, fails
}

func (f *faulty) Commit(ctx context.Context, b store.Batch) error {
	f.mu.Lock()
	fails, after := f.fails, f.after
	f.mu.Unlock()
	var failed error
	if fails != nil {
		failed = fails(b)
	}
	if failed != nil && !after {
		return failed
	}
	return errors.Join(f.Store.Commit(ctx, b), failed)
}

func openFaulty(t *testing.T) (*Cloud, *faulty) {
	t.Helper()
	c, err := Open(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "cloud")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	f := &faulty{Store: c.store}
	c.store = f
	return c, f
}

func (c *Cloud) testWrite(name string) error {
	id := arm.ID("/subscriptions/s/resourceGroups/" + name)
	return c.change(context.Background(), Caller{}, nil, func(d *draft) error {
		d.write(&store.Row{Resource: arm.Resource{ID: id, Name: name, Type: arm.TypeResourceGroup}, Version: d.version(), State: store.Succeeded})
		return nil
	})
}

func (c *Cloud) testHas(name string) bool {
	_, ok := c.Get(arm.ID("/subscriptions/s/resourceGroups/" + name))
	return ok
}

// What is shown is what is in the store, whoever of many writers fails.
func TestOfManyWritersOneFails(t *testing.T) {
	c, f := openFaulty(t)
	boom := errors.New("boom")
	f.set(false, func(b store.Batch) error {
		for _, change := range b.Changes {
			if change.Row != nil && change.Row.Resource.Name == "bad" {
				return boom
			}
		}
		return nil
	})
	const writers = 50
	results := make([]error, writers)
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			name := fmt.Sprint("g", n)
			if n%10 == 5 {
				name = "bad"
			}
			results[n] = c.testWrite(name)
		})
	}
	group.Wait()
	rows, err := f.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, r := range rows {
		stored[r.Resource.Name] = true
	}
	for n, err := range results {
		name := fmt.Sprint("g", n)
		if n%10 == 5 {
			name = "bad"
		}
		if accepted := err == nil; accepted != stored[name] || accepted != c.testHas(name) || name == "bad" && accepted {
			t.Errorf("%s: answered %v, stored %v, shown %v", name, err, stored[name], c.testHas(name))
		}
	}
	if err := c.testWrite("after"); err != nil || !c.testHas("after") {
		t.Errorf("the next change: %v", err)
	}
}

// Where it is not known whether a change is in the store, the store is asked
// before the next.
func TestAnUncertainCommit(t *testing.T) {
	for _, written := range []bool{true, false} {
		t.Run(fmt.Sprintf("written %v", written), func(t *testing.T) {
			c, f := openFaulty(t)
			f.set(written, func(store.Batch) error { return fmt.Errorf("%w: the connection broke", durable.ErrUncertain) })
			if err := c.testWrite("maybe"); !errors.Is(err, durable.ErrUncertain) || c.testHas("maybe") {
				t.Errorf("answered %v, shown %v", err, c.testHas("maybe"))
			}
			f.set(false, nil)
			if err := c.testWrite("next"); err != nil {
				t.Fatal(err)
			}
			if !c.testHas("next") || c.testHas("maybe") != written {
				t.Errorf("shown %v, in the store %v", c.testHas("maybe"), written)
			}
			if written {
				return
			}
			if err := c.testWrite("maybe"); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

func TestAFolderThatIsOpenToOthersIsClosed(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, d := range []string{dir, filepath.Join(dir, "keys"), filepath.Join(dir, "providers")} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info, err)
		}
	}
}
