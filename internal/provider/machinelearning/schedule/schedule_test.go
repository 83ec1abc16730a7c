package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

const (
	ws      = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w")
	cluster = ws + "/computes/cpu"
	lease   = 10 * time.Second
)

var ctx = context.Background()

func open(t interface{ Fatal(...any) }, path string) *schedule.Store {
	s, err := schedule.Open(path, lease)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// graph is a pipeline "p" whose steps are named after their needs' keys.
func graph(needs map[string][]string, keepGoing bool) []schedule.Job {
	jobs := []schedule.Job{{Workspace: ws, Name: "p", Kind: schedule.Pipeline, Continue: keepGoing}}
	for _, step := range sorted(needs) {
		jobs = append(jobs, schedule.Job{Workspace: ws, Name: "run-" + step, Parent: "p", Step: step, Kind: schedule.Command, Needs: needs[step], Cluster: cluster})
	}
	return jobs
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// ground is a scheduler with the time in the test's hand.
type ground struct {
	t   *testing.T
	s   *schedule.Store
	now time.Time
}

func newGround(t *testing.T) *ground {
	g := &ground{t: t, s: open(t, filepath.Join(t.TempDir(), "jobs.db")), now: time.Unix(1_700_000_000, 0)}
	t.Cleanup(func() {
		if err := g.s.Close(); err != nil {
			t.Error(err)
		}
	})
	g.must(g.s.NodeStarting(ctx, cluster, 0, g.now))
	return g
}

func (g *ground) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// advance moves everything on, and gives every job that wants one an image.
func (g *ground) advance() {
	g.t.Helper()
	for {
		todo, err := g.s.Advance(ctx, g.now)
		g.must(err)
		for _, j := range todo.Prepare {
			g.must(g.s.Prepared(ctx, j, "image", g.now))
		}
		for _, j := range todo.Track {
			g.must(g.s.Tracked(ctx, j))
		}
		if !todo.Changed && len(todo.Prepare) == 0 {
			return
		}
	}
}

func (g *ground) claim() (schedule.Job, bool) {
	g.t.Helper()
	j, ok, err := g.s.Claim(ctx, cluster, 0, g.now)
	g.must(err)
	return j, ok
}

func (g *ground) state(name string) schedule.State {
	g.t.Helper()
	j, err := g.s.Get(ctx, ws, name)
	g.must(err)
	return j.State
}

// states shows every step, and the pipeline as "p".
func (g *ground) states() string {
	g.t.Helper()
	out := "p:" + string(g.state("p"))
	steps, err := g.s.Steps(ctx, ws, "p")
	g.must(err)
	for _, j := range steps {
		out += " " + j.Step + ":" + string(j.State)
	}
	return out
}

func TestStepsFollowTheirNeeds(t *testing.T) {
	diamond := map[string][]string{"a": nil, "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}
	for _, tt := range []struct {
		name      string
		keepGoing bool
		fail      string // step that fails
		want      string
	}{
		{"all complete", false, "", "p:Completed a:Completed b:Completed c:Completed d:Completed"},
		{"the first fails", false, "a", "p:Failed a:Failed b:Canceled c:Canceled d:Canceled"},
		{"one of two fails: the pipeline stops", false, "b", "p:Failed a:Completed b:Failed c:Canceled d:Canceled"},
		{"one of two fails: the other goes on", true, "b", "p:Failed a:Completed b:Failed c:Completed d:Canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGround(t)
			g.must(g.s.Submit(ctx, g.now, graph(diamond, tt.keepGoing)...))
			for g.advance(); ; g.advance() {
				j, ok := g.claim()
				if !ok {
					break
				}
				result := schedule.Result{}
				if j.Step == tt.fail {
					result.ExitCode = 1
				}
				_, err := g.s.Complete(ctx, cluster, j.Lease, result, g.now)
				g.must(err)
			}
			if got := g.states(); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLeases(t *testing.T) {
	one := map[string][]string{"a": nil}
	t.Run("a node that is silent loses its job, and what it says after is refused", func(t *testing.T) {
		g := newGround(t)
		g.must(g.s.Submit(ctx, g.now, graph(one, false)...))
		g.advance()
		old, _ := g.claim()
		g.now = g.now.Add(lease / 2)
		_, err := g.s.Renew(ctx, cluster, old.Lease, schedule.Running, g.now)
		g.must(err)
		g.now = g.now.Add(lease / 2)
		g.advance()
		if got := g.state("run-a"); got != schedule.Running {
			t.Fatalf("it renewed its lease, and is %s", got)
		}
		g.now = g.now.Add(lease + time.Millisecond)
		g.advance()
		if got := g.state("run-a"); got != schedule.Queued {
			t.Fatalf("it is %s", got)
		}
		fresh, ok := g.claim()
		if !ok || fresh.Attempt != 2 || fresh.Lease == old.Lease {
			t.Fatalf("claimed again: %+v", fresh)
		}
		if _, err := g.s.Renew(ctx, cluster, old.Lease, schedule.Running, g.now); !errors.Is(err, schedule.ErrLeaseLost) {
			t.Errorf("renewing the old lease: %v", err)
		}
		if _, err := g.s.Complete(ctx, cluster, old.Lease, schedule.Result{}, g.now); !errors.Is(err, schedule.ErrLeaseLost) {
			t.Errorf("completing with the old lease: %v", err)
		}
		if _, err := g.s.Leased(ctx, ws+"/computes/other", fresh.Lease); !errors.Is(err, schedule.ErrLeaseLost) {
			t.Errorf("another cluster uses the lease: %v", err)
		}
	})
	t.Run("to complete twice is no error", func(t *testing.T) {
		g := newGround(t)
		g.must(g.s.Submit(ctx, g.now, graph(one, false)...))
		g.advance()
		j, _ := g.claim()
		for range 2 {
			_, err := g.s.Complete(ctx, cluster, j.Lease, schedule.Result{}, g.now)
			g.must(err)
		}
	})
	t.Run("a job is given up after some nodes were lost with it", func(t *testing.T) {
		g := newGround(t)
		g.must(g.s.Submit(ctx, g.now, graph(one, false)...))
		for range schedule.MaxAttempts {
			g.advance()
			if _, ok := g.claim(); !ok {
				t.Fatal("there is nothing to claim")
			}
			g.now = g.now.Add(2 * lease)
		}
		g.advance()
		if got := g.states(); got != "p:Failed a:Failed" {
			t.Error(got)
		}
	})
	t.Run("an absence of the workspace costs no lease", func(t *testing.T) {
		g := newGround(t)
		g.must(g.s.Submit(ctx, g.now, graph(one, false)...))
		g.advance()
		j, _ := g.claim()
		g.now = g.now.Add(time.Hour)
		g.must(g.s.Grace(ctx, g.now))
		g.advance()
		_, err := g.s.Complete(ctx, cluster, j.Lease, schedule.Result{}, g.now)
		g.must(err)
	})
}

func TestCancel(t *testing.T) {
	g := newGround(t)
	g.must(g.s.Submit(ctx, g.now, graph(map[string][]string{"a": nil, "b": {"a"}, "c": nil}, false)...))
	g.advance()
	j, _ := g.claim()
	g.must(g.s.Cancel(ctx, ws, "p"))
	g.advance()
	if got := g.states(); got != "p:Running a:Preparing b:Canceled c:Canceled" {
		t.Errorf("while a node has a step: %s", got)
	}
	cancel, err := g.s.Renew(ctx, cluster, j.Lease, schedule.Running, g.now)
	g.must(err)
	if !cancel {
		t.Error("the node is not told")
	}
	_, err = g.s.Complete(ctx, cluster, j.Lease, schedule.Result{Canceled: true}, g.now)
	g.must(err)
	g.advance()
	if got := g.states(); got != "p:Canceled a:Canceled b:Canceled c:Canceled" {
		t.Error(got)
	}
}

func TestNodesComeAndGoWithTheJobs(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	scale := schedule.Scale{Min: 0, Max: 3, Idle: time.Minute, Silence: time.Minute}
	node := func(n int, state schedule.NodeState, since time.Duration) schedule.Node {
		return schedule.Node{N: n, State: state, Since: now.Add(-since), Seen: now}
	}
	lost := schedule.Node{N: 1, State: schedule.Busy, Since: now.Add(-time.Hour), Seen: now.Add(-time.Hour)}
	for _, tt := range []struct {
		name   string
		nodes  []schedule.Node
		queued int
		scale  schedule.Scale
		want   schedule.Resize
	}{
		{"nothing to do", nil, 0, scale, schedule.Resize{}},
		{"a job", nil, 1, scale, schedule.Resize{Start: []int{0}}},
		{"more jobs than nodes may be", nil, 9, scale, schedule.Resize{Start: []int{0, 1, 2}}},
		{"one is coming", []schedule.Node{node(0, schedule.Starting, 0)}, 1, scale, schedule.Resize{}},
		{"one works, one job waits", []schedule.Node{node(0, schedule.Busy, 0)}, 1, scale, schedule.Resize{Start: []int{1}}},
		{"an idle one takes the job", []schedule.Node{node(2, schedule.Idle, 0)}, 1, scale, schedule.Resize{}},
		{"idle for a moment", []schedule.Node{node(0, schedule.Idle, 59*time.Second)}, 0, scale, schedule.Resize{}},
		{"idle for long", []schedule.Node{node(0, schedule.Idle, time.Minute), node(1, schedule.Idle, time.Minute)}, 0, scale, schedule.Resize{Stop: []int{0, 1}}},
		{"the minimum stays", []schedule.Node{node(0, schedule.Idle, time.Hour), node(1, schedule.Idle, time.Hour)}, 0, schedule.Scale{Min: 1, Max: 3, Silence: time.Minute}, schedule.Resize{Stop: []int{1}}},
		{"the minimum is started", nil, 0, schedule.Scale{Min: 2, Max: 3, Silence: time.Minute}, schedule.Resize{Start: []int{0, 1}}},
		{"the maximum was lowered", []schedule.Node{node(0, schedule.Idle, 0), node(1, schedule.Idle, 0)}, 0, schedule.Scale{Max: 1, Idle: time.Hour, Silence: time.Minute}, schedule.Resize{Stop: []int{1}}},
		{"a lost one is replaced", []schedule.Node{lost}, 1, scale, schedule.Resize{Start: []int{0}, Stop: []int{1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := schedule.PlanNodes(tt.nodes, tt.queued, tt.scale, now)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestNodesThatGoGetNoJobs(t *testing.T) {
	g := newGround(t)
	g.must(g.s.Submit(ctx, g.now, graph(map[string][]string{"a": nil, "b": nil}, false)...))
	g.advance()
	if _, ok := g.claim(); !ok {
		t.Fatal("there is nothing to claim")
	}
	ok, err := g.s.NodeLeaving(ctx, cluster, 0, g.now)
	g.must(err)
	if ok {
		t.Error("a node that works is let go")
	}
	g.must(g.s.NodeStarting(ctx, cluster, 1, g.now))
	if ok, err = g.s.NodeLeaving(ctx, cluster, 1, g.now); err != nil || !ok {
		t.Fatalf("an idle node is kept: %v", err)
	}
	if _, ok, err := g.s.Claim(ctx, cluster, 1, g.now); ok || err != nil {
		t.Errorf("it gets a job: %v", err)
	}
	if _, _, err := g.s.Claim(ctx, cluster, 7, g.now); !errors.Is(err, schedule.ErrNoNode) {
		t.Errorf("a node that was never asked for: %v", err)
	}
}

// TestEveryPipelineEnds runs random pipelines with nodes that fail, fall silent and
// come back, and with cancellation, and holds what always holds.
func TestEveryPipelineEnds(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		path := filepath.Join(dir, "jobs.db")
		defer func() {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
		}()
		s := open(r, path)
		defer func() { s.Close() }()
		now := time.Unix(1_700_000_000, 0)
		needs := map[string][]string{}
		for i := range rapid.IntRange(1, 6).Draw(r, "steps") {
			name := string(rune('a' + i))
			needs[name] = nil
			for j := range i {
				if rapid.Bool().Draw(r, "needs") {
					needs[name] = append(needs[name], string(rune('a'+j)))
				}
			}
		}
		must := func(err error) {
			if err != nil {
				r.Fatal(err)
			}
		}
		must(s.Submit(ctx, now, graph(needs, rapid.Bool().Draw(r, "keep going"))...))
		for n := range 2 {
			must(s.NodeStarting(ctx, cluster, n, now))
		}
		held := map[string]schedule.Job{}
		for round := 0; ; round++ {
			if round > 400 {
				r.Fatal("the pipeline does not end")
			}
			if rapid.IntRange(0, 9).Draw(r, "restart") == 0 {
				must(s.Close())
				s = open(r, path)
			}
			todo, err := s.Advance(ctx, now)
			must(err)
			for _, j := range todo.Prepare {
				must(s.Prepared(ctx, j, "image", now))
			}
			holds(r, s, needs)
			root, err := s.Get(ctx, ws, "p")
			must(err)
			if root.State.Ended() {
				break
			}
			switch what := rapid.IntRange(0, 9).Draw(r, "event"); {
			case what < 5:
				j, ok, err := s.Claim(ctx, cluster, rapid.IntRange(0, 1).Draw(r, "node"), now)
				must(err)
				if ok {
					held[j.Lease] = j
				}
			case what < 8:
				for lease := range held {
					delete(held, lease)
					result := schedule.Result{}
					if rapid.IntRange(0, 4).Draw(r, "fail") == 0 {
						result.ExitCode = 1
					}
					if _, err := s.Complete(ctx, cluster, lease, result, now); err != nil && !errors.Is(err, schedule.ErrLeaseLost) {
						r.Fatal(err)
					}
					break
				}
			case what == 8:
				now = now.Add(2 * lease)
			default:
				if rapid.IntRange(0, 9).Draw(r, "cancel") == 0 {
					must(s.Cancel(ctx, ws, "p"))
				}
			}
		}
	})
}

// holds checks what holds at every instant.
func holds(r *rapid.T, s *schedule.Store, needs map[string][]string) {
	steps, err := s.Steps(ctx, ws, "p")
	if err != nil {
		r.Fatal(err)
	}
	state := map[string]schedule.State{}
	ended := 0
	for _, j := range steps {
		state[j.Step] = j.State
		if j.State.Ended() {
			ended++
		}
		if j.Attempt > schedule.MaxAttempts {
			r.Fatalf("%s was tried %d times", j.Step, j.Attempt)
		}
	}
	for _, j := range steps {
		if j.Attempt == 0 {
			continue
		}
		for _, need := range needs[j.Step] {
			if state[need] != schedule.Completed {
				r.Fatalf("%s ran while %s is %s", j.Step, need, state[need])
			}
		}
	}
	root, err := s.Get(ctx, ws, "p")
	if err != nil {
		r.Fatal(err)
	}
	if root.State.Ended() != (ended == len(steps)) {
		r.Fatalf("the pipeline is %s with %d of %d steps ended", root.State, ended, len(steps))
	}
	if root.State == schedule.Completed {
		for step, st := range state {
			if st != schedule.Completed {
				r.Fatalf("the pipeline is completed and %s is %s", step, st)
			}
		}
	}
}
