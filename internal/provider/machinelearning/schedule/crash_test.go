package schedule_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

const crashEnv = "SCHEDULE_CRASH_TEST"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		worker(path)
		return
	}
	os.Exit(m.Run())
}

const short = 20 * time.Millisecond // a lease, so that lost ones lapse soon

// worker is scheduler and node in one: it goes on with the pipeline until that
// has ended. What a step has done it notes in a file of its own before it says so.
func worker(path string) {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	s, err := schedule.Open(path, short)
	check(err)
	fmt.Println("working")
	for {
		todo, err := s.Advance(ctx, time.Now())
		check(err)
		for _, j := range todo.Prepare {
			check(s.Prepared(ctx, j, "image", time.Now()))
		}
		root, err := s.Get(ctx, ws, "p")
		check(err)
		if root.State.Ended() {
			fmt.Println(root.State)
			check(s.Close())
			return
		}
		check(s.NodeStarting(ctx, cluster, 0, time.Now()))
		j, ok, err := s.Claim(ctx, cluster, 0, time.Now())
		check(err)
		if !ok {
			continue
		}
		check(os.WriteFile(filepath.Join(filepath.Dir(path), "done-"+j.Step), []byte(j.Lease), 0o600))
		_, err = s.Complete(ctx, cluster, j.Lease, schedule.Result{}, time.Now())
		check(err)
	}
}

// runAndKill starts a worker and kills it a little while after it has begun to
// work, unless it has ended by then; said is its last line.
func runAndKill(t *testing.T, path string) (killed bool, said string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	timer := time.AfterFunc(time.Duration(10+rand.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	for lines.Scan() {
		said = lines.Text()
	}
	_ = cmd.Wait() // it was killed, or has said how it ended
	return !timer.Stop() && said == "", said
}

func TestKilledSchedulerGoesOn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobs.db")
	needs := map[string][]string{}
	const steps = 40
	for i := range steps {
		name := fmt.Sprintf("s%02d", i)
		needs[name] = nil
		if i > 0 {
			needs[name] = []string{fmt.Sprintf("s%02d", rand.IntN(i))}
		}
	}
	s := open(t, path)
	if err := s.Submit(ctx, time.Now(), graph(needs, false)...); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for {
		if kills > 200 {
			t.Fatal("it makes no progress")
		}
		killed, said := runAndKill(t, path)
		if !killed {
			if said != "Completed" {
				t.Fatalf("the pipeline ended with %q", said)
			}
			break
		}
		kills++
	}
	t.Logf("killed %d times", kills)
	s = open(t, path)
	defer s.Close()
	all, err := s.Steps(ctx, ws, "p")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		if j.State != schedule.Completed {
			t.Errorf("%s is %s: %s", j.Step, j.State, j.Error)
		}
		// The result that counts is that of the lease that was completed.
		if lease, err := os.ReadFile(filepath.Join(dir, "done-"+j.Step)); err != nil || string(lease) != j.Lease {
			t.Errorf("%s was completed by the lease %s, and the last that ran it was %s (%v)", j.Step, j.Lease, lease, err)
		}
	}
}
