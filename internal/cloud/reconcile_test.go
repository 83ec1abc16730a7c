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
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// world notes what providers were told to do, and fails where it is told to.
type world struct {
	mu   sync.Mutex
	done []string
	fail map[string]error
}

func (w *world) do(verb string) func(context.Context, arm.Resource) error {
	return func(_ context.Context, r arm.Resource) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if err := w.fail[verb+" "+r.Name]; err != nil {
			return err
		}
		w.done = append(w.done, verb+" "+r.Name)
		return nil
	}
}

func (w *world) set(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == nil {
		w.fail = map[string]error{}
	}
	w.fail[what] = err
}

func (w *world) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.done
	w.done = nil
	return out
}

func (w *world) providers(cloud.Host) []cloud.Provider {
	return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{
		{Name: "A.B/c", Reconcile: w.do("make"), Remove: w.do("remove")},
		{Name: "A.B/c/d", Reconcile: w.do("make"), Remove: w.do("remove")},
	}}}
}

var rg = arm.GroupID(cloudtest.Subscription, "rg")

func refer(name string, to ...string) arm.Resource {
	list := []any{}
	for _, n := range to {
		list = append(list, arm.Object{"id": string(rg + arm.ID("/providers/A.B/c/"+n))})
	}
	return arm.Resource{ID: rg + arm.ID("/providers/A.B/c/"+name), Properties: arm.Object{"refs": list}}
}

func TestReconcileInOrder(t *testing.T) {
	w := &world{}
	c := cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), Providers: w.providers})
	cl := c.Client()
	if _, err := cl.Put(t.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		t.Fatal(err)
	}
	// The base fails at first, so that all that build on it must wait.
	w.set("make base", errors.New("not yet"))
	for _, r := range []arm.Resource{refer("base"), refer("middle", "base"), refer("top", "middle"), {ID: refer("top").ID.Child("d", "child")}} {
		if _, err := cl.BeginPut(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if done := w.take(); len(done) != 0 {
		t.Errorf("done before what it builds on: %v", done)
	}
	i := slices.IndexFunc(c.Status(), func(s cloud.Status) bool { return s.ID.Name() == "base" })
	if s := c.Status()[i]; s.State != store.Creating || s.Ready || s.Error != "not yet" {
		t.Errorf("while it fails: %+v", s)
	}
	w.set("make base", nil)
	if err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done := w.take(); !slices.Equal(done, []string{"make base", "make middle", "make top", "make child"}) {
		t.Errorf("made %v", done)
	}
	if err := cl.Delete(t.Context(), rg); err != nil {
		t.Fatal(err)
	}
	if done := w.take(); !slices.Equal(done, []string{"remove child", "remove top", "remove middle", "remove base"}) {
		t.Errorf("removed %v", done)
	}
	if len(c.Status()) != 0 {
		t.Errorf("left: %+v", c.Status())
	}
}

// Documents that refer to each other in a circle are made all the same.
func TestReconcileCircle(t *testing.T) {
	w := &world{}
	c := cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), Providers: w.providers})
	cl := c.Client()
	for _, r := range []arm.Resource{{ID: rg, Location: "westeurope"}, refer("one", "two"), refer("two", "one")} {
		if _, err := cl.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.Delete(t.Context(), rg); err != nil {
		t.Fatal(err)
	}
}

func TestReconcileFailsForGood(t *testing.T) {
	w := &world{}
	c := cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), Providers: w.providers})
	cl := c.Client()
	if _, err := cl.Put(t.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		t.Fatal(err)
	}
	w.set("make one", fmt.Errorf("%w: %w", cloud.Errorf(409, "SkuNotAvailable", "no such size"), cloud.ErrPermanent))
	_, err := cl.Put(t.Context(), refer("one"))
	if err == nil || status(err) != 409 {
		t.Fatalf("got %v", err)
	}
	got, err := cl.Get(t.Context(), refer("one").ID)
	if err != nil || arm.String(got.Properties, "provisioningState") != "Failed" {
		t.Errorf("shown as %+v, %v", got.Properties, err)
	}
	if err := c.Wait(t.Context()); err == nil {
		t.Error("Wait does not tell")
	}
	w.set("make one", nil)
	if got, err = cl.Put(t.Context(), refer("one")); err != nil || arm.String(got.Properties, "provisioningState") != "Succeeded" {
		t.Errorf("written again: %+v, %v", got.Properties, err)
	}
}

// A process that starts makes everything again, since the kernel has forgotten
// it, and finishes what was begun.
func TestReconcileAfterRestart(t *testing.T) {
	dir, w := t.TempDir(), &world{}
	t.Run("first", func(t *testing.T) {
		c := cloudtest.Open(t, cloud.Options{Dir: dir, Providers: w.providers})
		for _, r := range []arm.Resource{{ID: rg, Location: "westeurope"}, refer("base"), refer("going")} {
			if _, err := c.Client().Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		w.set("remove going", errors.New("busy"))
		if _, err := c.Client().BeginDelete(t.Context(), refer("going").ID); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Get(refer("going").ID); ok {
			t.Error("a document that is being deleted is still in the estate")
		}
	})
	w.take()
	w.set("remove going", nil)
	c := cloudtest.Open(t, cloud.Options{Dir: dir, Providers: w.providers})
	if err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := w.take()
	slices.Sort(done)
	if !slices.Equal(done, []string{"make base", "remove going"}) {
		t.Errorf("done after the restart: %v", done)
	}
}

func TestProviderPanics(t *testing.T) {
	panics := func(cloud.Host) []cloud.Provider {
		return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c", Reconcile: func(context.Context, arm.Resource) error { panic("oh") }}}}}
	}
	c := cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), Providers: panics, GiveUp: time.Millisecond})
	if _, err := c.Client().Put(t.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Client().Put(t.Context(), refer("one")); status(err) != 409 {
		t.Errorf("got %v", err)
	}
}

// A document without properties is one with an empty object for providers, before
// and after a restart.
func TestEmptyProperties(t *testing.T) {
	dir := t.TempDir()
	seen := func(cloud.Host) []cloud.Provider {
		return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c", Present: func(_ cloud.View, r arm.Resource) arm.Resource {
			r.Properties["seen"] = true
			return r
		}}}}}
	}
	for _, run := range []string{"first", "again"} {
		t.Run(run, func(t *testing.T) {
			c := cloudtest.Open(t, cloud.Options{Dir: dir, Providers: seen})
			if run == "first" {
				for _, r := range []arm.Resource{{ID: rg, Location: "westeurope"}, {ID: refer("one").ID}} {
					if _, err := c.Client().Put(t.Context(), r); err != nil {
						t.Fatal(err)
					}
				}
			}
			got, err := c.Client().Get(t.Context(), refer("one").ID)
			if err != nil || !arm.Bool(got.Properties, "seen", false) {
				t.Errorf("got %+v, %v", got.Properties, err)
			}
		})
	}
}

func TestPresentPanics(t *testing.T) {
	panics := func(cloud.Host) []cloud.Provider {
		return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c", Present: func(cloud.View, arm.Resource) arm.Resource { panic("oh") }}}}}
	}
	c := cloudtest.Start(t, panics)
	if _, err := c.Client().Put(t.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		t.Fatal(err)
	}
	got := ask(t, c, "PUT", string(refer("one").ID)+"?api-version=2024-01-01", "{}")
	if got.status != 500 || got.code() != "InternalServerError" {
		t.Errorf("got %d %v", got.status, got.body)
	}
}

// Many write at once, each in a group of its own, and all of it becomes real.
func TestParallelWriters(t *testing.T) {
	c := cloudtest.Start(t, slow)
	cl := c.Client()
	var writers sync.WaitGroup
	for w := range 10 {
		writers.Go(func() {
			group := arm.GroupID(cloudtest.Subscription, fmt.Sprintf("rg%d", w))
			if _, err := cl.Put(t.Context(), arm.Resource{ID: group, Location: "westeurope"}); err != nil {
				t.Error(err)
			}
			for i := range 20 {
				r := arm.Resource{ID: group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", i))}
				if _, err := cl.BeginPut(t.Context(), r); err != nil {
					t.Error(err)
				}
			}
			if w%2 == 0 {
				if err := cl.Delete(t.Context(), group); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(c.Status()); n != 5*21 {
		t.Errorf("%d documents are there, want %d", n, 5*21)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	cloudtest.Open(t, cloud.Options{Dir: dir})
	if _, err := cloud.Open(t.Context(), cloud.Options{Dir: dir}); err == nil {
		t.Error("a second process opens the folder")
	}
}

func BenchmarkPut(b *testing.B) {
	c := cloudtest.Open(b, cloud.Options{Dir: b.TempDir()})
	cl := c.Client()
	if _, err := cl.Put(b.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		r := refer(fmt.Sprintf("n%d", i%200))
		r.Properties["value"] = float64(i)
		if _, err := cl.BeginPut(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkGet(b *testing.B) {
	c := cloudtest.Open(b, cloud.Options{Dir: b.TempDir()})
	cl := c.Client()
	if _, err := cl.Put(b.Context(), arm.Resource{ID: rg, Location: "westeurope"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := cl.Get(b.Context(), rg); err != nil {
			b.Fatal(err)
		}
	}
}
