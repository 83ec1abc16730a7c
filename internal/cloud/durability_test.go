package cloud_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/cloud/postgrestest"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// crashDir, in the environment, makes the test binary the process that is killed.
const (
	crashDir   = "CLOISTER_TEST_CRASH_DIR"
	crashStore = "CLOISTER_TEST_CRASH_STORE"
)

// kills, in the environment, is how often the process is killed; by default a few
// times.
const kills = "CLOISTER_KILLS"

// An apply is of so many documents, by so many at once. Each document is written by
// one writer, so that its last acknowledged value is known.
const (
	applied = 200
	writers = 8
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// slow is a provider whose resources take a moment to become real, and to go.
func slow(cloud.Host) []cloud.Provider {
	pause := func(ctx context.Context, _ arm.Resource) error {
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		return ctx.Err()
	}
	return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c", Reconcile: pause, Remove: pause}}}}
}

// writeUntilKilled applies, changes and deletes documents through ARM, and says on
// its standard output what was acknowledged.
func writeUntilKilled(dir string) error {
	p := &process{dir: dir, store: os.Getenv(crashStore)}
	c, err := p.open()
	if err != nil {
		return errors.Join(err, p.close())
	}
	ctx := context.Background()
	group := arm.GroupID(cloudtest.Subscription, "rg")
	if _, err := c.Put(ctx, arm.Resource{ID: group, Location: "westeurope"}); err != nil {
		return err
	}
	failed := make(chan error, writers)
	for w := range writers {
		go func() { failed <- writeSome(ctx, c, group, w) }()
	}
	return <-failed
}

func writeSome(ctx context.Context, c *client.Client, group arm.ID, writer int) error {
	for n := 0; ; n++ {
		id := group + arm.ID(fmt.Sprintf("/providers/A.B/c/n%d", writer+n*writers%applied))
		if n*writers >= applied && rand.IntN(4) == 0 {
			fmt.Printf("delete? %s\n", id)
			if err := c.Delete(ctx, id); err != nil {
				return err
			}
			fmt.Printf("deleted %s\n", id)
			continue
		}
		value := fmt.Sprint(rand.Uint64())
		fmt.Printf("put? %s %s\n", id, value)
		if _, err := c.BeginPut(ctx, arm.Resource{ID: id, Properties: arm.Object{"value": value}}); err != nil {
			if !strings.Contains(err.Error(), "AnotherOperationInProgress") {
				return err
			}
			continue
		}
		fmt.Printf("put %s %s\n", id, value)
	}
}

// expected is what is known of one document: its last acknowledged value ("" for
// none), and those that were asked for since and may or may not be there.
type expected struct {
	value string
	maybe []string
}

// What was acknowledged is there after the process was killed at any instant, and
// what is there can be made real.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { killRepeatedly(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) {
		server := postgrestest.Start(t)
		killRepeatedly(t, server.Database(t))
	})
}

func killRepeatedly(t *testing.T, address string) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv(kills)); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	want := map[arm.ID]*expected{}
	acknowledged := 0
	for range rounds {
		acknowledged += crash(t, dir, address, want)
		check(t, dir, want)
	}
	if acknowledged < rounds {
		t.Errorf("only %d changes were acknowledged in %d rounds", acknowledged, rounds)
	}
	t.Logf("%d changes acknowledged, %d processes killed", acknowledged, rounds)
}

// crash runs the writer, kills it after a random while, and notes what it said.
func crash(t *testing.T, dir, address string, want map[arm.ID]*expected) (acknowledged int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashStore+"="+address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Duration(100+rand.IntN(1500))*time.Millisecond, func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("killing the writer: %v", err)
		}
	})
	defer kill.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		id, value := arm.ID(fields[1]), ""
		if len(fields) > 2 {
			value = fields[2]
		}
		if want[id] == nil {
			want[id] = &expected{}
		}
		switch fields[0] {
		case "put?", "delete?":
			want[id].maybe = append(want[id].maybe, value)
		case "put", "deleted":
			*want[id] = expected{value: value}
			acknowledged++
		}
	}
	var killed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &killed) || killed.ExitCode() != -1 {
		t.Errorf("the writer was not killed, but ended: %v", err)
	}
	return acknowledged
}

// check opens what the killed process has left.
func check(t *testing.T, dir string, want map[arm.ID]*expected) {
	t.Helper()
	c, err := cloud.Open(t.Context(), cloud.Options{Dir: dir, Providers: slow})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id, w := range want {
		got := ""
		if r, ok := c.Get(id); ok {
			got = arm.String(r.Properties, "value")
		}
		good := got == w.value
		for _, m := range w.maybe {
			good = good || got == m
		}
		if !good {
			t.Errorf("%s is %q; %q was acknowledged, and asked for since: %q", id.Name(), got, w.value, w.maybe)
		}
		*w = expected{value: got}
	}
	c.Start()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Wait(ctx); err != nil {
		t.Error(err)
	}
	for _, s := range c.Status() {
		if s.State != store.Succeeded || !s.Ready {
			t.Errorf("half made after the restart: %+v", s)
		}
	}
	for id, w := range want { // a deletion that had begun is done now
		if _, ok := c.Get(id); !ok {
			w.value = ""
		}
	}
}
